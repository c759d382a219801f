/** Threads for what would hold the event loop up: programs of the package. */
import { existsSync } from 'node:fs';
import { type TransferListItem, Worker } from 'node:worker_threads';

/**
 * Starts a program with data, giving it the buffers of `transferList`. Undefined, and nothing given, where there can be no
 * thread: run from TypeScript the program is not there, and Node's permissions may forbid it.
 */
export function startThread(
  program: URL,
  workerData: unknown,
  transferList: readonly TransferListItem[],
): Worker | undefined {
  if (!existsSync(program)) return undefined;
  try {
    // Neither what the process preloads nor how it takes its input is meant for the thread.
    return new Worker(program, { workerData, transferList: [...transferList], execArgv: [] });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_ACCESS_DENIED') return undefined;
    throw error;
  }
}

/** Which threads the ops of a run are executed by. */
import { decodeConfig, decodeRunOptions, encodeRunOptions } from './config.js';
import { TensorFlowError } from './errors.js';
import { isOlder } from './minor-version.js';
import { checkOneOf } from './options.js';

/**
 * - `'pool'`: TensorFlow's pool of threads, as TensorFlow does unless told otherwise. Independent ops run side by side.
 * - `'caller'`: one after the other in the thread of the run, without changes of threads, which cost a small graph most of
 *   its time. (Each op may still use several threads inside: `intraOpParallelismThreads`.) TensorFlow does not keep
 *   `RunOptions.timeoutInMs` there.
 * - `'auto'`: the faster of the two, found out by timing the runs of each signature: the first four in the pool, then
 *   eight of each in turn, then ever more seldom again. The pool always where the choice might not be free of risk: for
 *   graphs with loops, queues or datasets, on several devices, with `timeout`, with `runOptions`, before TensorFlow 2.4,
 *   and where the ConfigProto says something of inter-op threads.
 */
export type Executor = (typeof EXECUTORS)[number];

const EXECUTORS = ['auto', 'caller', 'pool'] as const;

/** The first version that executes every op of such a run in one thread, whatever the graph. */
const AUTO_SINCE = '2.4';
/** The first that takes `inter_op_thread_pool: -1`. */
const CALLER_SINCE = '1.13';

export function checkExecutor(executor: unknown): void {
  checkOneOf(executor, EXECUTORS, 'executor');
}

/**
 * What a session does by default.
 *
 * @param config the serialized ConfigProto that the user gave
 * @throws TensorFlowError LIBRARY_TOO_OLD for `'caller'` before TensorFlow 1.13
 */
export function sessionExecutor(
  asked: Executor | undefined,
  config: Uint8Array | undefined,
  version: string,
): Executor {
  checkCallerAge(asked, version);
  if (asked === 'caller' || asked === 'pool') return asked;
  return isOlder(version, AUTO_SINCE) || saysThreads(config) ? 'pool' : 'auto';
}

/** Throws LIBRARY_TOO_OLD where the library cannot do what is asked. */
export function checkCallerAge(asked: Executor | undefined, version: string): void {
  if (asked !== 'caller' || !isOlder(version, CALLER_SINCE)) return;
  throw new TensorFlowError(
    'LIBRARY_TOO_OLD',
    `executor: 'caller' needs TensorFlow ${CALLER_SINCE} or later; opened is ${version}. Leave executor out.`,
  );
}

function saysThreads(config: Uint8Array | undefined): boolean {
  if (config === undefined) return false;
  const { interOpParallelismThreads, usePerSessionThreads, sessionInterOpThreadPool } = decodeConfig(config);
  return interOpParallelismThreads !== 0 || usePerSessionThreads || sessionInterOpThreadPool.length > 0;
}

/** `inter_op_thread_pool: -1`. */
const CALLER = encodeRunOptions({ interOpThreadPool: -1 })!;

/** RunOptions with the calling thread in them, unless they name a pool themselves. */
export function inCallerThread(runOptions: Uint8Array): Uint8Array {
  if (decodeRunOptions(runOptions).interOpThreadPool !== 0) return runOptions;
  // A message appended to another one of its type is merged into it: that is how protobuf reads.
  return Buffer.concat([runOptions, CALLER]);
}

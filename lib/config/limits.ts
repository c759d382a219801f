/** Values of a ConfigProto that TensorFlow answers by ending the process, or by never coming back. */

import { invalidOption } from '../options.js';
import { parseDevice } from '../placement/device.js';
import type { ConfigProto } from '../proto/tensorflow/core/protobuf/config_pb.js';

/** More threads than any machine has cores; a million of them never get made. */
const MOST_THREADS = 4096;

/** Throws INVALID_OPTION naming the field. */
export function checkThreads(config: ConfigProto, path: string): void {
  check(config.intraOpParallelismThreads, 0, `${path}.intraOpParallelismThreads`);
  // A negative number of inter-op threads means the caller's own.
  check(config.interOpParallelismThreads, Number.NEGATIVE_INFINITY, `${path}.interOpParallelismThreads`);
  for (const [i, { numThreads }] of config.sessionInterOpThreadPool.entries()) {
    check(numThreads, 0, `${path}.sessionInterOpThreadPool[${i}].numThreads`);
  }
}

/** A server ends at a filter that is no device's name, and takes all its sessions along. */
export function checkDeviceFilters({ deviceFilters }: ConfigProto, path: string): void {
  for (const [i, filter] of deviceFilters.entries()) parseDevice(filter, `${path}.deviceFilters[${i}]`);
}

function check(threads: number, least: number, where: string): void {
  if (threads >= least && threads <= MOST_THREADS) return;
  const range = least === 0 ? `from 0 (TensorFlow chooses) to ${MOST_THREADS}` : `at most ${MOST_THREADS}`;
  throw invalidOption(`${where} must be ${range}, not ${threads}.`);
}

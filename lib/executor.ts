/** Which threads the ops of a run are executed by. */
import { decodeConfig, decodeRunOptions, encodeRunOptions } from './config.js';
import { TensorFlowError } from './errors.js';
import { isOlder } from './minor-version.js';
import { checkOneOf } from './options.js';
import { once } from './remember.js';

/**
 * - `'pool'`: TensorFlow's pool of threads, as TensorFlow does unless told otherwise. Independent ops run side by side.
 * - `'caller'`: one after the other in the thread of the run, without changes of threads, which cost a small graph most of
 *   its time. (Each op may still use several threads inside: `intraOpParallelismThreads`.) TensorFlow does not keep
 *   `RunOptions.timeoutInMs` there, and a graph that calls functions in loops, or by the hundreds, is refused: each call
 *   takes a piece of the thread's stack.
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
  const { interOpParallelismThreads, usePerSessionThreads, sessionInterOpThreadPool } = decodeConfig(
    config ?? new Uint8Array(),
  );
  if (interOpParallelismThreads < 0) return 'caller'; // TensorFlow's own way to say so
  const saysThreads =
    interOpParallelismThreads > 0 || usePerSessionThreads || sessionInterOpThreadPool.length > 0;
  return isOlder(version, AUTO_SINCE) || saysThreads ? 'pool' : 'auto';
}

/** Throws LIBRARY_TOO_OLD where the library cannot do what is asked. */
export function checkCallerAge(asked: Executor | undefined, version: string): void {
  if (asked !== 'caller' || !isOlder(version, CALLER_SINCE)) return;
  throw new TensorFlowError(
    'LIBRARY_TOO_OLD',
    `executor: 'caller' needs TensorFlow ${CALLER_SINCE} or later; opened is ${version}. Leave executor out.`,
  );
}

/** `inter_op_thread_pool: -1`. */
const callersThread = once(() => encodeRunOptions({ interOpThreadPool: -1 })!);

/** The executor that RunOptions choose, and RunOptions that say so to TensorFlow. */
export function withExecutor(
  runOptions: Uint8Array,
  executor: Executor,
): { runOptions: Uint8Array; executor: Executor } {
  const { interOpThreadPool } = decodeRunOptions(runOptions);
  if (interOpThreadPool !== 0) return { runOptions, executor: interOpThreadPool < 0 ? 'caller' : 'pool' };
  if (executor !== 'caller') return { runOptions, executor: 'pool' };
  // A message appended to another one of its type is merged into it: that is how protobuf reads.
  return { runOptions: Buffer.concat([runOptions, callersThread()]), executor };
}

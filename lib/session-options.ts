/** Options of sessions, and the checks of them. */
import type { ClusterOptions } from './cluster/options.js';
import type { ConfigProtoJson } from './config.js';
import { checkExecutor, type Executor } from './executor.js';
import { EXTENSION_KEYS, type ExtensionOptions } from './extensions/extensions.js';
import { GUARD_KEYS, type GuardOptions } from './guard/options.js';
import { checkCount, checkOneOf } from './options.js';
import { PLACEMENT_KEYS, type PlacementOptions } from './placed-graph.js';
import { type OutputOptions, RUN_CONTROL_KEYS, type RunControl } from './run.js';

/** How the runs of a session are executed: options of `SavedModel.load` and `Session.fromGraphDef`. */
export interface ExecutionOptions extends OutputOptions {
  /** Which threads execute the ops of each run. Default: `'auto'`, the faster of the two. */
  executor?: Executor | undefined;
  /**
   * How many runs of a session may be at work at once; the others wait, in order, and take no thread from anybody. Default:
   * as many as the process allows, two less than libuv has threads (`maxRunsInFlight` of `tensorflow.open`); on a cluster
   * any number, each on a thread of its own.
   */
  concurrency?: number | undefined;
  /**
   * How many runs of a session may wait for their turn at once, those at work not counted. One more rejects at once with
   * RESOURCE_EXHAUSTED, before its inputs are copied; one that ends, times out or is aborted makes room. Default: any number.
   *
   * It holds for each session by itself: of `copies`, `replicas` and `devices` each. Runs that wait for the session of their
   * device to be made are counted when it is there. A batcher's runs count as all do: where one is refused, its rows reject
   * with that error, and are not run by themselves. `runSync` does not wait, and is never refused.
   */
  maxPending?: number | undefined;
  /** `'copy'`: outputs of every run in ordinary ArrayBuffers, never in TensorFlow's memory. */
  outputs?: 'copy' | undefined;
}

export const EXECUTION_KEYS = ['executor', 'concurrency', 'maxPending', 'outputs', 'strings'] as const;

/** Throws INVALID_OPTION naming the key. */
export function checkExecution(options: ExecutionOptions): void {
  checkOneOf(options.outputs, ['copy'], 'outputs');
  checkOneOf(options.strings, ['bytes'], 'strings');
  checkExecutor(options.executor);
  checkCount(options.concurrency, 'concurrency');
  checkCount(options.maxPending, 'maxPending');
}

/** Options of `Session.fromGraphDef`. */
export interface GraphOptions
  extends ExecutionOptions,
    PlacementOptions,
    ExtensionOptions,
    GuardOptions,
    Pick<ClusterOptions, 'target' | 'cluster'> {
  /** TensorFlow's ConfigProto, as for `SavedModel.load`. */
  config?: ConfigProtoJson | Uint8Array | undefined;
}

/** What a session is made with; all of it is checked. */
export interface SessionSettings extends ExecutionOptions {
  /** The serialized ConfigProto that was asked for. */
  config: Uint8Array | undefined;
}

/** Options of `session.run`. */
export interface SessionRunOptions extends RunControl {
  /** Ops to run without fetching anything, by name. */
  targets?: readonly string[] | undefined;
  /** `'copy'`: outputs in ordinary ArrayBuffers, never in TensorFlow's memory. */
  outputs?: 'copy' | undefined;
}

/** Options of `session.runSync`: a run that holds the thread can be neither aborted nor timed out. */
export type SessionRunSyncOptions = Omit<SessionRunOptions, 'timeout' | 'signal'>;

export const GRAPH_KEYS = [
  'config',
  'target',
  'cluster',
  ...EXECUTION_KEYS,
  ...PLACEMENT_KEYS,
  ...EXTENSION_KEYS,
  ...GUARD_KEYS,
];
export const SESSION_KEYS = ['targets', 'outputs', ...RUN_CONTROL_KEYS];
export const SYNC_KEYS = SESSION_KEYS.filter((key) => key !== 'timeout' && key !== 'signal');

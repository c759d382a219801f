/** Options of the calls of a model. */
import { BATCHING_KEYS, type BatchingOptions } from './batcher/options.js';
import type { TraceLevel } from './explain.js';
import { invalidOption, readStrings } from './options.js';
import { checkRunDevice } from './placed-graph.js';
import type { PrepareOptions } from './prepared-call.js';
import { RUN_CONTROL_KEYS, type RunControl } from './run.js';
import { show } from './show.js';
import type { OutputNames, SignatureSpecs } from './signature-types.js';

/** Options of `model.run`. */
export interface ModelRunOptions extends RunControl, PrepareOptions {}

/** Options of `model.batcher`. Default of each of the batching: what the model was loaded with, else TensorFlow Serving's. */
export interface BatcherOptions extends BatchingOptions, PrepareOptions {}

/** Options of `model.explain`. */
export type ExplainOptions = Pick<ModelRunOptions, 'signature' | 'outputs' | 'device' | 'timeout' | 'signal'>;

/** Options of `model.trace`. */
export interface TraceOptions extends ExplainOptions {
  /**
   * How much TensorFlow records: `SOFTWARE_TRACE` the kernels, `HARDWARE_TRACE` what a GPU does in its streams, `FULL_TRACE` both.
   * Default: `FULL_TRACE`.
   */
  traceLevel?: TraceLevel | undefined;
  /** Runs before the one that is traced, whose outputs are dropped: TensorFlow prepares a graph in its first run. Default: 0. */
  warmUp?: number | undefined;
}

/** Options of `model.reload`. */
export interface ReloadOptions {
  /** Of a folder with versions in it, the one to load. Default: the highest number, whatever `load` was given. */
  version?: number | string | undefined;
}

/** Options of `model.runSync`. */
export type ModelRunSyncOptions = Omit<ModelRunOptions, 'timeout' | 'signal'>;

export const PREPARE_KEYS = ['signature', 'outputs', 'device', 'executor', 'strings'];
export const BATCHER_KEYS = [...BATCHING_KEYS, ...PREPARE_KEYS];
export const RELOAD_KEYS = ['version'];
export const RUN_KEYS = ['signature', 'outputs', 'device', ...RUN_CONTROL_KEYS];
export const EXPLAIN_KEYS = ['signature', 'outputs', 'device', 'timeout', 'signal'];
export const TRACE_KEYS = [...EXPLAIN_KEYS, 'traceLevel', 'warmUp'];
export const RUN_SYNC_KEYS = RUN_KEYS.filter((key) => key !== 'timeout' && key !== 'signal');

/** Options that name a signature, and outputs of it, of a model whose signatures are known as types. */
export type Of<Options, S extends SignatureSpecs<S>, K extends keyof S, O> = Omit<
  Options,
  'signature' | 'outputs'
> & {
  signature?: (K & string) | undefined;
  outputs?: readonly (O & OutputNames<S, K>)[] | 'copy' | undefined;
};

/**
 * The outputs, each read once: what names a plan is a key of it, and no two things may have the same one. Throws INVALID_OPTION for
 * names that are none.
 */
export function checkNames(
  signature: unknown,
  outputs: PrepareOptions['outputs'],
  device: unknown,
): PrepareOptions['outputs'] {
  if (signature !== undefined && typeof signature !== 'string') {
    throw invalidOption(`signature must be the name of a signature, not ${show(signature)}.`);
  }
  if (device !== undefined && typeof device !== 'string') checkRunDevice(device);
  return outputs === undefined || outputs === 'copy' ? outputs : readStrings(outputs, 'outputs');
}

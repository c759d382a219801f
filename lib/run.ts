/** One run: its options, its time limit and abort, its outputs as tensors. */
import type { Bound } from './bound.js';
import { checkRemoteExecutor } from './cluster/options.js';
import { checkRunOptionsAge, decodeRunOptions, encodeRunOptions, type RunOptionsJson } from './config.js';
import { type DataOf, type DType, dtypeInfo } from './dtype.js';
import { TensorFlowError } from './errors.js';
import { checkCallerAge, checkExecutor, type Executor, withExecutor } from './executor.js';
import { type NativeInputs, type NativeOutputs, RUN_FLAGS } from './native.js';
import { checkOneOf, invalidOption } from './options.js';
import { once } from './remember.js';
import { explainRun, explainRunSync } from './run-errors.js';
import { addon } from './runtime/addon.js';
import { externalBuffersAllowed } from './runtime/external-buffers.js';
import { tensorflow } from './runtime/tensorflow.js';
import { show } from './show.js';
import { copyTensor, Tensor } from './tensor.js';
import { MOST_DIMENSIONS } from './tensor-shape.js';
import { LONGEST_TIMER, limit, tooLate } from './time-limit.js';

/** How outputs come back; given to `load` as the model's default, or to a run. */
export interface OutputOptions {
  /** `'bytes'`: every string as a `Uint8Array`. Default: strings, and `Uint8Array`s for those that are not UTF-8. */
  strings?: 'bytes' | undefined;
}

/** What every kind of run takes. */
export interface RunControl extends OutputOptions {
  /**
   * Milliseconds from the call, above 0, waiting included; then the promise rejects with DEADLINE_EXCEEDED. A run that has
   * not begun never does; one that has may go on behind it, for TensorFlow does not interrupt kernels. Default: none.
   */
  timeout?: number | undefined;
  /** Rejects with `signal.reason`; the same holds. */
  signal?: AbortSignal | undefined;
  /** Which threads execute the ops of this run. Default: as the model was loaded. */
  executor?: Executor | undefined;
  /** TensorFlow's RunOptions, as an object by protobuf's JSON mapping or serialized. */
  runOptions?: RunOptionsJson | Uint8Array | undefined;
  /** Called with the serialized RunMetadata of a run that succeeded (`decodeRunMetadata` reads it), before its promise resolves. */
  onRunMetadata?: ((metadata: Uint8Array) => void) | undefined;
}

export const RUN_CONTROL_KEYS = [
  'strings',
  'timeout',
  'signal',
  'executor',
  'runOptions',
  'onRunMetadata',
] as const;

/** Options of a run that holds the thread, which can be neither aborted nor timed out. */
export type SyncControl = Omit<RunControl, 'timeout' | 'signal'>;

const STRINGS = ['bytes'];

/** Throws INVALID_OPTION for values of the wrong kind. */
export function checkControl(control: RunControl): void {
  const { timeout, signal, onRunMetadata, strings } = control;
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0)) {
    throw invalidOption(`timeout must be a number of milliseconds above 0, not ${show(timeout)}.`);
  }
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw invalidOption('signal must be an AbortSignal.');
  }
  if (onRunMetadata !== undefined && typeof onRunMetadata !== 'function') {
    throw invalidOption('onRunMetadata must be a function.');
  }
  checkOneOf(strings, STRINGS, 'strings');
  checkExecutor(control.executor);
}

const aborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!.get!;

/** Not by instanceof, which other objects may pass: only a real one answers. */
function isAbortSignal(value: unknown): boolean {
  try {
    return typeof aborted.call(value) === 'boolean';
  } catch {
    return false;
  }
}

/** What a run's options come to for the addon. */
interface Settings {
  flags: number;
  runOptions: Uint8Array | undefined;
}

function settingsOf(bound: Bound, control: RunControl, copyOutputs: boolean): Settings {
  const { defaults, link } = bound;
  if (control.executor !== undefined) checkCallerAge(control.executor, tensorflow.version);
  let executor = control.executor ?? defaults.executor;
  // TensorFlow keeps no time limit in the calling thread.
  if (executor === 'auto' && control.timeout !== undefined) executor = 'pool';
  let runOptions = encodeRunOptions(control.runOptions);
  if (runOptions !== undefined) {
    checkRunOptionsAge(runOptions, tensorflow.version);
    ({ runOptions, executor } = withExecutor(runOptions, executor));
  }
  if (link !== undefined) {
    checkRemoteExecutor(control.executor);
    executor = 'pool';
    runOptions = withTimeout(runOptions, control.timeout);
  }
  let flags = 0;
  if (copyOutputs || defaults.copy || !externalBuffersAllowed()) flags |= RUN_FLAGS.copyOutputs;
  if ((control.strings ?? defaults.strings) === 'bytes') flags |= RUN_FLAGS.stringsAsBytes;
  if (control.onRunMetadata !== undefined) flags |= RUN_FLAGS.wantMetadata;
  if (executor === 'caller') flags |= RUN_FLAGS.inCaller;
  if (executor === 'pool') flags |= RUN_FLAGS.inPool;
  return { flags, runOptions };
}

/**
 * Runs on a worker thread. Never throws: whatever is wrong rejects.
 *
 * @param finish what the promise resolves to
 */
export function runCall<R>(
  bound: Bound,
  inputs: readonly Tensor[],
  control: RunControl,
  copyOutputs: boolean,
  finish: (outputs: Tensor[]) => R,
): Promise<R> {
  try {
    checkControl(control);
    const { timeout, signal } = control;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (bound.runs) bound.defaults.checkRoom?.();
    const { flags, runOptions } = settingsOf(bound, control, copyOutputs);
    const isLimited = (timeout !== undefined && timeout <= LONGEST_TIMER) || signal !== undefined;
    const ticket = isLimited ? addon().nextTicket() : undefined;
    const fed = copyFed(bound, inputs);
    if (!bound.runs) return Promise.resolve(finish(arrange([], bound, fed)));
    const borrowed = borrowedOf(inputs);
    const head = takeHead(inputs);
    const started = bound.call.run(toNative(inputs), head, flags, runOptions, ticket);
    giveBack(head);
    if (borrowed.length > 0) {
      const release = () => {
        for (const input of borrowed) input.checkReleased();
      };
      started.then(release, release);
    }
    const running = bound.link === undefined ? started : bound.link.guard(started);
    const result = running.then(
      (outputs) => finish(arrange(wrapOutputs(outputs, bound, control), bound, fed)),
      async (error) => {
        throw await explainRun(error, bound.facts);
      },
    );
    return ticket === undefined ? result : limit(result, control, () => addon().cancelWaiting(ticket));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** TensorFlow's own limit of a run on a cluster comes a little after ours, whose error says more. */
const AFTER_OURS_MS = 100;
/** That of a run that holds this thread. */
const SYNC_MS = 30_000;
const noLimit = once(() => encodeTimeout(LONGEST_TIMER));

/**
 * RunOptions of a run on a cluster. Without a limit of its own it would have that of other requests; with the caller's, the
 * tasks stop as well.
 */
function withTimeout(runOptions: Uint8Array | undefined, timeout: number | undefined): Uint8Array {
  if (runOptions !== undefined && decodeRunOptions(runOptions).timeoutInMs !== 0n) return runOptions;
  const isNone = timeout === undefined || timeout > LONGEST_TIMER;
  const limit = isNone ? noLimit() : encodeTimeout(Math.ceil(timeout) + AFTER_OURS_MS);
  return runOptions === undefined ? limit : Buffer.concat([runOptions, limit]);
}

function encodeTimeout(timeoutInMs: number): Uint8Array {
  return encodeRunOptions({ timeoutInMs })!;
}

/** Runs on this thread, which stands still as long. */
export function runCallSync(
  bound: Bound,
  inputs: readonly Tensor[],
  control: SyncControl,
  copyOutputs: boolean,
): Tensor[] {
  checkControl(control);
  const { link } = bound;
  // Nothing could end the wait for a task that is gone.
  const { flags, runOptions } = settingsOf(
    bound,
    link === undefined ? control : { ...control, timeout: SYNC_MS },
    copyOutputs,
  );
  const fed = copyFed(bound, inputs);
  if (!bound.runs) return arrange([], bound, fed);
  let outputs: NativeOutputs | ArrayBuffer;
  try {
    const head = takeHead(inputs);
    outputs = bound.call.runSync(toNative(inputs), head, flags, runOptions);
    giveBack(head);
  } catch (error) {
    throw explainRunSync(link === undefined ? error : link.explain(error), bound.facts);
  }
  // Not by instanceof: the addon's ArrayBuffer may be that of another context.
  if (!Array.isArray(outputs)) outputs = [bound.loneShape!, outputs];
  else if (bound.types.length === 1) bound.loneShape = outputs[0] as readonly number[];
  for (const input of borrowedOf(inputs)) input.checkReleased();
  return arrange(wrapOutputs(outputs, bound, control), bound, fed);
}

function toNative(inputs: readonly Tensor[]): NativeInputs {
  return inputs.map((input) => input.native);
}

/** Lent to a call while it is being made: a getter among its inputs may make another. */
let spare: Float64Array | undefined;

/** The types and shapes of a call's inputs, which the addon has read when it returns; to be given back then. */
function takeHead(inputs: readonly Tensor[]): Float64Array {
  let head = spare ?? new Float64Array(64);
  spare = undefined;
  let at = 0;
  for (const { dtype, shape } of inputs) {
    if (!Array.isArray(shape) || shape.length > MOST_DIMENSIONS) throw notATensor();
    if (at + 2 + shape.length > head.length) {
      const longer = new Float64Array(2 * (head.length + shape.length));
      longer.set(head);
      head = longer;
    }
    head[at++] = dtypeInfo(dtype).number;
    head[at++] = shape.length;
    for (let i = 0; i < shape.length; i++) {
      const size: unknown = shape[i];
      head[at++] = typeof size === 'number' ? size : Number.NaN; // which the addon refuses
    }
  }
  return head;
}

function notATensor(): TensorFlowError {
  return new TensorFlowError(
    'INVALID_ARGUMENT',
    'The shape of a tensor that was given has been overwritten.',
  );
}

function giveBack(head: Float64Array): void {
  spare = head;
}

const NONE: readonly Tensor[] = [];

/** Those that TensorFlow reads in place, and whose release somebody may wait for. */
function borrowedOf(inputs: readonly Tensor[]): readonly Tensor[] {
  for (const input of inputs) if (input.borrowed) return inputs.filter((each) => each.borrowed);
  return NONE;
}

/** Copies of the inputs that are fetched as well, made at the call as all inputs are. */
function copyFed(bound: Bound, inputs: readonly Tensor[]): readonly Tensor[] {
  if (bound.order === undefined) return NONE;
  return inputs.map((input, i) => (bound.order!.includes(~i) ? copyTensor(input) : input));
}

function arrange(outputs: Tensor[], bound: Bound, fed: readonly Tensor[]): Tensor[] {
  return bound.order?.map((at) => (at >= 0 ? outputs[at]! : fed[~at]!)) ?? outputs;
}

/** The addon gives two entries an output: shape, memory. */
function wrapOutputs(outputs: NativeOutputs, { types }: Bound, control: RunControl): Tensor[] {
  if (control.onRunMetadata !== undefined) control.onRunMetadata(outputs.at(-1) as Uint8Array);
  return types.map(({ name, array }, i) => {
    const data = outputs[2 * i + 1];
    const typed = array === undefined ? data : new array(data as ArrayBuffer);
    return Tensor.wrap(name, outputs[2 * i] as readonly number[], typed as DataOf<DType>);
  });
}

/**
 * What `run` makes of what `getReady` gives, under one time limit and one signal for both: `rest` is what is left of the
 * limit by then. Where the control is wrong or aborted already, nothing is begun.
 */
export function limited<T, R>(
  control: Pick<RunControl, 'timeout' | 'signal'>,
  getReady: () => Promise<T>,
  run: (value: T, rest: { timeout?: number }) => Promise<R>,
): Promise<R> {
  checkControl(control);
  if (control.signal?.aborted) return Promise.reject(control.signal.reason);
  const start = performance.now();
  return limit(getReady(), control, () => {}).then((value) => {
    if (control.timeout === undefined) return run(value, {});
    const left = control.timeout - (performance.now() - start);
    return left > 0 ? run(value, { timeout: left }) : Promise.reject(tooLate(control.timeout));
  });
}

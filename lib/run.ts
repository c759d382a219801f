/** One run: its options, its time limit and abort, its outputs as tensors. */
import { onAbort } from './abort.js';
import type { Bound } from './bound.js';
import { checkRunOptionsAge, encodeRunOptions, type RunOptionsJson } from './config.js';
import { type DataOf, type DType, dtypeInfo, dtypeName } from './dtype.js';
import { TensorFlowError } from './errors.js';
import { explainMissingOp, explainMissingOpSync } from './extensions/missing-op.js';
import type { NativeOutputs, NativeRunOptions, NativeRunResult } from './native.js';
import { checkOneOf, invalidOption } from './options.js';
import { addon } from './runtime/addon.js';
import { externalBuffersAllowed } from './runtime/external-buffers.js';
import { tensorflow } from './runtime/tensorflow.js';
import { copyTensor, Tensor } from './tensor.js';

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
  /** TensorFlow's RunOptions, as an object by protobuf's JSON mapping or serialized. */
  runOptions?: RunOptionsJson | Uint8Array | undefined;
  /** Called with the serialized RunMetadata of a run that succeeded (`decodeRunMetadata` reads it), before its promise resolves. */
  onRunMetadata?: ((metadata: Uint8Array) => void) | undefined;
}

export const RUN_CONTROL_KEYS = ['strings', 'timeout', 'signal', 'runOptions', 'onRunMetadata'] as const;

/** The longest time that a Node timer takes; anything longer is no limit. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Throws INVALID_OPTION for values of the wrong kind. */
function checkControl(control: RunControl): void {
  const { timeout, signal, onRunMetadata, strings } = control;
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0)) {
    throw invalidOption(`timeout must be a number of milliseconds above 0, not ${String(timeout)}.`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidOption('signal must be an AbortSignal.');
  }
  if (onRunMetadata !== undefined && typeof onRunMetadata !== 'function') {
    throw invalidOption('onRunMetadata must be a function.');
  }
  checkOneOf(strings, ['bytes'], 'strings');
}

function nativeOptions(control: RunControl, copyOutputs: boolean): NativeRunOptions {
  const runOptions = encodeRunOptions(control.runOptions);
  if (runOptions !== undefined) checkRunOptionsAge(runOptions, tensorflow.version);
  return {
    runOptions,
    wantMetadata: control.onRunMetadata !== undefined,
    copyOutputs: copyOutputs || !externalBuffersAllowed(),
    stringsAsBytes: control.strings === 'bytes',
  };
}

/** Runs on a worker thread. Never throws: whatever is wrong rejects. */
export function runCall(
  bound: Bound,
  inputs: readonly Tensor[],
  control: RunControl,
  copyOutputs: boolean,
): Promise<Tensor[]> {
  try {
    checkControl(control);
    const { timeout, signal } = control;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const options = nativeOptions(control, copyOutputs);
    const isLimited = (timeout !== undefined && timeout <= LONGEST_TIMER) || signal !== undefined;
    if (isLimited) options.ticket = addon().nextTicket();
    const fed = copyFed(bound, inputs);
    if (!bound.runs) return Promise.resolve(arrange([], bound, fed));
    const result = bound.call.run(
      inputs.map((input) => input.toNative()),
      options,
    );
    const borrowed = inputs.filter((input) => input.borrowed);
    if (borrowed.length > 0) {
      const release = () => {
        for (const input of borrowed) input.checkReleased();
      };
      result.then(release, release);
    }
    const outputs = result.then(
      (response) => arrange(unwrap(response, control), bound, fed),
      async (error) => {
        throw await explainMissingOp(error, bound.readGraph);
      },
    );
    return isLimited ? limit(outputs, control, () => addon().cancelWaiting(options.ticket!)) : outputs;
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Runs on this thread, which stands still as long. */
export function runCallSync(
  bound: Bound,
  inputs: readonly Tensor[],
  control: Pick<RunControl, 'runOptions' | 'onRunMetadata' | 'strings'>,
  copyOutputs: boolean,
): Tensor[] {
  checkControl(control);
  const fed = copyFed(bound, inputs);
  if (!bound.runs) return arrange([], bound, fed);
  const response = runBound(bound, inputs, nativeOptions(control, copyOutputs));
  for (const input of inputs) input.checkReleased();
  return arrange(unwrap(response, control), bound, fed);
}

function runBound(bound: Bound, inputs: readonly Tensor[], options: NativeRunOptions): NativeRunResult {
  try {
    return bound.call.runSync(
      inputs.map((input) => input.toNative()),
      options,
    );
  } catch (error) {
    throw explainMissingOpSync(error);
  }
}

/** Copies of the inputs that are fetched as well, made at the call as all inputs are. */
function copyFed(bound: Bound, inputs: readonly Tensor[]): readonly Tensor[] {
  if (bound.order === undefined) return [];
  return inputs.map((input, i) => (bound.order!.includes(~i) ? copyTensor(input) : input));
}

function arrange(outputs: Tensor[], bound: Bound, fed: readonly Tensor[]): Tensor[] {
  return bound.order?.map((at) => (at >= 0 ? outputs[at]! : fed[~at]!)) ?? outputs;
}

function unwrap(response: NativeRunResult, control: RunControl): Tensor[] {
  if (response.metadata !== undefined) control.onRunMetadata?.(response.metadata);
  return wrapOutputs(response.outputs);
}

/** The addon gives three entries an output: number of the data type, shape, memory. */
function wrapOutputs(outputs: NativeOutputs): Tensor[] {
  const tensors: Tensor[] = [];
  for (let i = 0; i < outputs.length; i += 3) {
    const dtype: DType = dtypeName(outputs[i] as number);
    const data = outputs[i + 2];
    const array = dtypeInfo(dtype).array;
    const typed = array === undefined ? data : new array(data as ArrayBuffer);
    tensors.push(Tensor.wrap(dtype, outputs[i + 1] as number[], typed as DataOf<DType>));
  }
  return tensors;
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

/** TensorFlow's own time limit never interrupts a kernel, so the promise has a timer of ours. */
function limit<T>(
  outputs: Promise<T>,
  control: Pick<RunControl, 'timeout' | 'signal'>,
  withdraw: () => void,
): Promise<T> {
  const { timeout, signal } = control;
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const giveUp = (reason: unknown) => {
      withdraw();
      settle();
      reject(reason);
    };
    const stopListening = signal === undefined ? undefined : onAbort(signal, () => giveUp(signal.reason));
    const settle = () => {
      clearTimeout(timer);
      stopListening?.();
    };
    if (timeout !== undefined && timeout <= LONGEST_TIMER) {
      timer = setTimeout(() => giveUp(tooLate(timeout)), timeout);
    }
    outputs.then(
      (tensors) => {
        settle();
        resolve(tensors);
      },
      (error) => {
        settle();
        reject(error);
      },
    );
  });
}

function tooLate(timeout: number): TensorFlowError {
  return new TensorFlowError(
    'DEADLINE_EXCEEDED',
    `The run did not end within its timeout of ${timeout} ms, waiting for its turn included.`,
  );
}

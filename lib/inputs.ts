/** Checks what a caller gives as an input against what the model says it takes, before TensorFlow sees it. */
import { type DType, dtypeInfo, isDType } from './dtype.js';
import { TensorFlowError } from './errors.js';
import { show } from './show.js';
import { Tensor } from './tensor.js';
import {
  arrayName,
  defaultDType,
  elements,
  isTypedArray,
  makeData,
  type TensorSource,
} from './tensor-encode.js';
import { elementCount } from './tensor-shape.js';

/** What a run takes for one input: a tensor, or values whose meaning the model's signature says. */
export type TensorLike = Tensor | TensorSource;

/** What an input must be. */
export interface InputSpec {
  readonly dtype: DType;
  /** -1 where any size goes; null where any rank does. */
  readonly shape: readonly number[] | null;
}

/** `float32 [-1, 8]`, as messages show it. */
export function formatSpec(dtype: string, shape: readonly number[] | null): string {
  return `${dtype} ${shape === null ? '[of any rank]' : `[${shape.join(', ')}]`}`;
}

/**
 * The tensor to feed. `label` names the input in messages.
 *
 * @throws TensorFlowError INVALID_ARGUMENT where type or shape are not what the model takes
 */
export function toInput(value: TensorLike, spec: InputSpec, label: string): Tensor {
  try {
    return Tensor.is(value) ? checkTensor(value, spec) : fromValues(value, spec);
  } catch (error) {
    if (!(error instanceof TensorFlowError)) throw error;
    const wants = `The ${label} takes ${formatSpec(spec.dtype, spec.shape)}`;
    throw new TensorFlowError(error.code, `${wants}. ${error.message}`, { cause: error });
  }
}

function fail(message: string): never {
  throw new TensorFlowError('INVALID_ARGUMENT', message);
}

/** Whether a tensor of this shape goes where one of the other is wanted. */
export function fits(shape: readonly number[], wanted: readonly number[] | null): boolean {
  return (
    wanted === null ||
    (shape.length === wanted.length && wanted.every((size, i) => size === -1 || size === shape[i]))
  );
}

function checkTensor(tensor: Tensor, spec: InputSpec): Tensor {
  const { dtype, shape } = tensor;
  if (dtype !== spec.dtype || !Array.isArray(shape) || !fits(shape, spec.shape)) {
    fail(`It was given ${formatGiven(dtype, shape)}.`);
  }
  return tensor;
}

/** The fields of a tensor may have been written to. */
function formatGiven(dtype: unknown, shape: unknown): string {
  const isWhole = isDType(dtype) && Array.isArray(shape) && shape.every(Number.isInteger);
  return isWhole ? formatSpec(dtype, shape) : `a tensor of type ${show(dtype)} and shape ${show(shape)}`;
}

function fromValues(value: TensorSource, spec: InputSpec): Tensor {
  if (value === undefined || value === null) fail(`It was given ${value}.`);
  if (isTypedArray(value)) {
    checkStorage(value as ArrayBufferView, spec.dtype);
    const { data } = makeData(value, spec.dtype);
    const count = elements(data, dtypeInfo(spec.dtype));
    return Tensor.from(value, flatShape(count, spec.shape, spec.dtype), spec.dtype);
  }
  const tensor = Tensor.from(value, undefined, spec.dtype);
  if (!fits(tensor.shape, spec.shape)) {
    fail(
      `It was given values of shape [${tensor.shape.join(', ')}]. Nest the arrays to that shape, or give ` +
        'Tensor.from(values, shape).',
    );
  }
  return tensor;
}

/** A typed array is taken for a type that it stores; converting it in silence could lose what it holds. */
function checkStorage(value: ArrayBufferView, dtype: DType): void {
  const { array } = dtypeInfo(dtype);
  const given = defaultDType(value as Uint8Array);
  if (dtype === 'string' ? given === 'uint8' : array === dtypeInfo(given).array) return;
  const name = arrayName(value);
  fail(
    array === undefined
      ? `It was given a ${name}.`
      : `It was given a ${name}, where that type is held by a ${array.name}. Tensor.from(values, shape, ` +
          `'${dtype}') converts.`,
  );
}

/** The shape of a flat array: at most one dimension may be open, and follows from the number of elements. */
function flatShape(count: number, shape: readonly number[] | null, dtype: DType): number[] {
  if (dtype === 'string') return fits([], shape) ? [] : fail('It was given the bytes of one string.');
  if (shape === null) return [count];
  const open = shape.filter((size) => size === -1).length;
  const known = elementCount(shape.filter((size) => size !== -1));
  if (open === 0 && known === count) return [...shape];
  if (open === 1 && known > 0 && count % known === 0) {
    return shape.map((size) => (size === -1 ? count / known : size));
  }
  if (open > 1) {
    return fail(
      `It was given ${count} values in one row, and more than one dimension is open. Say which: ` +
        'Tensor.from(values, shape).',
    );
  }
  return fail(`It was given ${count} values.`);
}

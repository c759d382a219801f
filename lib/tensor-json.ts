/**
 * Tensors as JSON, as the command writes and reads them: `{ dtype, shape, data }`, `data` flat, row-major, decoded.
 *
 * Halves and their like are numbers, bools true and false, complex numbers `[re, im]`. 64-bit integers are numbers
 * where exact, else strings; NaN and infinities the strings `"NaN"`, `"Infinity"`, `"-Infinity"`; strings themselves
 * where UTF-8, else `{ "base64": … }`.
 */
import { type DataOf, type DType, type DTypeInfo, dtypeInfo, isDType, type TensorData } from './dtype.js';
import { TensorFlowError } from './errors.js';
import type { InputSpec } from './inputs.js';
import { show } from './show.js';
import { Tensor } from './tensor.js';
import { encodeValues, flatten, type Nested } from './tensor-encode.js';
import { elementCount } from './tensor-shape.js';

/** A real number in JSON. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** One value of a tensor in JSON. */
export type JsonElement = number | boolean | string | { base64: string } | [re: JsonNumber, im: JsonNumber];

/** A tensor in JSON. */
export interface TensorJson {
  dtype: DType;
  shape: readonly number[];
  data: JsonElement[];
}

/** The tensor's JSON form. Minus zero is the number -0, which `JSON.stringify` writes as 0. */
export function tensorToJson(tensor: Tensor): TensorJson {
  return {
    dtype: tensor.dtype,
    shape: [...tensor.shape],
    data: elementsToJson(tensor.data, dtypeInfo(tensor.dtype)),
  };
}

function elementsToJson(data: TensorData, info: DTypeInfo): JsonElement[] {
  if (Array.isArray(data)) return data.map(stringToJson);
  const { codec } = info;
  if (codec !== undefined) return Array.from(data as Uint8Array, (bits) => toJsonNumber(codec.decode(bits)));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Array.from(data as BigInt64Array, toJsonInteger);
  }
  const numbers = data as Float64Array;
  if (info.width === 2) {
    return Array.from({ length: numbers.length / 2 }, (_, i) => [
      toJsonNumber(numbers[2 * i]!),
      toJsonNumber(numbers[2 * i + 1]!),
    ]);
  }
  if (info.name === 'bool') return Array.from(numbers, (value) => value !== 0);
  return Array.from(numbers, toJsonNumber);
}

function toJsonNumber(value: number): JsonNumber {
  return Number.isFinite(value) ? value : (String(value) as JsonNumber);
}

function toJsonInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function stringToJson(value: string | Uint8Array): string | { base64: string } {
  if (typeof value === 'string') return value;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  }
}

/**
 * The tensor that a JSON value stands for where `spec` is wanted: the form above, or values in nested arrays with the
 * same elements. Shapes are compared with `spec` by whoever runs it.
 *
 * @throws TensorFlowError INVALID_ARGUMENT where an element is none of the data type, arrays are ragged, or the number
 *   of elements is not the shape's
 */
export function valueFromJson(json: unknown, spec: InputSpec): Tensor {
  if (isTensorJson(json)) return fromTensorJson(json, spec);
  const info = dtypeInfo(spec.dtype);
  const depth = info.width === 2 ? (spec.shape?.length ?? complexDepth(json)) : Number.POSITIVE_INFINITY;
  const { values, shape } = flatten(json as Nested, depth, info.name);
  return wrap(values, shape, info);
}

function isTensorJson(json: unknown): json is { dtype?: unknown; shape?: unknown; data: unknown } {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && 'data' in json;
}

function fromTensorJson(json: { dtype?: unknown; shape?: unknown; data: unknown }, spec: InputSpec): Tensor {
  const unknown = Object.keys(json).find((key) => !['dtype', 'shape', 'data'].includes(key));
  if (unknown !== undefined) {
    fail(`A tensor in JSON is { dtype, shape, data }; it has no ${JSON.stringify(unknown)}.`);
  }
  const dtype = json.dtype ?? spec.dtype;
  if (!isDType(dtype)) fail(`There is no data type ${JSON.stringify(dtype)}.`);
  const { shape, data } = json;
  if (shape === undefined) return valueFromJson(data, { dtype, shape: spec.shape });
  if (!Array.isArray(shape)) fail(`The shape ${show(shape)} is no array.`);
  if (!Array.isArray(data)) fail('The data of a tensor with a shape is one flat array.');
  const count = elementCount(shape as number[]);
  if (data.length !== count) {
    fail(`The shape [${shape.join(', ')}] has ${count} elements, the data ${data.length}.`);
  }
  return wrap(data, shape as number[], dtypeInfo(dtype));
}

function wrap(values: readonly unknown[], shape: readonly number[], info: DTypeInfo): Tensor {
  const data = encodeValues(values.map(elementReader(info)), info);
  return Tensor.wrap(info.name, shape, data as DataOf<DType>);
}

/** What `encodeValues` takes, from one element in JSON. Elements it would refuse anyway are passed on. */
function elementReader(info: DTypeInfo): (value: unknown) => unknown {
  if (info.name === 'string') return readString;
  if (info.name === 'bool') return (value) => value;
  if (info.width === 2) {
    return (value) => (Array.isArray(value) ? value.map(readFloat) : readFloat(value));
  }
  if (info.range === undefined) return readFloat;
  return typeof info.range[0] === 'bigint' ? readWideInteger : (value) => value;
}

const NOT_FINITE: Record<string, number> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity };

function readFloat(value: unknown): unknown {
  return typeof value === 'string' && Object.hasOwn(NOT_FINITE, value) ? NOT_FINITE[value] : value;
}

function readWideInteger(value: unknown): unknown {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    fail(`${value} is not exact as a number in JSON: write it as a string, "…".`);
  }
  return value;
}

function readString(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('base64' in value)) return value;
  const { base64 } = value;
  if (
    typeof base64 !== 'string' ||
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(base64)
  ) {
    fail(`${show(base64)} is no base64.`);
  }
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/** How many levels of arrays lie above the complex numbers: the innermost pair of numbers is one value. */
function complexDepth(json: unknown): number {
  let depth = 0;
  for (let level = json; Array.isArray(level) && !isPair(level); level = level[0]) depth++;
  return depth;
}

function isPair(level: readonly unknown[]): boolean {
  return level.length === 2 && level.every((part) => typeof readFloat(part) === 'number');
}

function fail(message: string): never {
  throw new TensorFlowError('INVALID_ARGUMENT', message);
}

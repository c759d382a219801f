/** Tensors in the JSON form of the command and of the fixtures' expected.json. */
import { expect } from 'vitest';
import { type DType, type NumericData, Tensor } from '../../lib/index.js';

export type JsonValue = number | boolean | string | { base64: string } | readonly [JsonValue, JsonValue];

export interface JsonTensor {
  /** `_ref` at the end is TensorFlow 1's reference type of the same. */
  dtype: string;
  shape: number[];
  data: JsonValue[];
  /** The same values' bit patterns, where they are short floats. */
  bits?: number[];
}

const WORDS: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };
const FLOATS = /float|complex/;

export function dtypeOf(json: JsonTensor): DType {
  return json.dtype.replace(/_ref$/, '') as DType;
}

/** What `tensor.data` holds for these values: bits for short floats, pairs in turn, bigints, strings and bytes. */
function flatData(json: JsonTensor): unknown[] {
  if (json.bits) return json.bits;
  const dtype = dtypeOf(json);
  return json.data.flatMap((value): unknown[] => {
    if (Array.isArray(value)) return value.map(toNumber);
    if (typeof value === 'object')
      return [new Uint8Array(Buffer.from((value as { base64: string }).base64, 'base64'))];
    if (dtype === 'string') return [value];
    if (dtype === 'int64' || dtype === 'uint64') return [BigInt(value as string)];
    return [toNumber(value)];
  });
}

function toNumber(value: JsonValue): number {
  return typeof value === 'string' ? (WORDS[value] ?? Number(value)) : Number(value);
}

/** The tensor that the JSON describes. */
export function fromJson(json: JsonTensor): Tensor {
  const dtype = dtypeOf(json);
  const values = flatData(json);
  if (dtype === 'string') return Tensor.from(values as string[], json.shape, dtype);
  const empty = Tensor.from([], [0], dtype).data as NumericData;
  const array = empty.constructor as unknown as { from(values: readonly unknown[]): NumericData };
  return Tensor.from(array.from(values), json.shape, dtype);
}

/** Type, shape and values are those of the JSON: floats within 1e-5, all else and bit patterns exactly. */
export function expectTensor(actual: Tensor, json: JsonTensor, what: string): void {
  expect({ dtype: actual.dtype, shape: actual.shape }, what).toEqual({
    dtype: dtypeOf(json),
    shape: json.shape,
  });
  const wanted = flatData(json);
  const given = Array.from<unknown>(actual.data as ArrayLike<unknown>);
  expect(given.length, `${what}: number of values`).toBe(wanted.length);
  if (json.bits || !FLOATS.test(actual.dtype)) {
    expect(given.map(plain), what).toEqual(wanted);
    return;
  }
  const wrong = given.findIndex((value, i) => !near(value as number, wanted[i] as number));
  expect(wrong, `${what}: index ${wrong} is ${given[wrong]}, not ${wanted[wrong]}`).toBe(-1);
}

/** A view into a larger buffer equals the same bytes elsewhere. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

export function near(value: number, wanted: number): boolean {
  if (Object.is(value, wanted)) return true;
  if (wanted === 0 && value === 0) return false; // -0 for 0
  return Math.abs(value - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted));
}

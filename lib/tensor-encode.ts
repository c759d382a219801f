/**
 * From what JavaScript people write (numbers, nested arrays, typed arrays, strings) to a tensor's flat data, and back
 * to numbers. Pure functions: no TensorFlow needed.
 */
import { types } from 'node:util';
import { type DType, type DTypeInfo, dtypeInfo, type NumericData, type TensorData } from './dtype.js';
import { TensorFlowError } from './errors.js';
import { show } from './show.js';
import { MOST_DIMENSIONS, tooManyDimensions } from './tensor-shape.js';

/** One value of a tensor. Complex numbers are pairs `[re, im]`. */
export type Scalar = number | bigint | boolean | string | Uint8Array;

/** Values in nested arrays, one level a dimension. */
export type Nested = Scalar | readonly Nested[];

/** What a tensor can be made from. */
export type TensorSource = Nested | NumericData | Uint8ClampedArray;

/** The data type that a tensor of these values has, where their type tells. */
export type DTypeOf<T> = T extends { dtype: infer D extends DType }
  ? D
  : T extends Float32Array
    ? 'float32'
    : T extends Float64Array
      ? 'float64'
      : T extends Int32Array
        ? 'int32'
        : T extends BigInt64Array
          ? 'int64'
          : T extends number | readonly number[] | readonly (readonly number[])[]
            ? 'float32'
            : T extends boolean | readonly boolean[]
              ? 'bool'
              : T extends bigint | readonly bigint[]
                ? 'int64'
                : T extends string | readonly string[]
                  ? 'string'
                  : DType;

const DTYPE_OF_ARRAY: Record<string, DType> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Uint16Array: 'uint16',
  Uint32Array: 'uint32',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
};

function fail(message: string): never {
  throw new TensorFlowError('INVALID_ARGUMENT', message);
}

/** True for typed arrays of numbers; not for DataView. */
export function isTypedArray(value: unknown): value is NumericData | Uint8ClampedArray {
  return ArrayBuffer.isView(value) && (value instanceof TypedArray || types.isTypedArray(value));
}

const TypedArray = Object.getPrototypeOf(Uint8Array) as new () => NumericData;
const VIEW = TypedArray.prototype;

/** A property of a typed array as it really is, whatever a subclass or the array itself says. */
function ofView<K extends 'buffer' | 'byteOffset' | 'length'>(key: K, array: ArrayBufferView): Uint8Array[K] {
  return Reflect.get(VIEW, key, array);
}

/** The name of a typed array's class by what it really is, whichever realm or subclass (Buffer) it comes from. */
export function arrayName(array: ArrayBufferView): string {
  return String(Reflect.get(VIEW, Symbol.toStringTag, array));
}

/** True for the bytes of one string. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && arrayName(value) === 'Uint8Array';
}

/** The data type that a value has where nobody says otherwise: numbers are float32, as in TensorFlow.js. */
export function defaultDType(source: TensorSource): DType {
  if (isTypedArray(source)) {
    const name = arrayName(source);
    return DTYPE_OF_ARRAY[name] ?? fail(`A ${name} is no tensor data.`);
  }
  let first: unknown = source;
  // Arrays may hold themselves.
  for (let depth = 0; Array.isArray(first) && first.length > 0; depth++) {
    if (depth === MOST_DIMENSIONS) tooManyDimensions();
    first = first[0];
  }
  if (typeof first === 'string' || isBytes(first)) return 'string';
  if (typeof first === 'boolean') return 'bool';
  if (typeof first === 'bigint') return 'int64';
  return 'float32';
}

/** Flat values of nested arrays, with the shape that the nesting gives. Ragged arrays are an error. */
export function flatten(nested: Nested, depth: number, dtype: DType): { values: Scalar[]; shape: number[] } {
  const shape: number[] = [];
  for (let level: unknown = nested; Array.isArray(level) && shape.length < depth; level = level[0]) {
    const { length } = level;
    if (shape.length === MOST_DIMENSIONS) tooManyDimensions();
    shape.push(length);
    if (length === 0) break;
  }
  const values: Scalar[] = [];
  const walk = (value: Nested, level: number): void => {
    if (level === shape.length) {
      if (Array.isArray(value) && depth === Number.POSITIVE_INFINITY) ragged();
      // At once: an array may consist of billions of holes.
      if (value === undefined) fail(`undefined is no ${dtype}.`);
      values.push(value as Scalar);
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[level]) ragged();
    for (let i = 0; i < shape[level]!; i++) walk((value as readonly Nested[])[i]!, level + 1);
  };
  const ragged = (): never =>
    fail('The nested arrays are ragged: all arrays of one level must have the same length.');
  walk(nested, 0);
  return { values, shape };
}

/** Flat data of a data type from flat values; each is checked to fit. */
export function encodeValues(values: readonly unknown[], info: DTypeInfo): TensorData {
  if (info.name === 'string') return values.map(checkString);
  if (info.array === undefined) return opaque(info.name);
  const data = new info.array(values.length * info.width);
  const encode = encoderOf(info);
  if (info.width === 2) {
    for (let i = 0; i < values.length; i++) {
      const [re, im] = complexParts(values[i]);
      (data as Float64Array).set([re, im], 2 * i);
    }
  } else {
    for (let i = 0; i < values.length; i++) data[i] = encode(values[i]);
  }
  return data;
}

/**
 * Flat data of a data type from a typed array: kept as it is where that is how the type is stored (so a Uint16Array
 * is float16 by its bits, a Float32Array complex64 interleaved), else converted value by value.
 */
export function convertTypedArray(source: NumericData | Uint8ClampedArray, info: DTypeInfo): TensorData {
  if (info.name === 'string') {
    return isBytes(source) ? [checkString(source)] : checkedStrings(source);
  }
  if (info.array === undefined) return opaque(info.name);
  const name = arrayName(source);
  if (name === info.array.name || (name === 'Uint8ClampedArray' && info.array.name === 'Uint8Array')) {
    const data = viewOf(source, info);
    checkRange(data, info);
    return data;
  }
  return encodeValues(listOf(source, ofView('length', source)), info);
}

/** By index: a view of memory that is gone has no iterator. */
function listOf(data: ArrayLike<number | bigint>, length: number): (number | bigint)[] {
  const list: (number | bigint)[] = [];
  for (let i = 0; i < length; i++) list.push(data[i]!);
  return list;
}

/** A typed array of exactly the storage class; shared memory is copied, which the addon could not read safely. */
function viewOf(source: NumericData | Uint8ClampedArray, info: DTypeInfo): NumericData {
  // Nearly always, and fast.
  if (source.constructor === info.array && source.buffer instanceof ArrayBuffer) return source as NumericData;
  const buffer = ofView('buffer', source);
  // In one step: another thread may let it grow.
  if (types.isSharedArrayBuffer(buffer)) return new info.array!(source);
  const length = ofView('length', source);
  // Of a buffer that is gone, or too short by now, there is no view.
  if (length === 0) return new info.array!(0);
  return new info.array!(buffer, ofView('byteOffset', source), length);
}

/** Types that are stored wider than they are: a bool of 2 or an int4 of 100 means nothing to TensorFlow. */
function checkRange(data: NumericData, info: DTypeInfo): void {
  if (info.range === undefined || !NARROW.has(info.name)) return;
  const [low, high] = info.range;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value < low || value > high) fail(`${value} at index ${i} is no ${info.name}: ${low} to ${high}.`);
  }
}

const NARROW: ReadonlySet<DType> = new Set(['bool', 'int4', 'uint4', 'int2', 'uint2']);

/** Numbers of flat data, one an element, complex numbers as they are stored: real and imaginary part in turn. */
export function decodeNumbers(data: TensorData, info: DTypeInfo): number[] {
  if (Array.isArray(data)) return fail(`A tensor of type ${info.name} has no numbers.`);
  const { codec } = info;
  const list = listOf(data, data.length);
  return list.map(codec ? (bits) => codec.decode(bits as number) : Number);
}

function encoderOf(info: DTypeInfo): (value: unknown) => number & bigint {
  const wrong = (value: unknown, why = ''): never => fail(`${show(value)} is no ${info.name}${why}.`);
  const { codec, range } = info;
  const encode = (value: unknown): number | bigint => {
    if (info.name === 'bool') {
      return typeof value === 'boolean' || value === 0 || value === 1 ? Number(value) : wrong(value);
    }
    if (typeof value !== 'number' && typeof value !== 'bigint') return wrong(value);
    if (range === undefined) return codec ? codec.encode(Number(value)) : Number(value);
    if (typeof value === 'number' && !Number.isInteger(value)) return wrong(value, ': not a whole number');
    if (value < range[0] || value > range[1]) return wrong(value, `: it holds ${range[0]} to ${range[1]}`);
    return typeof range[0] === 'bigint' ? BigInt(value) : Number(value);
  };
  return encode as (value: unknown) => number & bigint;
}

function complexParts(value: unknown): [number, number] {
  if (typeof value === 'number') return [value, 0];
  return pairOf(value) ?? fail(`${show(value)} is no complex number: give [re, im].`);
}

function pairOf(value: unknown): [number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const re: unknown = value[0];
  const im: unknown = value[1];
  return typeof re === 'number' && typeof im === 'number' ? [re, im] : undefined;
}

function checkString(value: unknown): string | Uint8Array {
  if (typeof value === 'string') return value;
  if (isBytes(value)) {
    // Shared memory could not be read safely; that of another realm may be shared.
    if (ofView('buffer', value) instanceof ArrayBuffer) return value;
    return ofView('length', value) === 0 ? new Uint8Array(0) : new Uint8Array(value);
  }
  return fail(`${show(value)} is no string: a string tensor takes strings and Uint8Arrays.`);
}

function checkedStrings(source: ArrayBufferView): never {
  return fail(`A ${arrayName(source)} is no string: a string tensor takes strings and Uint8Arrays.`);
}

function opaque(name: DType): never {
  throw new TensorFlowError(
    'UNIMPLEMENTED',
    `A tensor of type ${name} cannot be made outside of TensorFlow: it is a handle that means something inside only.`,
  );
}

/** Flat data of a data type, with the shape that the source itself has. */
export function makeData(source: TensorSource, dtype: DType): { data: TensorData; shape: number[] } {
  const info = dtypeInfo(dtype);
  if (isTypedArray(source)) {
    const data = convertTypedArray(source, info);
    const isBytes = info.name === 'string';
    return { data, shape: isBytes ? [] : [elements(data, info)] };
  }
  const depth = info.width === 2 ? complexDepth(source) : Number.POSITIVE_INFINITY;
  const { values, shape } = flatten(source, depth, dtype);
  return { data: encodeValues(values, info), shape };
}

/** Elements of flat data. */
export function elements(data: TensorData, info: DTypeInfo): number {
  return data.length / info.width;
}

/** How deep the nesting goes to complex numbers: a pair of numbers is one value, not a dimension. */
function complexDepth(source: Nested): number {
  let depth = 0;
  for (let level: unknown = source; Array.isArray(level); level = level[0]) {
    if (depth === MOST_DIMENSIONS) tooManyDimensions();
    if (pairOf(level) !== undefined) return depth;
    depth++;
  }
  return depth;
}

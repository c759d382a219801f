/**
 * The one table of TensorFlow's data types: what each is called, its number in `TF_DataType` (which is also the
 * protobuf enum `DataType`), and the typed array that holds it. `native/dtypes.h` asserts the numbers against
 * TensorFlow's header when the addon is compiled; a test compares the two tables.
 */

import type { Codec } from './dtype-codec.js';
import { bfloat16, float4E2M1, float16, smallFloat } from './dtype-codec.js';
import { TensorFlowError } from './errors.js';
import { show } from './show.js';

/** How one element is stored, hence which typed array `tensor.data` is. */
interface Row {
  number: number;
  /** Constructor of `tensor.data`; absent for strings and for the types that have no host memory of their own. */
  array?: TypedArrayConstructor;
  /** Entries of the typed array per element: 2 for complex numbers, which are stored interleaved. */
  width?: 2;
  /** For types that JavaScript has no number type for: bits to number and back. */
  codec?: Codec;
  /** Smallest and largest value, for integers stored wider than they are. */
  range?: readonly [number, number];
}

const TABLE = {
  float32: { number: 1, array: Float32Array },
  float64: { number: 2, array: Float64Array },
  int32: { number: 3, array: Int32Array },
  uint8: { number: 4, array: Uint8Array },
  int16: { number: 5, array: Int16Array },
  int8: { number: 6, array: Int8Array },
  string: { number: 7 },
  complex64: { number: 8, array: Float32Array, width: 2 },
  int64: { number: 9, array: BigInt64Array },
  bool: { number: 10, array: Uint8Array, range: [0, 1] },
  qint8: { number: 11, array: Int8Array },
  quint8: { number: 12, array: Uint8Array },
  qint32: { number: 13, array: Int32Array },
  bfloat16: { number: 14, array: Uint16Array, codec: bfloat16 },
  qint16: { number: 15, array: Int16Array },
  quint16: { number: 16, array: Uint16Array },
  uint16: { number: 17, array: Uint16Array },
  complex128: { number: 18, array: Float64Array, width: 2 },
  float16: { number: 19, array: Uint16Array, codec: float16 },
  resource: { number: 20 },
  variant: { number: 21 },
  uint32: { number: 22, array: Uint32Array },
  uint64: { number: 23, array: BigUint64Array },
  float8_e5m2: {
    number: 24,
    array: Uint8Array,
    codec: smallFloat({ exponent: 5, mantissa: 2, specials: 'ieee' }),
  },
  float8_e4m3fn: {
    number: 25,
    array: Uint8Array,
    codec: smallFloat({ exponent: 4, mantissa: 3, specials: 'fn' }),
  },
  float8_e4m3fnuz: {
    number: 26,
    array: Uint8Array,
    codec: smallFloat({ exponent: 4, mantissa: 3, specials: 'fnuz' }),
  },
  float8_e4m3b11fnuz: {
    number: 27,
    array: Uint8Array,
    codec: smallFloat({ exponent: 4, mantissa: 3, specials: 'fnuz', bias: 11 }),
  },
  float8_e5m2fnuz: {
    number: 28,
    array: Uint8Array,
    codec: smallFloat({ exponent: 5, mantissa: 2, specials: 'fnuz' }),
  },
  int4: { number: 29, array: Int8Array, range: [-8, 7] },
  uint4: { number: 30, array: Uint8Array, range: [0, 15] },
  int2: { number: 31, array: Int8Array, range: [-2, 1] },
  uint2: { number: 32, array: Uint8Array, range: [0, 3] },
  float4_e2m1fn: { number: 33, array: Uint8Array, codec: float4E2M1 },
} as const satisfies Record<string, Row>;

/** TensorFlow's data types by the names that `tf.dtypes` gives them. */
export type DType = keyof typeof TABLE;

/** The typed arrays that tensors are made of. */
export type NumericData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What `tensor.data` is: a typed array, or for strings an array of them (`Uint8Array` where not UTF-8). */
export type TensorData = NumericData | (string | Uint8Array)[];

/** `tensor.data` of one data type. */
export type DataOf<D extends DType> = D extends DType // of each type that D may be, not of all at once
  ? (typeof TABLE)[D] extends { array: infer A extends TypedArrayConstructor }
    ? InstanceType<A>
    : (string | Uint8Array)[]
  : never;

export interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (length: number): NumericData;
  new (source: ArrayLike<number> | ArrayLike<bigint>): NumericData;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): NumericData;
}

/** A row of the table, with every column filled in. */
export interface DTypeInfo {
  readonly name: DType;
  readonly number: number;
  readonly array: TypedArrayConstructor | undefined;
  /** Entries of the typed array per element. */
  readonly width: 1 | 2;
  /** Bytes of one element; 0 where elements have no fixed size. */
  readonly bytes: number;
  readonly codec: Codec | undefined;
  /** Inclusive limits of an integer type; undefined for floats, complex numbers and strings. */
  readonly range: readonly [number | bigint, number | bigint] | undefined;
}

const INTEGER_LIMITS: Record<string, readonly [number | bigint, number | bigint]> = {
  Int8Array: [-128, 127],
  Uint8Array: [0, 255],
  Int16Array: [-32768, 32767],
  Uint16Array: [0, 65535],
  Int32Array: [-(2 ** 31), 2 ** 31 - 1],
  Uint32Array: [0, 2 ** 32 - 1],
  BigInt64Array: [-(2n ** 63n), 2n ** 63n - 1n],
  BigUint64Array: [0n, 2n ** 64n - 1n],
};

const byName = new Map<string, DTypeInfo>();
const byNumber = new Map<number, DTypeInfo>();
for (const [name, row] of Object.entries(TABLE) as [DType, Row][]) {
  const width = row.width ?? 1;
  const info: DTypeInfo = Object.freeze({
    name,
    number: row.number,
    array: row.array,
    width,
    bytes: row.array ? row.array.BYTES_PER_ELEMENT * width : 0,
    codec: row.codec,
    range: row.codec ? undefined : (row.range ?? INTEGER_LIMITS[row.array?.name ?? '']),
  });
  byName.set(name, info);
  byNumber.set(row.number, info);
}

/** Every data type, in the header's order. */
export const DTYPES: readonly DTypeInfo[] = [...byName.values()];

/** The row of a data type given by name. Throws INVALID_ARGUMENT with the names there are. */
export function dtypeInfo(name: DType): DTypeInfo {
  const info = byName.get(name);
  if (info === undefined) {
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `There is no data type ${show(name)}. There are: ${[...byName.keys()].join(', ')}.`,
    );
  }
  return info;
}

/** True for the name of a data type. */
export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && byName.has(name);
}

/** The row of a data type given by its number; numbers above 100 are TensorFlow 1's reference types of the same. */
export function dtypeByNumber(number: number): DTypeInfo {
  const info = byNumber.get(number > 100 ? number - 100 : number);
  if (info === undefined) {
    throw new TensorFlowError(
      'UNIMPLEMENTED',
      `Data type ${number} is not known to this version of tf-session.`,
    );
  }
  return info;
}

/** Its name. */
export function dtypeName(number: number): DType {
  return dtypeByNumber(number).name;
}

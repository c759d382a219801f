/** From the array in a `.npy` file to the tensor that a signature wants. */
import {
  type DataOf,
  type DType,
  type DTypeInfo,
  dtypeInfo,
  type NumericData,
  type TensorData,
} from '../../dtype.js';
import { TensorFlowError } from '../../errors.js';
import type { InputSpec } from '../../inputs.js';
import { Tensor } from '../../tensor.js';
import { encodeValues } from '../../tensor-encode.js';
import type { NpyArray } from './npy.js';

/** TensorFlow's quantized types are integers by another name. */
const SAME_STORAGE: Partial<Record<DType, DType>> = {
  qint8: 'int8',
  quint8: 'uint8',
  qint16: 'int16',
  quint16: 'uint16',
  qint32: 'int32',
};

/** Stored in one byte each, in its lower bits. */
const NARROW: Partial<Record<DType, { bits: number; isSigned: boolean }>> = {
  int4: { bits: 4, isSigned: true },
  uint4: { bits: 4, isSigned: false },
  int2: { bits: 2, isSigned: true },
  uint2: { bits: 2, isSigned: false },
};

/**
 * The tensor, and what to tell where its values had to be converted. Whole numbers become floats and floats are
 * rounded to shorter ones; floats become integers only where they are whole, and nothing is cut off.
 *
 * @throws TensorFlowError INVALID_ARGUMENT where the values are none of what is wanted
 */
export function tensorFromNpy(npy: NpyArray, spec: InputSpec): { tensor: Tensor; note?: string } {
  const wanted = dtypeInfo(spec.dtype);
  const make = (data: TensorData) => Tensor.wrap(wanted.name, npy.shape, data as DataOf<DType>);
  if (npy.dtype === undefined) return { tensor: make(fromRaw(npy, wanted)) };
  if (npy.dtype === wanted.name || npy.dtype === SAME_STORAGE[wanted.name]) {
    return { tensor: make(checked(npy.data, wanted)) };
  }
  const given = dtypeInfo(npy.dtype);
  if (given.array === undefined || wanted.array === undefined || (given.width === 2 && wanted.width === 1)) {
    throw new TensorFlowError('INVALID_ARGUMENT', `It is an array of ${given.name}, not of ${wanted.name}.`);
  }
  const note = `converted from ${given.name} to ${wanted.name}`;
  return { tensor: make(convert(npy.data as NumericData, given, wanted)), note };
}

/** Bits of a type that only the signature knows. */
function fromRaw(npy: NpyArray, wanted: DTypeInfo): TensorData {
  const bits = npy.data as Uint8Array | Uint16Array;
  if (wanted.array === undefined || wanted.bytes !== bits.BYTES_PER_ELEMENT) {
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `It is an array of ${npy.descr}, elements of ${bits.BYTES_PER_ELEMENT} bytes that the file does not explain, ` +
        `not of ${wanted.name}.`,
    );
  }
  const narrow = NARROW[wanted.name];
  if (narrow === undefined) return new wanted.array(bits.buffer, bits.byteOffset, bits.length);
  const { bits: width, isSigned } = narrow;
  const data = new wanted.array(bits.length) as Int8Array;
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]! & ((1 << width) - 1);
    data[i] = isSigned && value >> (width - 1) === 1 ? value - (1 << width) : value;
  }
  return data;
}

/** NumPy reads any byte but 0 as true. */
function checked(data: TensorData, wanted: DTypeInfo): TensorData {
  if (wanted.name !== 'bool') return data;
  return (data as Uint8Array).map((value) => (value === 0 ? 0 : 1));
}

function convert(data: NumericData, given: DTypeInfo, wanted: DTypeInfo): TensorData {
  const { codec } = given;
  if (given.width === 2) {
    const parts = data as Float64Array;
    return wanted.name === 'complex64' ? new Float32Array(parts) : new Float64Array(parts);
  }
  const isPlain = codec === undefined && given.range === undefined;
  if (isPlain && wanted.name === 'float32') return new Float32Array(data as Float64Array);
  if (isPlain && wanted.name === 'float64') return new Float64Array(data as Float32Array);
  const values: unknown[] =
    codec === undefined
      ? Array.from(data as ArrayLike<unknown>)
      : Array.from(data as Uint16Array, (bits) => codec.decode(bits));
  return encodeValues(values, wanted);
}

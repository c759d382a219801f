/** A TensorProto as a tensor. */
import { fromBinary } from '@bufbuild/protobuf';
import { type DataOf, type DType, type DTypeInfo, dtypeByNumber, type NumericData } from '../dtype.js';
import { TensorFlowError } from '../errors.js';
import { type TensorProto, TensorProtoSchema } from '../proto/tensorflow/core/framework/tensor_pb.js';
import { Tensor } from '../tensor.js';
import { elementCount } from '../tensor-shape.js';

/**
 * The tensor that a serialized TensorProto holds: its bytes in one piece, or values one by one, where the last one stands for all
 * that are left out.
 *
 * @throws TensorFlowError INVALID_ARGUMENT where values and shape do not agree, or the shape is open; UNIMPLEMENTED for handles
 */
export function tensorOf(bytes: Uint8Array): Tensor {
  const proto = fromBinary(TensorProtoSchema, bytes);
  const info = dtypeByNumber(proto.dtype);
  const shape = (proto.tensorShape?.dim ?? []).map(({ size }) => Number(size));
  if (proto.tensorShape?.unknownRank || shape.some((size) => size < 0)) fail('its shape is open');
  const count = elementCount(shape);
  const data = info.name === 'string' ? stringsOf(proto, count) : numbersOf(proto, count, info);
  return Tensor.wrap(info.name, shape, data as DataOf<DType>);
}

function stringsOf({ stringVal, tensorContent }: TensorProto, count: number): Uint8Array[] {
  if (tensorContent.length > 0) {
    throw new TensorFlowError('UNIMPLEMENTED', 'A TensorProto with strings in one piece is not read here.');
  }
  const last = stringVal.at(-1) ?? new Uint8Array();
  if (stringVal.length > count) fail(`it has ${stringVal.length} values for ${count} elements`);
  return Array.from({ length: count }, (_, i) => stringVal[i] ?? last);
}

function numbersOf(proto: TensorProto, count: number, { name, array, width, bytes }: DTypeInfo): NumericData {
  if (array === undefined) {
    throw new TensorFlowError(
      'UNIMPLEMENTED',
      `A tensor of type ${name} cannot be made from its TensorProto.`,
    );
  }
  const content = proto.tensorContent;
  if (content.length > 0) {
    if (content.length !== count * bytes) fail(`it has ${content.length} bytes for ${count} elements`);
    // In memory of its own, where it is aligned.
    return new array(new Uint8Array(content).buffer);
  }
  const values = valuesOf(proto, name);
  const length = count * width;
  if (values.length > length || values.length % width !== 0) {
    fail(`it has ${values.length / width} values for ${count} elements`);
  }
  const data = new array(length);
  for (let i = 0; i < length; i++) {
    // Where there are none at all, the elements are zeros.
    const value = values[i < values.length ? i : values.length - width + (i % width)];
    if (value !== undefined) (data as { [at: number]: number | bigint })[i] = value;
  }
  return data;
}

/** The list that values of the type stand in: halves and their like as bits, complex numbers as pairs. */
function valuesOf(proto: TensorProto, type: DType): ArrayLike<number | bigint> {
  switch (type) {
    case 'float32':
      return proto.floatVal;
    case 'float64':
      return proto.doubleVal;
    case 'complex64':
      return proto.scomplexVal;
    case 'complex128':
      return proto.dcomplexVal;
    case 'float16':
    case 'bfloat16':
      return proto.halfVal;
    case 'int64':
      return proto.int64Val;
    case 'uint32':
      return proto.uint32Val;
    case 'uint64':
      return proto.uint64Val;
    case 'bool':
      return proto.boolVal.map(Number);
    default:
      // Those of 8 bits and of 4.
      return /^float[84]_/.test(type) ? proto.float8Val : proto.intVal;
  }
}

function fail(why: string): never {
  throw new TensorFlowError('INVALID_ARGUMENT', `A TensorProto is no tensor: ${why}.`);
}

/**
 * The signatures of a MetaGraph as users see them: names of inputs and outputs, and the tensors behind them.
 */

import { type DType, dtypeName } from '../dtype.js';
import { didYouMean, TensorFlowError } from '../errors.js';
import type { TensorShapeProto } from '../proto/tensorflow/core/framework/tensor_shape_pb.js';
import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import type {
  MetaGraphDef,
  TensorInfo as TensorInfoProto,
} from '../proto/tensorflow/core/protobuf/meta_graph_pb.js';

/** One input or output of a signature. */
export interface TensorInfo {
  /** The tensor in the graph, `op:index`. */
  readonly name: string;
  readonly dtype: DType;
  /** One number a dimension, -1 where any size goes; null where even the number of dimensions is open. */
  readonly shape: readonly number[] | null;
}

/** What a model can be asked for: inputs and outputs by the names that its author gave them. */
export interface Signature {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputs: Readonly<Record<string, TensorInfo>>;
  /** `tensorflow/serving/predict` and the like; empty where the author gave none. */
  readonly methodName: string;
}

/** Signatures by name. Objects of this kind have no prototype: any name goes, `constructor` too. */
export type Signatures = Readonly<Record<string, Signature>>;

/** TensorFlow keeps its initialisation and training ops in the same map; they are no signatures to call. */
const INTERNAL = new Set(['__saved_model_init_op', '__saved_model_train_op']);

/**
 * The signatures that a user may run, in the order of their names.
 *
 * A sparse tensor `x` stands for three dense ones: `x/indices`, `x/values` and `x/dense_shape`; the parts of another
 * composite tensor (a ragged one, say) are `x/0`, `x/1` and so on.
 *
 * @throws TensorFlowError UNIMPLEMENTED naming signature and key, where a data type is newer than this library
 */
export function signaturesOf(metaGraph: MetaGraphDef): Signatures {
  const signatures = record<Signature>();
  for (const name of Object.keys(metaGraph.signatureDef).sort()) {
    if (INTERNAL.has(name)) continue;
    const definition = metaGraph.signatureDef[name]!;
    signatures[name] = {
      inputs: tensors(definition.inputs, `input of signature ${JSON.stringify(name)}`),
      outputs: tensors(definition.outputs, `output of signature ${JSON.stringify(name)}`),
      methodName: definition.methodName,
    };
  }
  return signatures;
}

/**
 * The name of the signature that is meant where none is named: `serving_default`, else the only one.
 *
 * @throws TensorFlowError INVALID_ARGUMENT listing the names, where there is more than one or none
 */
export function defaultSignature(signatures: Signatures): string {
  const names = Object.keys(signatures);
  if (names.includes('serving_default')) return 'serving_default';
  if (names.length === 1) return names[0]!;
  throw new TensorFlowError(
    'INVALID_ARGUMENT',
    names.length === 0
      ? 'The model has no signatures. Run it by the names of its tensors: model.session.run([outputs], { inputs }).'
      : `The model has no signature serving_default. Name one of: ${names.join(', ')}.`,
  );
}

/**
 * The signature of this name, without a name the default one, with its name.
 *
 * @throws TensorFlowError INVALID_ARGUMENT listing the names there are
 */
export function findSignature(
  signatures: Signatures,
  name = defaultSignature(signatures),
): readonly [name: string, signature: Signature] {
  if (Object.hasOwn(signatures, name)) return [name, signatures[name]!];
  const names = Object.keys(signatures);
  throw new TensorFlowError(
    'INVALID_ARGUMENT',
    `The model has no signature ${JSON.stringify(name)}.${didYouMean(name, names)}` +
      ` It has ${names.length === 0 ? 'none' : names.join(', ')}.`,
  );
}

function tensors(infos: Record<string, TensorInfoProto>, of: string): Record<string, TensorInfo> {
  const found = record<TensorInfo>();
  for (const key of Object.keys(infos).sort()) {
    for (const [part, info] of parts(key, infos[key]!, of)) {
      if (!Object.hasOwn(infos, part) || part === key) found[part] = info;
    }
  }
  return found;
}

/** The dense tensors that an input or output consists of: nearly always itself. */
function* parts(key: string, info: TensorInfoProto, of: string): Generator<[string, TensorInfo]> {
  const { encoding } = info;
  const at = `${JSON.stringify(key)}, ${of}`;
  switch (encoding.case) {
    case 'cooSparse': {
      const rank = shapeOf(info.tensorShape)?.length ?? -1;
      const { indicesTensorName, valuesTensorName, denseShapeTensorName } = encoding.value;
      yield [`${key}/indices`, tensor(indicesTensorName, DataType.DT_INT64, [-1, rank], at)];
      yield [`${key}/values`, tensor(valuesTensorName, info.dtype, [-1], at)];
      yield [`${key}/dense_shape`, tensor(denseShapeTensorName, DataType.DT_INT64, [rank], at)];
      break;
    }
    case 'compositeTensor':
      for (const [i, component] of encoding.value.components.entries()) {
        yield* parts(`${key}/${i}`, component, of);
      }
      break;
    default:
      yield [key, tensor(encoding.value ?? '', info.dtype, shapeOf(info.tensorShape), at)];
  }
}

function tensor(name: string, dtype: number, shape: number[] | null, at: string): TensorInfo {
  try {
    return { name, dtype: dtypeName(dtype), shape };
  } catch (error) {
    if (!(error instanceof TensorFlowError)) throw error;
    throw new TensorFlowError(error.code, `${at}: ${error.message}`, { cause: error });
  }
}

function shapeOf(shape: TensorShapeProto | undefined): number[] | null {
  if (shape === undefined || shape.unknownRank) return null;
  return shape.dim.map((dimension) => Number(dimension.size));
}

/** A map as an object that has no inherited keys; `__proto__` is a key like any other in it. */
function record<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

/** Values of constants: tensors, or what lies in a checkpoint and is not read before the graph is made. */

import { toBinary } from '@bufbuild/protobuf';
import { type DType, dtypeInfo } from '../dtype.js';
import type { NativeCheckpointPart, NativeNewNode } from '../native.js';
import { type NodeDef, NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import { Tensor } from '../tensor.js';

/** A tensor in a data file of a checkpoint. */
export interface SavedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly part: NativeCheckpointPart;
}

export type Value = Tensor | SavedTensor;

/** A node for the addon; `factors` multiply its value along its last dimensions. */
export function newNode(def: NodeDef, value?: Value, factors?: Float64Array): NativeNewNode {
  const bytes = toBinary(NodeDefSchema, def);
  if (value === undefined) return [bytes, null, null, null];
  const type = [dtypeInfo(value.dtype).number, ...value.shape];
  return [bytes, value instanceof Tensor ? bytesOf(value) : value.part, type, factors ?? null];
}

function bytesOf({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

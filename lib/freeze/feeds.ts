/**
 * What the graph declares of its inputs' shapes, made to hold.
 *
 * TensorFlow fuses an addition into the convolution or matrix product before it where it knows that both sides have one
 * shape, as at each end of a residual block. But a feed may have any shape, whatever its Placeholder says, so that behind
 * one it knows none. Behind an EnsureShape, which refuses others at run time, it does.
 */
import { create } from '@bufbuild/protobuf';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import { NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import type { Edits } from './edits.js';

const CONTRACTION = /^(Conv2D|Conv3D|DepthwiseConv2dNative|MatMul|BatchMatMulV2)$/;

/** @param isFed whether users feed the op */
export function ensureShapes(
  graph: ModelGraph,
  edits: Edits,
  isUsed: (node: number) => boolean,
  isFed: (node: ModelNode) => boolean,
): void {
  if (!graph.nodes.some(({ type, index }) => CONTRACTION.test(type) && isUsed(index))) return;
  for (const node of graph.main.values()) {
    if (node.type !== 'Placeholder' || !isUsed(node.index) || !isFed(node)) continue;
    const { dtype, shape } = node.def.attr;
    const isKnown = shape?.value.case === 'shape' && shape.value.value.dim.some(({ size }) => size >= 0);
    if (dtype === undefined || !isKnown) continue;
    edits.addAfter(
      node,
      create(NodeDefSchema, {
        name: `${node.name}/ensured_shape`,
        op: 'EnsureShape',
        input: [node.name],
        device: node.def.device,
        attr: { T: dtype, shape },
      }),
    );
  }
}

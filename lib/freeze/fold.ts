/**
 * Batch normalization into the filter before it. TensorFlow does so itself for ordinary convolutions alone, and copies all
 * weights several times over; for depthwise ones, half of a MobileNet, it leaves a multiplication and an addition a layer.
 *
 * What is left of a normalization is a BiasAdd under its name, which TensorFlow fuses with the convolution.
 */
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import type { Slices } from '../placement/slices.js';
import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import { Tensor } from '../tensor.js';
import { type Edits, outputName } from './edits.js';

const NORMALIZATION = /^FusedBatchNorm(V[23])?$/;

/** Returns how many were folded. */
export async function foldBatchNorms(
  graph: ModelGraph,
  edits: Edits,
  isKept: (node: ModelNode) => boolean,
  slices: Slices,
): Promise<number> {
  let folded = 0;
  for (const node of graph.nodes) {
    if (!NORMALIZATION.test(node.type)) continue;
    if (await fold(graph, edits, node, isKept, slices)) folded++;
  }
  return folded;
}

async function fold(
  graph: ModelGraph,
  edits: Edits,
  norm: ModelNode,
  isKept: (node: ModelNode) => boolean,
  slices: Slices,
): Promise<boolean> {
  if (isSet(norm, 'is_training', true) || edits.isReturned(norm) || !takesOnly(edits, norm, 'y'))
    return false;
  const [source, ...rest] = graph.inputs(norm);
  const weights = rest.map(({ node, output }) =>
    node === undefined || output !== 0 ? undefined : floats(edits, node, norm),
  );
  const [scale, offset, mean, variance] = weights;
  if (!scale || !offset || !mean || !variance || source?.node === undefined) return false;
  let conv = source.node;
  let bias: ModelNode | undefined;
  if (conv.type === 'BiasAdd' && isBetween(edits, conv, norm, isKept)) {
    const [before, added] = graph.inputs(conv);
    if (before?.node === undefined || added?.node === undefined) return false;
    bias = added.node;
    if (floats(edits, bias, conv) === undefined) return false;
    const last = conv;
    conv = before.node;
    if (!isBetween(edits, conv, last, isKept)) return false;
  } else if (!isBetween(edits, conv, norm, isKept)) {
    return false;
  }
  const isDepthwise = conv.type === 'DepthwiseConv2dNative';
  if (!isDepthwise && conv.type !== 'Conv2D') return false;
  if (format(conv) !== format(norm) || conv.def.attr.T?.value.value !== DataType.DT_FLOAT) return false;
  const filterNode = graph.inputs(conv)[1]?.node;
  const filter = filterNode && floats(edits, filterNode, conv);
  if (filterNode === undefined || filter === undefined || filter.shape.length !== 4) return false;
  const channels = isDepthwise ? filter.shape[2]! * filter.shape[3]! : filter.shape[3]!;
  const all = [scale, offset, mean, variance].map(({ data }) => data as Float32Array);
  if (all.some(({ length }) => length !== channels)) return false;

  const [scales, offsets, means, variances] = all as [Float32Array, Float32Array, Float32Array, Float32Array];
  const biases = bias === undefined ? undefined : (edits.constant(bias)!.data as Float32Array);
  const epsilon = number(norm, 'epsilon') ?? 0.0001;
  const factors = Float64Array.from(scales, (value, i) => value / Math.sqrt(variances[i]! + epsilon));
  const added = Float32Array.from(
    offsets,
    (value, i) => value + ((biases?.[i] ?? 0) - means[i]!) * factors[i]!,
  );
  // In place where nobody else has the value: a second copy of all filters would wait for the garbage collector.
  const old = filter.data as Float32Array<ArrayBuffer>;
  const made = edits.ownsValue(filterNode) ? old : new Float32Array(old.length);
  await multiply(old, factors, made, slices);
  edits.setConstant(filterNode, Tensor.wrap('float32', filter.shape, made));
  edits.setConstant(rest[1]!.node!, Tensor.wrap('float32', [channels], added));

  const def = edits.change(norm);
  const { T, data_format } = norm.def.attr;
  def.op = 'BiasAdd';
  def.input = [
    outputName(conv, 'output'),
    outputName(rest[1]!.node!, 'output'),
    ...def.input.filter((input) => input.startsWith('^')),
  ];
  def.attr = { T: T!, ...(data_format === undefined ? {} : { data_format }) };
  edits.renameOutput(norm, 'y', 'output');
  return true;
}

/** The filter times a factor each channel, which is its last dimension, or its last two. */
async function multiply(
  filter: Float32Array,
  factors: Float64Array,
  made: Float32Array,
  slices: Slices,
): Promise<void> {
  const channels = factors.length;
  for (let at = 0; at < filter.length; at += channels) {
    if (slices.isOver(at / channels)) await slices.next();
    for (let i = 0; i < channels; i++) made[at + i] = filter[at + i]! * factors[i]!;
  }
}

/** The constant that a node has become, where nobody but `user` takes it. */
function floats(edits: Edits, node: ModelNode, user: ModelNode): Tensor | undefined {
  const value = edits.constant(node);
  const users = edits.usersOf(node);
  return value?.dtype === 'float32' && users.length === 1 && users[0] === user ? value : undefined;
}

/** Whether nobody but `next` takes what the node computes, on the same device. */
function isBetween(
  edits: Edits,
  node: ModelNode,
  next: ModelNode,
  isKept: (node: ModelNode) => boolean,
): boolean {
  const users = edits.usersOf(node);
  return (
    users.length === 1 &&
    users[0] === next &&
    !edits.isReturned(node) &&
    !isKept(node) &&
    node.function === next.function &&
    node.def.device === next.def.device
  );
}

/** Whether all who take anything of the node take this output. */
function takesOnly(edits: Edits, node: ModelNode, output: string): boolean {
  const own = node.function === '' ? [node.name, `${node.name}:0`] : [outputName(node, output)];
  return edits
    .usersOf(node)
    .every((user) =>
      edits.look(user).input.every((input) => input.split(':', 1)[0] !== node.name || own.includes(input)),
    );
}

function isSet({ def }: ModelNode, name: string, byDefault: boolean): boolean {
  const value = def.attr[name]?.value;
  return value?.case === 'b' ? value.value : byDefault;
}

function number({ def }: ModelNode, name: string): number | undefined {
  const value = def.attr[name]?.value;
  return value?.case === 'f' ? value.value : undefined;
}

function format({ def }: ModelNode): string {
  const value = def.attr.data_format?.value;
  return value?.case === 's' ? new TextDecoder().decode(value.value) : 'NHWC';
}

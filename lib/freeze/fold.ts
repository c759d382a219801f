/**
 * What multiplies and adds by channel after a convolution or a matrix product, into its filter and a bias.
 *
 * That is what is left of a batch normalization, whether it is one op or the several that Keras 3 makes of it. TensorFlow
 * folds some of it itself, for ordinary convolutions alone, and copies all weights several times over; for depthwise ones,
 * half of a MobileNet, it leaves a multiplication and an addition a layer. What this leaves is a BiasAdd, which TensorFlow
 * fuses with the op before and the activation after it.
 */
import { textAttribute, typeAttribute } from '../placement/attributes.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import type { Slices } from '../placement/slices.js';
import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import { type Edits, outputName } from './edits.js';
import { type Vector, Vectors } from './vectors.js';

/** The output's name of each op that may stand in the chain. */
const OUTPUTS: Record<string, string> = {
  ...{ Mul: 'z', RealDiv: 'z', Add: 'z', AddV2: 'z', Sub: 'z', BiasAdd: 'output' },
  ...{ FusedBatchNorm: 'y', FusedBatchNormV2: 'y', FusedBatchNormV3: 'y' },
};

/** y = factors * x + added, by channel. */
interface Affine {
  factors: Float64Array;
  added: Float64Array;
}

/** Where the channels are in an op's output. */
interface Layout {
  channels: number;
  rank: number;
  /** Dimensions after that of the channels. */
  after: number;
}

export async function foldIntoFilters(
  nodes: Iterable<ModelNode>,
  graph: ModelGraph,
  edits: Edits,
  isKept: (node: ModelNode) => boolean,
  slices: Slices,
): Promise<void> {
  const fold = new Fold(graph, edits, isKept);
  for (const node of nodes) {
    if (slices.isOver(node.index)) await slices.next();
    fold.into(node);
  }
}

class Fold {
  readonly #graph: ModelGraph;
  readonly #edits: Edits;
  readonly #isKept: (node: ModelNode) => boolean;
  readonly #vectors: Vectors;

  constructor(graph: ModelGraph, edits: Edits, isKept: (node: ModelNode) => boolean) {
    this.#graph = graph;
    this.#edits = edits;
    this.#isKept = isKept;
    this.#vectors = new Vectors(graph, edits);
  }

  /** Folds what comes after the op into it, as far as that goes. */
  into(op: ModelNode): void {
    const filter = this.#filterOf(op);
    const layout = filter && layoutOf(op, this.#edits.constant(filter)!.shape);
    if (layout === undefined) return;
    const { channels } = layout;
    const total: Affine = { factors: new Float64Array(channels).fill(1), added: new Float64Array(channels) };
    let last = op;
    for (let next = this.#next(last); next !== undefined; next = this.#next(last)) {
      const step = this.#step(next, last, layout);
      if (step === undefined) break;
      for (let i = 0; i < channels; i++) {
        total.factors[i]! *= step.factors[i]!;
        total.added[i] = total.added[i]! * step.factors[i]! + step.added[i]!;
      }
      last = next;
    }
    // A BiasAdd right after it is as it should be.
    if (last === op || (last.type === 'BiasAdd' && this.#next(op) === last)) return;
    if (total.factors.some((factor) => factor !== 1)) this.#edits.scale(filter!, total.factors);
    this.#makeBiasAdd(last, op, Float32Array.from(total.added));
  }

  /** The constant that only this op multiplies by. */
  #filterOf(op: ModelNode): ModelNode | undefined {
    if (
      !/^(Conv2D|DepthwiseConv2dNative|MatMul)$/.test(op.type) ||
      typeAttribute(op.def, 'T') !== DataType.DT_FLOAT
    )
      return undefined;
    const source = this.#graph.inputs(op)[1];
    const filter = source?.output === 0 ? source.node : undefined;
    const isOwn = filter !== undefined && this.#edits.usersOf(filter).every((user) => user === op);
    return isOwn && this.#edits.constant(filter) !== undefined ? filter : undefined;
  }

  /** The one op that takes what `node` computes, where nobody else asks for it. */
  #next(node: ModelNode): ModelNode | undefined {
    const users = this.#edits.usersOf(node);
    const user = users.length === 1 ? users[0]! : undefined;
    if (user === undefined || !(user.type in OUTPUTS) || this.#edits.isReturned(node) || this.#isKept(node))
      return undefined;
    const isBeside = user.def.device === node.def.device;
    return isBeside && this.#graph.controlInputs(node).length === 0 && !this.#edits.isReturned(user)
      ? user
      : undefined;
  }

  /** What `node` does to what comes from `from`. */
  #step(node: ModelNode, from: ModelNode, layout: Layout): Affine | undefined {
    if (typeAttribute(node.def, 'T') !== DataType.DT_FLOAT) return undefined;
    const inputs = this.#graph.inputs(node);
    const at = inputs.findIndex((source) => source.node === from && source.output === 0);
    if (at === -1 || inputs.filter((source) => source.node === from).length > 1) return undefined;
    if (node.type.startsWith('FusedBatchNorm'))
      return at === 0 ? this.#normalization(node, layout) : undefined;
    const other = this.#vectors.of(inputs[1 - at]!);
    const by = other && perChannel(other, layout, node);
    return by && affineOf(node.type, by, at === 0);
  }

  #normalization(node: ModelNode, layout: Layout): Affine | undefined {
    const { attr } = node.def;
    if (attr.is_training?.value.value !== false || !this.#takesOnlyFirst(node)) return undefined;
    if (format(node) !== (layout.after === 0 ? 'NHWC' : 'NCHW')) return undefined;
    const vectors = this.#graph
      .inputs(node)
      .slice(1, 5)
      .map((source) => this.#vectors.of(source)?.values);
    if (vectors.some((vector) => vector?.length !== layout.channels)) return undefined;
    const [scale, offset, mean, variance] = vectors as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const epsilon = attr.epsilon?.value.case === 'f' ? attr.epsilon.value.value : 0.0001;
    const factors = scale.map((value, i) => value / Math.sqrt(variance[i]! + epsilon));
    return { factors, added: offset.map((value, i) => value - mean[i]! * factors[i]!) };
  }

  /** Whether nobody takes the statistics. */
  #takesOnlyFirst(node: ModelNode): boolean {
    const own = node.function === '' ? [node.name, `${node.name}:0`] : [`${node.name}:y:0`];
    const taken = this.#edits.usersOf(node).flatMap((user) => this.#edits.look(user).input);
    return taken.every((input) => input.split(':', 1)[0] !== node.name || own.includes(input));
  }

  #makeBiasAdd(node: ModelNode, op: ModelNode, bias: Float32Array<ArrayBuffer>): void {
    const added = this.#edits.addConstant(node, 'bias', {
      dtype: 'float32',
      shape: [bias.length],
      data: bias,
    });
    const def = this.#edits.change(node);
    def.op = 'BiasAdd';
    def.input = [
      outputName(op, op.type === 'MatMul' ? 'product' : 'output'),
      added,
      ...def.input.filter((input) => input.startsWith('^')),
    ];
    const { T, data_format } = op.def.attr;
    def.attr = { T: T!, ...(data_format === undefined ? {} : { data_format }) };
    this.#edits.renameOutput(node, OUTPUTS[node.type]!, 'output');
  }
}

/** Undefined for a filter whose last dimensions are not the channels. */
function layoutOf(op: ModelNode, shape: readonly number[]): Layout | undefined {
  if (op.type === 'MatMul') {
    const isPlain = shape.length === 2 && op.def.attr.transpose_b?.value.value !== true;
    return isPlain ? { channels: shape[1]!, rank: 2, after: 0 } : undefined;
  }
  if (shape.length !== 4) return undefined;
  const channels = op.type === 'Conv2D' ? shape[3]! : shape[2]! * shape[3]!;
  const order = format(op);
  if (order !== 'NHWC' && order !== 'NCHW') return undefined;
  return { channels, rank: 4, after: order === 'NHWC' ? 0 : 2 };
}

/** One number for each channel; undefined for what is broadcast in another way. */
function perChannel(
  { shape, values }: Vector,
  { channels, rank, after }: Layout,
  node: ModelNode,
): Float64Array | undefined {
  if (shape.length > rank) return undefined;
  if (node.type === 'BiasAdd') {
    const isHere = format(node) === (after === 0 ? 'NHWC' : 'NCHW') && values.length === channels;
    return isHere ? values : undefined;
  }
  if (values.length === 1) return new Float64Array(channels).fill(values[0]!);
  const at = shape.length - 1 - after;
  return values.length === channels && shape[at] === channels ? values : undefined;
}

/** @param isFirst Whether what comes from the op before is the first operand. */
function affineOf(type: string, by: Float64Array, isFirst: boolean): Affine | undefined {
  const none = new Float64Array(by.length);
  const ones = new Float64Array(by.length).fill(1);
  switch (type) {
    case 'Mul':
      return { factors: by, added: none };
    case 'RealDiv':
      return isFirst ? { factors: by.map((value) => 1 / value), added: none } : undefined;
    case 'Sub':
      return isFirst
        ? { factors: ones, added: by.map((value) => -value) }
        : { factors: ones.fill(-1), added: by };
    case 'BiasAdd':
      return isFirst ? { factors: ones, added: by } : undefined;
    default:
      return { factors: ones, added: by };
  }
}

function format({ def }: ModelNode): string {
  return textAttribute(def, 'data_format') ?? 'NHWC';
}

/** Small float32 values that a graph computes of constants alone: what a normalization multiplies by and adds. */
import { typeAttribute } from '../placement/attributes.js';
import type { ModelGraph, ModelNode, Source } from '../placement/model-graph.js';
import type { TensorProto } from '../proto/tensorflow/core/framework/tensor_pb.js';
import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import type { Edits } from './edits.js';
import { SMALL } from './value.js';

export interface Vector {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Ops between a constant and its use. */
const DEPTH = 16;

const UNARY: Record<string, (x: number) => number> = {
  Identity: (x) => x,
  Reshape: (x) => x,
  Squeeze: (x) => x,
  Neg: (x) => -x,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Sqrt: Math.sqrt,
  Square: (x) => x * x,
};

const BINARY: Record<string, (x: number, y: number) => number> = {
  Add: (x, y) => x + y,
  AddV2: (x, y) => x + y,
  Sub: (x, y) => x - y,
  Mul: (x, y) => x * y,
  RealDiv: (x, y) => x / y,
};

export class Vectors {
  readonly #graph: ModelGraph;
  readonly #edits: Edits;
  readonly #known = new Map<ModelNode, Vector | undefined>();

  constructor(graph: ModelGraph, edits: Edits) {
    this.#graph = graph;
    this.#edits = edits;
  }

  /** Undefined for what is not constant, no float32 or not small. */
  of({ node, output }: Source, depth = 0): Vector | undefined {
    if (node === undefined || output !== 0 || depth > DEPTH) return undefined;
    if (!this.#known.has(node)) this.#known.set(node, this.#compute(node, depth));
    return this.#known.get(node);
  }

  #compute(node: ModelNode, depth: number): Vector | undefined {
    const frozen = this.#edits.constant(node);
    if (frozen !== undefined) {
      const data = 'data' in frozen ? frozen.data : undefined;
      const isSmall = data instanceof Float32Array && data.byteLength <= SMALL;
      return isSmall && !this.#edits.isScaled(node)
        ? { shape: frozen.shape, values: Float64Array.from(data) }
        : undefined;
    }
    if (node.type === 'Const') return floats(constantOf(node));
    const unary = UNARY[node.type];
    const binary = BINARY[node.type];
    if ((unary === undefined && binary === undefined) || typeAttribute(node.def, 'T') !== DataType.DT_FLOAT)
      return undefined;
    const inputs = this.#graph.inputs(node);
    const first = this.of(inputs[0]!, depth + 1);
    if (first === undefined) return undefined;
    if (unary !== undefined) {
      const shape = this.#shapeAfter(node, first, inputs[1]);
      return shape && { shape, values: first.values.map(unary) };
    }
    const second = this.of(inputs[1]!, depth + 1);
    return second && combine(first, second, binary!);
  }

  #shapeAfter(node: ModelNode, { shape, values }: Vector, given: Source | undefined): number[] | undefined {
    if (node.type === 'Squeeze') {
      const dims = node.def.attr.squeeze_dims?.value;
      const named = dims?.case === 'list' ? dims.value.i.map(Number) : [];
      const at = named.map((dim) => (dim < 0 ? dim + shape.length : dim));
      return shape.filter((size, i) => (at.length === 0 ? size !== 1 : !at.includes(i)));
    }
    if (node.type !== 'Reshape') return [...shape];
    const wanted = given?.node && integers(constantOf(given.node));
    if (wanted === undefined) return undefined;
    const rest = wanted.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
    return wanted.map((size) => (size === -1 ? values.length / rest : size));
  }
}

/** As they are broadcast where one has a single element, or both are alike but for dimensions of 1 in front. */
function combine(a: Vector, b: Vector, op: (x: number, y: number) => number): Vector | undefined {
  const shape = a.shape.length >= b.shape.length ? a.shape : b.shape;
  if (b.values.length === 1 && shape === a.shape) {
    return { shape, values: a.values.map((x) => op(x, b.values[0]!)) };
  }
  if (a.values.length === 1 && (shape === b.shape || a.shape.length === b.shape.length)) {
    return { shape: b.shape, values: b.values.map((y) => op(a.values[0]!, y)) };
  }
  if (lastDims(a.shape) !== lastDims(b.shape)) return undefined;
  return { shape, values: a.values.map((x, i) => op(x, b.values[i]!)) };
}

function lastDims(shape: readonly number[]): string {
  const first = shape.findIndex((size) => size !== 1);
  return first === -1 ? '' : shape.slice(first).join();
}

function constantOf({ type, def }: ModelNode): TensorProto | undefined {
  const value = type === 'Const' ? def.attr.value?.value : undefined;
  return value?.case === 'tensor' ? value.value : undefined;
}

function floats(tensor: TensorProto | undefined): Vector | undefined {
  if (tensor?.dtype !== DataType.DT_FLOAT) return undefined;
  const shape = (tensor.tensorShape?.dim ?? []).map(({ size }) => Number(size));
  const values = elements(tensor, tensor.floatVal, shape, (view, at) => view.getFloat32(at, true));
  return values && { shape, values: Float64Array.from(values) };
}

function integers(tensor: TensorProto | undefined): number[] | undefined {
  if (tensor?.dtype !== DataType.DT_INT32) return undefined;
  const shape = (tensor.tensorShape?.dim ?? []).map(({ size }) => Number(size));
  return elements(tensor, tensor.intVal, shape, (view, at) => view.getInt32(at, true));
}

/** Numbers of four bytes each: as bytes, or one by one, where the last one stands for all that are left out. */
function elements(
  { tensorContent }: TensorProto,
  list: readonly number[],
  shape: readonly number[],
  read: (view: DataView, at: number) => number,
): number[] | undefined {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!(count >= 0 && count * 4 <= SMALL)) return undefined;
  if (tensorContent.length === 0) return Array.from({ length: count }, (_, i) => list[i] ?? list.at(-1) ?? 0);
  if (tensorContent.length !== 4 * count) return undefined;
  const view = new DataView(tensorContent.buffer, tensorContent.byteOffset, tensorContent.byteLength);
  return Array.from({ length: count }, (_, i) => read(view, 4 * i));
}

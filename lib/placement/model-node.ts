/** A node of a graph, decoded when somebody looks into it. */
import { fromBinary } from '@bufbuild/protobuf';
import { TensorFlowError } from '../errors.js';
import { type NodeDef, NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import type { NodeList } from './node-list.js';

/** A node, in the main graph or in a function's body. */
export class ModelNode {
  /** Its number: the main graph's nodes come first, then each function's. */
  readonly index: number;
  readonly name: string;
  /** The op type. */
  readonly type: string;
  /** `''` in the main graph. */
  readonly function: string;
  /** The device saved in the model, or `''`. */
  readonly saved: string;
  #def: NodeDef | Uint8Array;

  constructor(
    { index, name, type, function: scope, saved }: Omit<ModelNode, 'def'>,
    def: NodeDef | Uint8Array,
  ) {
    this.index = index;
    this.name = name;
    this.type = type;
    this.function = scope;
    this.saved = saved;
    this.#def = def;
  }

  /** Decoded when it is first asked for: most nodes of a model only train it. Throws DATA_LOSS for what is none. */
  get def(): NodeDef {
    if (this.#def instanceof Uint8Array) {
      try {
        this.#def = fromBinary(NodeDefSchema, this.#def);
      } catch (error) {
        throw damaged(error);
      }
    }
    return this.#def;
  }
}

/** The node with this number; what `index` tells of it is not decoded. */
export function nodeOf(
  number: number,
  scope: string,
  bytes: Uint8Array,
  index: NodeList | undefined,
): ModelNode {
  if (index !== undefined) {
    const saved = index.device(number);
    const known = {
      index: number,
      name: index.name(number),
      type: index.type(number),
      function: scope,
      saved,
    };
    return new ModelNode(known, bytes);
  }
  const def = fromBinary(NodeDefSchema, bytes);
  return new ModelNode(
    { index: number, name: def.name, type: def.op, function: scope, saved: def.device },
    def,
  );
}

/** Protobuf's own error, as ours. */
export function damaged(error: unknown): TensorFlowError {
  return new TensorFlowError('DATA_LOSS', `The graph is damaged: ${String(error)}.`, { cause: error });
}

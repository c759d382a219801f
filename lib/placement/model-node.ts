/** A node of a graph, decoded when somebody looks into it. */
import { fromBinary } from '@bufbuild/protobuf';
import { TensorFlowError } from '../errors.js';
import { type NodeDef, NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import { WireField } from '../saved-model/wire.js';
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
  #def: NodeDef | WireField;

  /** @param list What it tells of the node is not decoded. */
  constructor(index: number, scope: string, field: WireField, list: NodeList | undefined) {
    this.index = index;
    this.function = scope;
    if (list !== undefined) {
      this.name = list.name(index);
      this.type = list.type(index);
      this.saved = list.device(index);
      this.#def = field;
    } else {
      this.#def = decode(field);
      this.name = this.#def.name;
      this.type = this.#def.op;
      this.saved = this.#def.device;
    }
  }

  /** Decoded when it is first asked for: most nodes of a model only train it. Throws DATA_LOSS for what is none. */
  get def(): NodeDef {
    if (this.#def instanceof WireField) this.#def = decode(this.#def);
    return this.#def;
  }
}

function decode(field: WireField): NodeDef {
  try {
    return fromBinary(NodeDefSchema, field.payload!);
  } catch (error) {
    throw damaged(error);
  }
}

/** Protobuf's own error, as ours. */
export function damaged(error: unknown): TensorFlowError {
  if (error instanceof TensorFlowError) return error;
  return new TensorFlowError('DATA_LOSS', `The graph is damaged: ${String(error)}.`, { cause: error });
}

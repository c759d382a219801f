/** Some nodes of a graph, decoded; the rest of the bytes is stepped over. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  FunctionDefLibrarySchema,
  FunctionDefSchema,
} from '../proto/tensorflow/core/framework/function_pb.js';
import { GraphDefSchema } from '../proto/tensorflow/core/framework/graph_pb.js';
import { type NodeDef, NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import {
  type OpDef_ArgDef,
  OpDef_ArgDefSchema,
  OpDefSchema,
} from '../proto/tensorflow/core/framework/op_def_pb.js';
import { payloads } from '../saved-model/wire.js';
import { damaged } from './model-node.js';
import type { NodeList } from './node-list.js';

/** Inputs without those that are only waited for. */
export function dataInputs({ input }: Pick<NodeDef, 'input'>): string[] {
  return input.filter((each) => !each.startsWith('^'));
}

/** Whether an argument stands for several inputs, so that its number is not that of an input. */
export function isListArgument({ numberAttr, typeListAttr }: OpDef_ArgDef): boolean {
  return numberAttr !== '' || typeListAttr !== '';
}

const utf8 = new TextDecoder();

/** Throws DATA_LOSS for what is no node, or no signature. */
export class NodePicker {
  readonly #graphDef: Uint8Array;
  readonly #index: NodeList;
  #functions: Uint8Array[] | undefined;
  readonly #bodies = new Map<number, Uint8Array[]>();

  constructor(graphDef: Uint8Array, index: NodeList) {
    this.#graphDef = graphDef;
    this.#index = index;
  }

  /** Some of one function's nodes, or of the main graph's. */
  nodes(number: number, wanted: readonly number[]): NodeDef[] {
    return decoding(() => this.#bytes(number, wanted).map((node) => fromBinary(NodeDefSchema, node)));
  }

  /** The data inputs of the same: of a call with hundreds of them that is a tenth of the work. */
  inputs(number: number, wanted: readonly number[]): string[][] {
    return decoding(() =>
      this.#bytes(number, wanted).map((node) => {
        const names = payloads(node, NodeDefSchema.field.input.number).map((each) => utf8.decode(each));
        return dataInputs({ input: names });
      }),
    );
  }

  /** Which argument of a function has that name; -1 where none, or where one before it stands for several inputs. */
  argument(number: number, name: string): number {
    const args = decoding(() =>
      payloads(this.#function(number), FunctionDefSchema.field.signature.number)
        .flatMap((signature) => payloads(signature, OpDefSchema.field.inputArg.number))
        .map((bytes) => fromBinary(OpDef_ArgDefSchema, bytes)),
    );
    for (const [at, arg] of args.entries()) {
      if (isListArgument(arg)) return -1;
      if (arg.name === name) return at;
    }
    return -1;
  }

  #bytes(number: number, wanted: readonly number[]): Uint8Array[] {
    let bodies = this.#bodies.get(number);
    if (bodies === undefined) {
      bodies =
        number === 0
          ? payloads(this.#graphDef, GraphDefSchema.field.node.number)
          : payloads(this.#function(number), FunctionDefSchema.field.nodeDef.number);
      this.#bodies.set(number, bodies);
    }
    const first = this.#index.firstNode(number);
    return wanted.map((node) => bodies[node - first] ?? new Uint8Array());
  }

  #function(number: number): Uint8Array {
    this.#functions ??= payloads(this.#graphDef, GraphDefSchema.field.library.number).flatMap((library) =>
      payloads(library, FunctionDefLibrarySchema.field.function.number),
    );
    return this.#functions[number - 1] ?? new Uint8Array();
  }
}

function decoding<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw damaged(error);
  }
}

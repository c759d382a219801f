/** Some nodes of a graph, decoded; the rest of the bytes is stepped over. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  FunctionDefLibrarySchema,
  FunctionDefSchema,
} from '../proto/tensorflow/core/framework/function_pb.js';
import { GraphDefSchema } from '../proto/tensorflow/core/framework/graph_pb.js';
import { type NodeDef, NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import { OpDefSchema } from '../proto/tensorflow/core/framework/op_def_pb.js';
import { payloads } from '../saved-model/wire.js';
import { damaged } from './model-node.js';
import type { NodeList } from './node-list.js';

/** Inputs without those that are only waited for. */
export function dataInputs({ input }: NodeDef): string[] {
  return input.filter((each) => !each.startsWith('^'));
}

/** Throws DATA_LOSS for what is no node, or no signature. */
export class NodePicker {
  readonly #graphDef: Uint8Array;
  readonly #index: NodeList;
  #functions: Uint8Array[] | undefined;

  constructor(graphDef: Uint8Array, index: NodeList) {
    this.#graphDef = graphDef;
    this.#index = index;
  }

  /** Some of one function's nodes, or of the main graph's. */
  nodes(number: number, wanted: readonly number[]): NodeDef[] {
    const first = this.#index.firstNode(number);
    return decoding(() => {
      const bodies =
        number === 0
          ? payloads(this.#graphDef, GraphDefSchema.field.node.number)
          : payloads(this.#function(number), FunctionDefSchema.field.nodeDef.number);
      return wanted.map((node) => fromBinary(NodeDefSchema, bodies[node - first] ?? new Uint8Array()));
    });
  }

  /** Names of a function's arguments. */
  args(number: number): string[] {
    return decoding(() => {
      const signatures = payloads(this.#function(number), FunctionDefSchema.field.signature.number);
      return signatures.flatMap((bytes) => fromBinary(OpDefSchema, bytes).inputArg.map(({ name }) => name));
    });
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

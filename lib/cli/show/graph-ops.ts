/**
 * The ops of a MetaGraph, read off its bytes: name, type and device of each NodeDef. Attributes are stepped over, for
 * in them lie the weights of a frozen model.
 */
import { TensorFlowError } from '../../errors.js';
import {
  FunctionDefLibrarySchema,
  FunctionDefSchema,
} from '../../proto/tensorflow/core/framework/function_pb.js';
import { GraphDefSchema } from '../../proto/tensorflow/core/framework/graph_pb.js';
import { NodeDefSchema } from '../../proto/tensorflow/core/framework/node_def_pb.js';
import { OpDefSchema } from '../../proto/tensorflow/core/framework/op_def_pb.js';
import { MetaGraphDefSchema } from '../../proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { payloads, wireFields } from '../../saved-model/wire.js';

/** One NodeDef. */
export interface GraphOp {
  name: string;
  /** The kind of op: `MatMul`. */
  type: string;
  /** The function whose body it stands in; empty in the main graph. */
  function: string;
  /** The device saved with it; empty where there is none. */
  device: string;
}

export interface GraphListing {
  /** The main graph's ops, then those of the functions, in the file's order. */
  ops: GraphOp[];
  functions: { name: string; ops: number }[];
  /** The NodeDef of each op, serialized. */
  nodes: Uint8Array[];
}

const GRAPH = MetaGraphDefSchema.field.graphDef.number;
const NODE = GraphDefSchema.field.node.number;
const LIBRARY = GraphDefSchema.field.library.number;
const FUNCTION = FunctionDefLibrarySchema.field.function.number;
const SIGNATURE = FunctionDefSchema.field.signature.number;
const BODY_NODE = FunctionDefSchema.field.nodeDef.number;
const FUNCTION_NAME = OpDefSchema.field.name.number;
const NAME = NodeDefSchema.field.name.number;
const OP = NodeDefSchema.field.op.number;
const INPUT = NodeDefSchema.field.input.number;
const DEVICE = NodeDefSchema.field.device.number;

/**
 * Lists the ops and functions of a serialized MetaGraphDef.
 *
 * @throws TensorFlowError DATA_LOSS where the graph is damaged
 */
export function listGraph(metaGraph: Uint8Array): GraphListing {
  try {
    return readGraph(metaGraph);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TensorFlowError('DATA_LOSS', `The model's graph is damaged: ${why}.`, { cause: error });
  }
}

function readGraph(metaGraph: Uint8Array): GraphListing {
  const ops: GraphOp[] = [];
  const functions: GraphListing['functions'] = [];
  const nodes: Uint8Array[] = [];
  const add = (node: Uint8Array, inFunction: string) => {
    nodes.push(node);
    ops.push(readNode(node, inFunction));
  };
  const graphs = payloads(metaGraph, GRAPH);
  for (const graph of graphs) {
    for (const node of payloads(graph, NODE)) add(node, '');
  }
  for (const library of graphs.flatMap((graph) => payloads(graph, LIBRARY))) {
    for (const definition of payloads(library, FUNCTION)) {
      const name = payloads(definition, SIGNATURE)
        .flatMap((signature) => payloads(signature, FUNCTION_NAME))
        .map(text)
        .join('');
      const body = payloads(definition, BODY_NODE);
      for (const node of body) add(node, name);
      functions.push({ name, ops: body.length });
    }
  }
  return { ops, functions, nodes };
}

function readNode(node: Uint8Array, inFunction: string): GraphOp {
  const op: GraphOp = { name: '', type: '', function: inFunction, device: '' };
  for (const { number, payload } of wireFields(node)) {
    if (payload === undefined) continue;
    if (number === NAME) op.name = text(payload);
    else if (number === OP) op.type = text(payload);
    else if (number === DEVICE) op.device = text(payload);
  }
  return op;
}

/** What a node takes: `a`, `a:1`, in functions `a:out:0`, `^a`. */
export function inputsOf(node: Uint8Array): string[] {
  return payloads(node, INPUT).map(text);
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function text(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

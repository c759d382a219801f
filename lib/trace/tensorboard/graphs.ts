/** The graphs that TensorBoard is shown: the model's, each op where it ran, and the one that TensorFlow made of it and ran. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { ModelGraph, ModelNode } from '../../placement/model-graph.js';
import type { PlacedOp } from '../../placement/report/report.js';
import { Slices } from '../../placement/slices.js';
import type { RunGraph } from '../../plan/run-graph.js';
import type { AttrValue } from '../../proto/tensorflow/core/framework/attr_value_pb.js';
import {
  FunctionDefLibrarySchema,
  FunctionDefSchema,
} from '../../proto/tensorflow/core/framework/function_pb.js';
import { GraphDefSchema } from '../../proto/tensorflow/core/framework/graph_pb.js';
import { NodeDefSchema } from '../../proto/tensorflow/core/framework/node_def_pb.js';

type Node = MessageInitShape<typeof NodeDefSchema>;

/** Attributes that are longer are left out: weights, which nobody reads. */
const LONGEST_TENSOR = 256;

/** A serialized GraphDef: the model's nodes and functions, with the devices of the report; of those that did not run what was asked or saved. */
export async function placedGraph(graph: ModelGraph, ops: readonly PlacedOp[]): Promise<Uint8Array> {
  const devices = new Map(
    ops.map(({ name, function: scope, actual, requested, saved }) => [
      `${scope}\n${name}`,
      actual ?? (requested || saved),
    ]),
  );
  const nodesOf = function* (all: Iterable<ModelNode>): Generator<Node> {
    for (const node of all) {
      const { name, op, input, attr } = node.def;
      const device = devices.get(`${node.function}\n${name}`) ?? node.saved;
      yield { name, op, input, device, attr: shortAttributes(attr) };
    }
  };
  const slices = new Slices();
  const writer = new BinaryWriter();
  await writeNodes(nodesOf(graph.main.values()), GraphDefSchema.field.node.number, writer, slices);
  for (const { signature, nodes, ret } of graph.functions.values()) {
    const body = new BinaryWriter();
    await writeNodes(nodesOf(nodes.values()), FunctionDefSchema.field.nodeDef.number, body, slices);
    const head = toBinary(FunctionDefSchema, create(FunctionDefSchema, { signature, ret }));
    // A message that comes in several parts is their concatenation, and a repeated field may come one by one.
    const library = new BinaryWriter();
    library.tag(FunctionDefLibrarySchema.field.function.number, WireType.LengthDelimited);
    library.bytes(Buffer.concat([head, body.finish()]));
    writer.tag(GraphDefSchema.field.library.number, WireType.LengthDelimited).bytes(library.finish());
  }
  return writer.finish();
}

/** A serialized GraphDef of what ran, under the names that the RunMetadata has. */
export async function executedGraph({ nodes }: RunGraph): Promise<Uint8Array> {
  const own = function* (): Generator<Node> {
    const seen = new Set<string>();
    for (const { name, type, device, inputs } of nodes) {
      // Functions that ran under their own names may have nodes of one name, and a graph may not.
      if (seen.has(name)) continue;
      seen.add(name);
      const input = inputs.map(({ node: source, output }) =>
        output < 0 ? `^${source.name}` : output === 0 ? source.name : `${source.name}:${output}`,
      );
      // What only is waited for comes last.
      input.sort((a, b) => Number(a.startsWith('^')) - Number(b.startsWith('^')));
      yield { name, op: type === '' ? 'Unknown' : type, device, input };
    }
  };
  const writer = new BinaryWriter();
  await writeNodes(own(), GraphDefSchema.field.node.number, writer, new Slices());
  return writer.finish();
}

async function writeNodes(
  nodes: Iterable<Node>,
  field: number,
  writer: BinaryWriter,
  slices: Slices,
): Promise<void> {
  for (const node of nodes) {
    if (slices.isOver(0)) await slices.next();
    writer.tag(field, WireType.LengthDelimited).bytes(toBinary(NodeDefSchema, create(NodeDefSchema, node)));
  }
}

function shortAttributes(attributes: Readonly<Record<string, AttrValue>>): Record<string, AttrValue> {
  return Object.fromEntries(
    Object.entries(attributes).filter(([, { value }]) => {
      if (value.case === 's') return value.value.length <= LONGEST_TENSOR;
      if (value.case !== 'tensor') return true;
      const { tensorContent, stringVal, floatVal } = value.value;
      return tensorContent.length + stringVal.length * 16 + floatVal.length * 4 <= LONGEST_TENSOR;
    }),
  );
}

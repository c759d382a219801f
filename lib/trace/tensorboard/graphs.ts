/** The graphs that TensorBoard is shown: the model's, each op where it ran, and the one that TensorFlow made of it and ran. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { ModelGraph, ModelNode } from '../../placement/model-graph.js';
import type { PlacedOp } from '../../placement/report/report.js';
import { Slices } from '../../placement/slices.js';
import type { RunGraph } from '../../plan/run-graph.js';
import type { AttrValue } from '../../proto/tensorflow/core/framework/attr_value_pb.js';
import { GraphDefSchema } from '../../proto/tensorflow/core/framework/graph_pb.js';
import type { NodeDefSchema } from '../../proto/tensorflow/core/framework/node_def_pb.js';

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
  const slices = new Slices();
  const nodesOf = async (all: Iterable<ModelNode>): Promise<Node[]> => {
    const nodes: Node[] = [];
    for (const node of all) {
      if (slices.isOver(0)) await slices.next();
      const { name, op, input, attr } = node.def;
      const device = devices.get(`${node.function}\n${name}`) ?? node.saved;
      nodes.push({ name, op, input, device, attr: shortAttributes(attr) });
    }
    return nodes;
  };
  const functions = [];
  for (const { signature, nodes, ret } of graph.functions.values()) {
    functions.push({ signature, ret, nodeDef: await nodesOf(nodes.values()) });
  }
  const node = await nodesOf(graph.main.values());
  return toBinary(GraphDefSchema, create(GraphDefSchema, { node, library: { function: functions } }));
}

/** A serialized GraphDef of what ran, under the names that the RunMetadata has. */
export function executedGraph({ nodes }: RunGraph): Uint8Array {
  const seen = new Set<string>();
  const node = nodes.flatMap(({ name, type, device, inputs }): Node[] => {
    // Functions that ran under their own names may have nodes of one name, and a graph may not.
    if (seen.has(name)) return [];
    seen.add(name);
    const input = inputs.map(({ node: source, output }) =>
      output < 0 ? `^${source.name}` : output === 0 ? source.name : `${source.name}:${output}`,
    );
    // What only is waited for comes last.
    input.sort((a, b) => Number(a.startsWith('^')) - Number(b.startsWith('^')));
    return [{ name, op: type === '' ? 'Unknown' : type, device, input }];
  });
  return toBinary(GraphDefSchema, create(GraphDefSchema, { node }));
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

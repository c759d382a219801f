/**
 * Variables that signatures read and the model's restore op does not restore. TensorFlow's exporter writes such models where a
 * Keras 3 model stands in a `tf.Module`: the object that is saved and the one that is called have handles of their own.
 */
import { textAttribute, typeAttribute } from '../placement/attributes.js';
import type { NodeList } from '../placement/node-list.js';
import { dataInputs, NodePicker } from '../placement/node-picker.js';
import { opOf } from '../placement/report/needed.js';
import type { NodeDef } from '../proto/tensorflow/core/framework/node_def_pb.js';
import type { MetaGraphDef } from '../proto/tensorflow/core/protobuf/meta_graph_pb.js';

/** A call of a function that is given the variable. */
export interface Capture {
  function: string;
  /** Its place among the inputs, from their end: the last is 1. What a function captured stands behind its arguments. */
  fromEnd: number;
}

export interface Unrestored {
  /** Its `VarHandleOp` in the main graph. */
  node: string;
  /** What TensorFlow calls it in errors. */
  variable: string;
  dtype: number;
  captures: Capture[];
}

/** Of a graph of TensorFlow 2, whose variables stand in the main graph and whose restore op is given them. */
export function findUnrestored(metaGraph: MetaGraphDef, graphDef: Uint8Array, index: NodeList): Unrestored[] {
  const restoreOp = opOf(metaGraph.saverDef?.restoreOpName ?? '');
  if (restoreOp === '' || !index.typesThere.includes('VarHandleOp')) return [];
  const wanted: number[] = [];
  const isUsed = new Map<string, boolean>();
  let restore = -1;
  for (let i = 0; i < index.length && index.functionNumber(i) === 0; i++) {
    const isHandle = index.type(i) === 'VarHandleOp';
    if (isHandle) isUsed.set(index.name(i), index.isUsed(i));
    if (index.name(i) === restoreOp) restore = i;
    if (isHandle || i === restore || (index.calls(i) && index.isUsed(i))) wanted.push(i);
  }
  if (restore === -1) return [];
  const pick = new NodePicker(graphDef, index);
  const named = new Set(pick.inputs(0, [restore])[0]!.map(opOf));
  // As nearly all models are: nothing of them is decoded.
  if ([...isUsed].every(([name, used]) => !used || named.has(name))) return [];
  const nodes = pick.nodes(0, wanted);
  const handles = new Map(nodes.filter(({ op }) => op === 'VarHandleOp').map((def) => [def.name, def]));
  const restored = new Set<string>();
  for (const name of named) {
    const handle = handles.get(name);
    if (handle !== undefined) restored.add(identity(handle));
  }
  // Another kind of graph, of which this tells nothing.
  if (restored.size === 0) return [];
  const found = new Map<string, Unrestored>();
  for (const [name, def] of handles) {
    const dtype = typeAttribute(def, 'dtype');
    if (!isUsed.get(name) || restored.has(identity(def)) || dtype === undefined) continue;
    found.set(name, { node: name, variable: sharedName(def), dtype, captures: [] });
  }
  if (found.size === 0) return [];
  for (const def of nodes) {
    if (def.op === 'VarHandleOp' || def.name === restoreOp) continue;
    const inputs = dataInputs(def);
    for (const called of calledBy(def)) {
      inputs.forEach((input, at) => {
        found.get(opOf(input))?.captures.push({ function: called, fromEnd: inputs.length - at });
      });
    }
  }
  return [...found.values()];
}

function calledBy({ op, attr }: NodeDef): string[] {
  const named = Object.values(attr).flatMap(({ value }) => (value.case === 'func' ? [value.value.name] : []));
  return [op, ...named];
}

/** Handles with one name share the variable. */
function identity(def: NodeDef): string {
  return `${textAttribute(def, 'container') ?? ''}\n${sharedName(def)}`;
}

function sharedName(def: NodeDef): string {
  return textAttribute(def, 'shared_name') || def.name;
}

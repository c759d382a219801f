/** Ops that touch files, and yet no others than the model's own, or none at all. */
import { textAttribute } from '../placement/attributes.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import type { NodeList } from '../placement/node-list.js';
import { dataInputs, NodePicker } from '../placement/node-picker.js';
import { opOf } from '../placement/report/needed.js';
import type { NodeDef } from '../proto/tensorflow/core/framework/node_def_pb.js';

/** By type of what reads a checkpoint or a vocabulary: the input that is its path. */
export const OWN_FILES: ReadonlyMap<string, number> = new Map([
  ['RestoreV2', 0],
  ['Restore', 0],
  ['RestoreSlice', 0],
  ['InitializeTableFromTextFile', 1],
  ['InitializeTableFromTextFileV2', 1],
]);

/** Whether attributes and constants say that an op of such a type touches no file. */
const INNOCENT: Readonly<Record<string, (graph: ModelGraph, node: ModelNode) => boolean>> = {
  PrintV2: (_, { def }) => saidText(def, 'output_stream')?.startsWith('file://') === false,
  FixedUnigramCandidateSampler: (_, { def }) => saidText(def, 'vocab_file') === '',
  DecodeProtoV2: readsNoDescriptor,
  EncodeProto: readsNoDescriptor,
  // Fills a table from other ops, which count themselves.
  InitializeTableFromDataset: () => true,
  // In memory.
  CacheDataset: hasNoFileName,
  CacheDatasetV2: hasNoFileName,
};

export const MAY_BE_INNOCENT: ReadonlySet<string> = new Set(Object.keys(INNOCENT));

export function isInnocent(graph: ModelGraph, node: ModelNode): boolean {
  return INNOCENT[node.type]!(graph, node);
}

function readsNoDescriptor(_: ModelGraph, { def }: ModelNode): boolean {
  const source = saidText(def, 'descriptor_source');
  return source === '' || source?.startsWith('local://') === true || source?.startsWith('bytes://') === true;
}

/** Undefined where the caller of the function around says it. */
function saidText(def: NodeDef, name: string): string | undefined {
  return def.attr[name] === undefined ? '' : textAttribute(def, name);
}

function hasNoFileName(graph: ModelGraph, node: ModelNode): boolean {
  return isAll(graph.resourceOrigins(node, 1), isEmptyText);
}

function isEmptyText({ type, def }: ModelNode): boolean {
  const value = type === 'Const' ? def.attr.value?.value : undefined;
  if (value?.case !== 'tensor') return false;
  return value.value.tensorContent.length === 0 && value.value.stringVal.every(({ length }) => length === 0);
}

/**
 * Whether all that the input may be is fed with a path of the model's own: there, or where it is assigned to the variable that
 * keeps it, as TensorFlow 2 writes paths of vocabularies.
 */
export function readsOwnFile(
  graph: ModelGraph,
  node: ModelNode,
  input: number,
  paths: ReadonlySet<string>,
): boolean {
  const isPath = ({ name, function: scope }: ModelNode) => scope === '' && paths.has(name);
  return isAll(graph.resourceOrigins(node, input), (origin) => {
    if (origin.type !== 'ReadVariableOp') return isPath(origin);
    return isAll(graph.resourceOrigins(origin, 0), (variable) =>
      isAll(assignsOf(graph, variable), (assign) => isAll(graph.resourceOrigins(assign, 1), isPath)),
    );
  });
}

function assignsOf(graph: ModelGraph, variable: ModelNode): ModelNode[] {
  return graph.nodes.filter(
    (node) => node.type === 'AssignVariableOp' && graph.resourceOrigins(node, 0).includes(variable),
  );
}

/** Of none it holds for none. */
function isAll(nodes: readonly ModelNode[], holds: (node: ModelNode) => boolean): boolean {
  return nodes.length > 0 && nodes.every(holds);
}

/**
 * The same of several nodes, told from these and their callers alone, as models are written: a path that is an argument of
 * the function around, whose calls stand in the main graph and give it a path there. False where it takes more to tell.
 */
export function readsOwnPaths(
  graphDef: Uint8Array,
  index: NodeList,
  nodes: readonly number[],
  input: number,
  paths: ReadonlySet<string>,
): boolean {
  const pick = new NodePicker(graphDef, index);
  const isPath = (def: NodeDef, at: number) => paths.has(opOf(dataInputs(def)[at] ?? ''));
  for (const number of new Set(nodes.map((node) => index.functionNumber(node)))) {
    const members = nodes.filter((node) => index.functionNumber(node) === number);
    const inputs = pick.nodes(number, members).map((def) => opOf(dataInputs(def)[input] ?? ''));
    if (number === 0) {
      if (inputs.every((name) => paths.has(name))) continue;
      return false;
    }
    const args = pick.args(number);
    const callers = callersOf(index, number);
    const calls = pick.nodes(0, callers);
    if (callers.length === 0 || callers.some((caller) => index.functionNumber(caller) !== 0)) return false;
    for (const name of new Set(inputs)) {
      const at = args.indexOf(name);
      if (at === -1 || !calls.every((call) => isPath(call, at))) return false;
    }
  }
  return true;
}

function callersOf({ callPairs }: NodeList, number: number): number[] {
  const callers = new Set<number>();
  for (let at = 0; at < callPairs.length; at += 2)
    if (callPairs[at + 1] === number) callers.add(callPairs[at]!);
  return [...callers];
}

/** Ops that touch files, and yet no others than the model's own, or none at all. */
import { textAttribute } from '../placement/attributes.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import type { NodeList } from '../placement/node-list.js';
import { isListArgument, NodePicker } from '../placement/node-picker.js';
import type { NodeDef } from '../proto/tensorflow/core/framework/node_def_pb.js';

/** What reads a file of the model's. */
export interface OwnFile {
  of: 'checkpoint' | 'assets';
  /** Its input that is the path. */
  input: number;
}

const CHECKPOINT: OwnFile = { of: 'checkpoint', input: 0 };
const VOCABULARY: OwnFile = { of: 'assets', input: 1 };

/** By type. */
export const OWN_FILES: ReadonlyMap<string, OwnFile> = new Map([
  ['RestoreV2', CHECKPOINT],
  ['Restore', CHECKPOINT],
  ['RestoreSlice', CHECKPOINT],
  ['InitializeTableFromTextFile', VOCABULARY],
  ['InitializeTableFromTextFileV2', VOCABULARY],
]);

/** The op of a tensor that is its first output; none for another one. */
export function firstOutput(tensor: string): string[] {
  const [op, output = '0', ...rest] = tensor.split(':');
  return output === '0' && rest.length === 0 ? [op!] : [];
}

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
  // Of an op with several outputs it is not known which one is read.
  const isPath = ({ name, type, function: scope }: ModelNode) =>
    scope === '' && paths.has(name) && ONE_OUTPUT.test(type);
  if ([...graph.functions.values()].some(({ signature }) => signature.inputArg.some(isListArgument)))
    return false;
  return isAll(graph.resourceOrigins(node, input), (origin) => {
    if (origin.type !== 'ReadVariableOp') return isPath(origin);
    return isAll(graph.resourceOrigins(origin, 0), (variable) =>
      isAll(assignsOf(graph, variable), (assign) => isAll(graph.resourceOrigins(assign, 1), isPath)),
    );
  });
}

const ONE_OUTPUT = /^(Const|Placeholder|PlaceholderWithDefault)$/;
/** They change a variable otherwise than as a whole. */
const CHANGES = /^Resource(Scatter|StridedSliceAssign)|AssignVariableXla/;

/** None where it takes more to tell. */
function assignsOf(graph: ModelGraph, variable: ModelNode): ModelNode[] {
  const isOther = (node: ModelNode) =>
    CHANGES.test(node.type) ||
    (node.type === 'VarHandleOp' && node !== variable && variableName(node) === variableName(variable));
  if (graph.nodes.some(isOther)) return [];
  return graph.nodes.filter(
    (node) => node.type === 'AssignVariableOp' && graph.resourceOrigins(node, 0).includes(variable),
  );
}

function variableName({ name, def }: ModelNode): string {
  return textAttribute(def, 'shared_name') || name;
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
  const isPath = (input = '') => firstOutput(input).some((op) => paths.has(op));
  for (const number of new Set(nodes.map((node) => index.functionNumber(node)))) {
    const members = nodes.filter((node) => index.functionNumber(node) === number);
    const inputs = pick.inputs(number, members).map((all) => all[input]);
    if (number === 0) {
      if (inputs.every(isPath)) continue;
      return false;
    }
    const callers = callersOf(index, number);
    if (callers.length === 0 || callers.some((caller) => index.functionNumber(caller) !== 0)) return false;
    // Other calls have inputs before the arguments.
    if (!callers.every((caller) => /^(Stateful)?PartitionedCall$/.test(index.type(caller)))) return false;
    const calls = pick.inputs(0, callers);
    for (const name of new Set(inputs)) {
      const at = pick.argument(number, name ?? '');
      if (at === -1 || !calls.every((given) => isPath(given[at]))) return false;
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

/** Which variables of a model never change, and the ops that read them. */
import type { ModelGraph, ModelNode, Source } from '../placement/model-graph.js';
import type { Slices } from '../placement/slices.js';
import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import { remembered } from '../remember.js';

/** A variable, and what of the graph reads it. */
export interface Frozen {
  /** `VarHandleOp`, or TensorFlow 1's `VariableV2`; one of those that share the variable's name. */
  variable: ModelNode;
  /** Ops whose output is the variable's value: they become constants. */
  reads: ModelNode[];
  /** Ops that gather rows of it: they read a constant instead. */
  gathers: ModelNode[];
}

const isVariable = remembered((type) => /^(VarHandleOp|VariableV2|Variable)$/.test(type));
/** What is asked of a variable without its value. */
const isHarmless = remembered((type) =>
  /^(VarIsInitializedOp|IsVariableInitialized|VariableShape|Identity|IdentityN|RefIdentity|NoOp|Enter|RefEnter|Switch|RefSwitch|Merge|RefMerge|Exit|RefExit|NextIteration|RefNextIteration)$/.test(
    type,
  ),
);

/** Types whose bytes are the values. */
const isPlain = (type: number) =>
  type !== DataType.DT_STRING && type !== DataType.DT_RESOURCE && type !== DataType.DT_VARIANT;

/**
 * The variables that become constants: those of the main graph that no op which users run may assign, each read of which
 * is of that variable alone.
 *
 * @param isUsed whether users' runs reach the node
 * @returns and the variables that stay, by name
 */
export async function findFrozen(
  graph: ModelGraph,
  isUsed: (node: number) => boolean,
  slices: Slices,
): Promise<{ frozen: Frozen[]; kept: string[] }> {
  const byKey = new Map<string, Frozen>();
  const kept = new Set<string>();
  const keysByNode = new Map<ModelNode, string>();
  for (const node of graph.nodes) {
    if (!isVariable(node.type)) continue;
    if (slices.isOver(0)) await slices.next();
    const key = keyOf(node);
    keysByNode.set(node, key);
    if (node.function === '' && !byKey.has(key)) byKey.set(key, { variable: node, reads: [], gathers: [] });
  }
  for (const node of graph.nodes) {
    if (slices.isOver(0)) await slices.next();
    if (!isUsed(node.index)) continue;
    const calls = graph.calls(node).length > 0;
    for (const [number, source] of graph.inputs(node).entries()) {
      if (!maybeVariable(graph, source, node)) continue;
      const origins = graph.resourceOrigins(node, number);
      const keys = new Set(origins.flatMap((origin) => keysByNode.get(origin) ?? []));
      if (keys.size === 0) continue;
      const [key] = keys;
      const isSure = keys.size === 1 && origins.every((origin) => keysByNode.has(origin));
      const only = isSure ? byKey.get(key!) : undefined;
      const type = only && dtypeOf(only.variable);
      if (only !== undefined && type !== undefined && isPlain(type)) {
        if (isRead(graph, node, source, number, type)) {
          only.reads.push(node);
          continue;
        }
        if (node.type === 'ResourceGather' && number === 0 && !hasBatchDims(node)) {
          only.gathers.push(node);
          continue;
        }
      }
      // What else is done with it may change it; what a function does, is seen in its body.
      if (calls || isHarmless(node.type)) continue;
      for (const key of keys) kept.add(key);
    }
  }
  // One that hands a handle on for which several variables come is not told from its readers.
  const frozen = [...byKey].flatMap(([key, each]) =>
    !kept.has(key) && each.reads.length + each.gathers.length > 0 ? [each] : [],
  );
  return { frozen, kept: [...kept] };
}

const utf8 = new TextDecoder();

/** One variable may have several ops: their shared name is what tells it. */
function keyOf(node: ModelNode): string {
  const text = (name: string) => {
    const value = node.def.attr[name]?.value;
    return value?.case === 's' ? utf8.decode(value.value) : '';
  };
  const own = node.function === '' ? node.name : `${node.function}/${node.name}`;
  return `${text('container')}\n${text('shared_name') || own}`;
}

export function dtypeOf({ def }: ModelNode): number | undefined {
  const value = def.attr.dtype?.value;
  return value?.case === 'type' ? value.value : undefined;
}

/** A read whose output is the variable's own type. Of TensorFlow 1's, an Identity right at the variable. */
function isRead(graph: ModelGraph, node: ModelNode, source: Source, number: number, type: number): boolean {
  if (number !== 0) return false;
  if (node.type === 'ReadVariableOp') return dtypeOf(node) === type && !isReturned(graph, node);
  return (
    node.type === 'Identity' &&
    source.node !== undefined &&
    isVariable(source.node.type) &&
    source.node.type !== 'VarHandleOp' &&
    graph.inputs(node).length === 1
  );
}

function hasBatchDims({ def }: ModelNode): boolean {
  const value = def.attr.batch_dims?.value;
  return value?.case === 'i' && value.value !== 0n;
}

/** Most inputs are none, which is told without following them. */
function maybeVariable(graph: ModelGraph, source: Source, { function: scope }: ModelNode): boolean {
  if (source.node !== undefined) return isVariable(source.node.type) || graph.handsOn(source.node);
  if (source.arg === undefined) return false;
  const type = graph.functions.get(scope)?.signature.inputArg[source.arg]?.type ?? 0;
  return type === 0 || type === DataType.DT_RESOURCE || type > 100;
}

/** Whether the function around returns the node's output: its name stands there, and a constant's has another one. */
function isReturned(graph: ModelGraph, { name, function: scope }: ModelNode): boolean {
  return Object.values(graph.functions.get(scope)?.ret ?? {}).includes(`${name}:value:0`);
}

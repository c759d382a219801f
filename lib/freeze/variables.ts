/** Which variables of a model never change, and the ops that read them. */
import { textAttribute, typeAttribute } from '../placement/attributes.js';
import type { ModelGraph, ModelNode, Source } from '../placement/model-graph.js';
import type { Slices } from '../placement/slices.js';
import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import { remembered } from '../remember.js';
import { findInstances, type Instance } from './instances.js';

/** An op, in one instance of the function in whose body it stands. */
export interface Use {
  readonly instance: Instance;
  readonly node: ModelNode;
}

/** A variable, and what of the graph reads it. */
export interface Frozen {
  /** `VarHandleOp`, or TensorFlow 1's `VariableV2`; one of those that share the variable's name. */
  variable: ModelNode;
  /** Ops whose output is the variable's value: they become constants. */
  reads: Use[];
  /** Ops that gather rows of it: they read a constant instead. */
  gathers: Use[];
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

/** What of a model freezes. */
export interface Found {
  frozen: Frozen[];
  /** Variables that stay, by name. */
  kept: string[];
  /** The main graph, its functions, and the copies of them that take. */
  instances: Instance[];
}

/**
 * The variables that become constants: those of the main graph that no op which users run may assign.
 *
 * @param isUsed whether users' runs reach the node
 */
export async function findFrozen(
  graph: ModelGraph,
  isUsed: (node: number) => boolean,
  slices: Slices,
): Promise<Found> {
  const keys = new Map<ModelNode, string>();
  for (const node of graph.nodes) {
    if (slices.isOver(node.index)) await slices.next();
    if (isVariable(node.type)) keys.set(node, keyOf(node));
  }
  const isKnown = (node: ModelNode) => keys.has(node);
  let instances = findInstances(graph, isUsed, new Set(), isKnown);
  let search = new Search(graph, isUsed, keys);
  for (const instance of instances) await search.look(instance, slices);
  if (search.torn.size > 0) {
    instances = findInstances(graph, isUsed, search.torn, isKnown);
    search = new Search(graph, isUsed, keys);
    for (const instance of instances) await search.look(instance, slices);
  }
  return { ...search.found(), instances };
}

class Search {
  /** Functions in which an op reads what may be one of several variables. */
  readonly torn = new Set<string>();
  readonly #graph: ModelGraph;
  readonly #isUsed: (node: number) => boolean;
  readonly #keys: ReadonlyMap<ModelNode, string>;
  readonly #byKey = new Map<string, Frozen>();
  readonly #kept = new Set<string>();

  constructor(graph: ModelGraph, isUsed: (node: number) => boolean, keys: ReadonlyMap<ModelNode, string>) {
    this.#graph = graph;
    this.#isUsed = isUsed;
    this.#keys = keys;
    for (const [variable, key] of keys) {
      if (variable.function === '' && !this.#byKey.has(key)) {
        this.#byKey.set(key, { variable, reads: [], gathers: [] });
      }
    }
  }

  async look(instance: Instance, slices: Slices): Promise<void> {
    const { function: name } = instance;
    const nodes = name === '' ? this.#graph.main : this.#graph.functions.get(name)!.nodes;
    for (const node of nodes.values()) {
      if (!this.#isUsed(node.index)) continue;
      if (slices.isOver(0)) await slices.next();
      for (const [number, source] of this.#graph.inputs(node).entries()) {
        if (maybeVariable(this.#graph, source, node)) this.#use({ instance, node }, source, number);
      }
    }
  }

  #use(use: Use, source: Source, number: number): void {
    const { instance, node } = use;
    const variable = instance.variable(this.#graph, node, number);
    const origins = variable === undefined ? this.#graph.resourceOrigins(node, number) : [variable];
    const keys = new Set(origins.flatMap((origin) => this.#keys.get(origin) ?? []));
    if (keys.size === 0) return;
    const areVariables = origins.every((origin) => this.#keys.has(origin));
    const [first] = areVariables ? keys : [];
    const frozen = first === undefined ? undefined : this.#byKey.get(first);
    const type = frozen && dtypeOf(frozen.variable);
    if (frozen !== undefined && type !== undefined && isPlain(type)) {
      const isGather = node.type === 'ResourceGather' && number === 0 && !hasBatchDims(node);
      if (isGather || isRead(this.#graph, node, source, number, type)) {
        if (keys.size === 1) return void (isGather ? frozen.gathers : frozen.reads).push(use);
        this.torn.add(node.function);
      }
    }
    // What else is done with it may change it; what a function does, is seen in its body.
    if (this.#graph.calls(node).length > 0 || isHarmless(node.type)) return;
    for (const key of keys) this.#kept.add(key);
  }

  found(): Pick<Found, 'frozen' | 'kept'> {
    const frozen = [...this.#byKey].flatMap(([key, each]) =>
      !this.#kept.has(key) && each.reads.length + each.gathers.length > 0 ? [each] : [],
    );
    return { frozen, kept: [...this.#kept] };
  }
}

/** One variable may have several ops: their shared name is what tells it. */
function keyOf(node: ModelNode): string {
  const own = node.function === '' ? node.name : `${node.function}/${node.name}`;
  return `${textAttribute(node.def, 'container') ?? ''}\n${textAttribute(node.def, 'shared_name') || own}`;
}

export function dtypeOf(node: ModelNode): number | undefined {
  return typeAttribute(node.def, 'dtype');
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

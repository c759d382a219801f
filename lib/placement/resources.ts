/**
 * Which ops TensorFlow keeps beside a variable, a table or another resource, and where the resource itself will be.
 *
 * What is asked for such an op gives way to the resource's own device, silently, even where soft placement is off. A
 * resource of which nothing is said goes the other way, within its own graph or function: to the first of its users
 * that was asked somewhere.
 */

import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import { joinColocated, membersOf, Sets } from './colocation.js';
import type { ModelGraph, ModelNode, Source } from './model-graph.js';

/** Ops that make a handle, which ties whatever is given it. */
const HANDLES =
  /^(\w*HandleOp|(Mutable)?(Dense)?HashTable(OfTensors)?V2|Anonymous\w*HashTable\w*|(FIFO|PaddingFIFO|Priority|RandomShuffle)QueueV2|(Fixed)?\w*ReaderV2|StackV2|(Anonymous|OneShot)?(MultiDevice)?Iterator(V[23])?|ResourceConditionalAccumulator|MutexV2|SummaryWriter)$/;
/**
 * Ops that make a reference, as variables did in TensorFlow 1: others read its value without being tied. An array of
 * tensors is like them: what flows through a loop is its second output, an ordinary number.
 */
const REFERENCES =
  /^(TensorArrayV3|Variable|VariableV2|TemporaryVariable|(Mutable)?(Dense)?HashTable(OfTensors)?)$/;
/** Ops that take a reference as their first input. */
const REFERENCE_USERS =
  /^(Assign(Add|Sub)?|(Sparse)?Apply[A-Z]\w*|Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max)|StridedSliceAssign|IsVariableInitialized|CountUpTo|DestroyTemporaryVariable|TensorArray\w+V3|Ref[A-Z]\w*|LookupTable\w+|InitializeTable\w*)$/;
/** Ops that hand resources to functions and don't touch them. */
const FREE = /^((Stateful)?PartitionedCall|RemoteCall|\w+Dataset(V\d+)?)$/;

const FIRST_REFERENCE_TYPE = 100;

/** A function of a text that is asked for a few texts, each many times. */
export function remembered<T>(of: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    if (!known.has(text)) known.set(text, of(text));
    return known.get(text)!;
  };
}

const isHandle = remembered((type) => HANDLES.test(type));
const isReference = remembered((type) => REFERENCES.test(type));
const takesReference = remembered((type) => REFERENCE_USERS.test(type));
const isFree = remembered((type) => FREE.test(type));

/** Whether the op makes a variable, a table or another thing that lives on a device. */
export function isResource({ type }: ModelNode): boolean {
  return isHandle(type) || isReference(type);
}

/** `_lower_using_switch_merge`: TensorFlow takes the op apart before it places, and its parts are tied one by one. */
export function isTakenApart(node: ModelNode): boolean {
  const value = node.def.attr._lower_using_switch_merge?.value;
  return value?.case === 'b' && value.value;
}

/** What decides where a resource is. */
export interface HomeOptions {
  /** The device asked for a node, else the one that counts of the model, else `''`. */
  deviceOf: (node: ModelNode) => string;
  /** Where a group of nodes goes of which nothing is said. */
  defaultDevice: (group: readonly ModelNode[]) => string;
}

export class ResourceTies {
  readonly #graph: ModelGraph;
  readonly #ties = new Map<ModelNode, readonly ModelNode[]>();
  readonly #sets = new Sets();
  readonly #groups: ReturnType<typeof membersOf>;

  /** @param untied Numbers of nodes whose `_class` does not count. */
  constructor(graph: ModelGraph, untied?: ReadonlySet<number>) {
    this.#graph = graph;
    joinColocated(graph, this.#sets, untied);
    for (const node of graph.nodes) {
      const origins = originsOf(graph, node);
      if (origins.length === 0) continue;
      this.#ties.set(node, origins);
      for (const origin of origins) {
        if (origin.function !== node.function) continue;
        this.#sets.join(node, origin);
      }
    }
    this.#groups = membersOf(graph, this.#sets);
  }

  /** The resources that the node has to be beside. */
  of(node: ModelNode): readonly ModelNode[] {
    return this.#ties.get(node) ?? [];
  }

  /** The device where a resource will be, as it was asked for or saved; a default only where nobody in its group says anything. */
  home(resource: ModelNode, { deviceOf, defaultDevice }: HomeOptions): string {
    const group = this.#groups.get(this.#sets.root(resource)) ?? [resource];
    const own = deviceOf(resource);
    if (own !== '') return own;
    const said = [...group.filter(isResource), ...group].find((node) => deviceOf(node) !== '');
    if (said !== undefined) return deviceOf(said);
    return this.#inherited(resource.function, deviceOf) || defaultDevice(group);
  }

  /** In a function, what nothing is said of runs where the call does. */
  #inherited(scope: string, deviceOf: HomeOptions['deviceOf']): string {
    const seen = new Set<string>();
    for (const open = [scope]; open.length > 0; ) {
      const name = open.pop()!;
      if (name === '' || seen.has(name)) continue;
      seen.add(name);
      for (const caller of this.#graph.callers(name)) {
        if (deviceOf(caller) !== '') return deviceOf(caller);
        open.push(caller.function);
      }
    }
    return '';
  }
}

function originsOf(graph: ModelGraph, node: ModelNode): readonly ModelNode[] {
  if (node.def.input.length === 0 || isFree(node.type) || graph.functions.has(node.type)) return [];
  const origins = new Set<ModelNode>();
  for (const [number, source] of graph.inputs(node).entries()) {
    if (!mayBeResource(graph, source, node.function)) continue;
    for (const origin of graph.resourceOrigins(node, number)) {
      const isReferred = number === 0 && isReference(origin.type) && takesReference(node.type);
      if ((isHandle(origin.type) || isReferred) && origin !== node) origins.add(origin);
    }
  }
  return [...origins];
}

/** Most inputs are not, which is told without following them. */
function mayBeResource(graph: ModelGraph, { node, arg }: Source, scope: string): boolean {
  if (node !== undefined) return isResource(node) || graph.handsOn(node);
  if (arg === undefined) return false;
  const type = graph.functions.get(scope)?.signature.inputArg[arg]?.type ?? 0;
  // 0: the function's own attribute says it.
  return type === 0 || type === DataType.DT_RESOURCE || type > FIRST_REFERENCE_TYPE;
}

/**
 * Which ops TensorFlow keeps beside a variable, a table or another resource, and where the resource itself will be.
 *
 * What is asked for such an op gives way to the resource's own device, silently, even where soft placement is off. A
 * resource of which nothing is said goes the other way, within its own graph or function: to the first of its users
 * that was asked somewhere.
 */

import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import { remembered } from '../remember.js';
import { areOne, joinColocated, membersOf, Sets } from './colocation.js';
import { deviceMatches } from './device.js';
import type { KernelLookup } from './kernels.js';
import type { ModelGraph, ModelNode, Source } from './model-graph.js';
import type { Slices } from './slices.js';

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
  devices: readonly { name: string; type: string }[];
  kernels: KernelLookup;
}

export class ResourceTies {
  readonly #graph: ModelGraph;
  readonly #options: HomeOptions;
  readonly #slices: Slices;
  readonly #ties = new Map<ModelNode, readonly ModelNode[]>();
  readonly #sets: Sets;
  #groups: Awaited<ReturnType<typeof membersOf>> = new Map();
  /** What is said in a group, and whether it can be on a type of devices. */
  readonly #said = new Map<readonly ModelNode[], readonly string[]>();
  readonly #fits = new Map<readonly ModelNode[], Map<string, boolean>>();
  readonly #inheritedBy = new Map<string, readonly string[]>();
  /** The devices that can be all of what is said, by that, a line each. */
  readonly #open: (said: string) => HomeOptions['devices'];

  private constructor(graph: ModelGraph, options: HomeOptions, slices: Slices) {
    this.#graph = graph;
    this.#sets = new Sets(graph);
    this.#options = options;
    this.#slices = slices;
    this.#open = remembered((said) => devicesFor(said.split('\n'), options.devices));
  }

  /** @param untied Numbers of nodes whose `_class` does not count. */
  static async find(
    graph: ModelGraph,
    options: HomeOptions,
    slices: Slices,
    untied?: ReadonlySet<number>,
  ): Promise<ResourceTies> {
    const ties = new ResourceTies(graph, options, slices);
    await joinColocated(graph, ties.#sets, slices, untied);
    for (const node of graph.nodes) {
      // Following one handle through many calls may take long: the clock is looked at for each.
      if (slices.isOver(0)) await slices.next();
      const origins = originsOf(graph, node);
      if (origins.length === 0) continue;
      ties.#ties.set(node, origins);
      for (const origin of origins) {
        if (origin.function === node.function) ties.#sets.join(node, origin);
      }
    }
    ties.#groups = await membersOf(graph, ties.#sets, slices);
    return ties;
  }

  /** The resources that the node has to be beside. */
  of(node: ModelNode): readonly ModelNode[] {
    return this.#ties.get(node) ?? [];
  }

  /**
   * The device of the session where a resource will be, as it was asked for or saved; a default only as far as its
   * group leaves that open. `''` where the session has no such device.
   */
  async home(resource: ModelNode): Promise<string> {
    return (await this.homes(resource)).devices[0]!;
  }

  /** The same for any op: several where its function is called from several devices; whether nothing is said of it; whether others go with it. */
  async homes(node: ModelNode): Promise<{ devices: string[]; isDefault: boolean; isTied: boolean }> {
    const group = this.#groups.get(this.#sets.root(node.index)) ?? [node];
    const said = [this.#options.deviceOf(node), ...(await this.#saidIn(group))].filter(Boolean);
    // In a function, what nothing is said of runs where the call does.
    const each = said.length > 0 ? [said.join('\n')] : this.#inherited(node.function);
    const devices = new Set<string>();
    for (const of of each) devices.add(await this.#choose(group, of));
    return { devices: [...devices], isDefault: each.includes(''), isTied: group.length > 1 };
  }

  async #choose(group: readonly ModelNode[], said: string): Promise<string> {
    const open = this.#open(said);
    for (const { name, type } of open) if (await this.#fit(group, type)) return name;
    return open.at(-1)?.name ?? '';
  }

  /** The devices that are said in a group, each once, those of its resources first. */
  async #saidIn(group: readonly ModelNode[]): Promise<readonly string[]> {
    let said = this.#said.get(group);
    if (said === undefined) {
      const [ofResources, ofOthers] = [new Set<string>(), new Set<string>()];
      for (const [i, node] of group.entries()) {
        if (this.#slices.isOver(i)) await this.#slices.next();
        (isResource(node) ? ofResources : ofOthers).add(this.#options.deviceOf(node));
      }
      said = [...ofResources, ...ofOthers];
      this.#said.set(group, said);
    }
    return said;
  }

  /** Whether all of a group can be on a type of devices. */
  async #fit(group: readonly ModelNode[], type: string): Promise<boolean> {
    const known = this.#fits.get(group) ?? new Map<string, boolean>();
    this.#fits.set(group, known);
    let fits = known.get(type);
    for (let i = 0; fits === undefined; i++) {
      if (this.#slices.isOver(0)) await this.#slices.next();
      if (i === group.length) fits = true;
      else if (this.#options.kernels(group[i]!, type) === 'no') fits = false;
    }
    known.set(type, fits);
    return fits;
  }

  /** The devices of the nearest calls of which something is said; `''`, the last, for calls of which nothing is. */
  #inherited(scope: string): readonly string[] {
    const known = this.#inheritedBy.get(scope);
    if (known !== undefined) return known;
    const { deviceOf } = this.#options;
    const found = new Set<string>();
    const seen = new Set<string>();
    for (const open = [scope]; open.length > 0; ) {
      const name = open.pop()!;
      if (seen.has(name)) continue;
      seen.add(name);
      for (const caller of this.#graph.callers(name)) {
        if (deviceOf(caller) !== '') found.add(deviceOf(caller));
        else open.push(caller.function);
      }
    }
    const isDefault = seen.has('') || found.size === 0;
    const inherited = [...found, ...(isDefault ? [''] : [])];
    this.#inheritedBy.set(scope, inherited);
    return inherited;
  }
}

/** What TensorFlow chooses from where this is said, the preferred first. */
export function devicesFor(said: readonly string[], devices: HomeOptions['devices']): HomeOptions['devices'] {
  const decided: string[] = [];
  // Who says `/CPU:*` leaves the number to those after it; who contradicts those before it gives way.
  for (const device of said) if (areOne([...decided, device])) decided.push(device);
  return devices
    .filter(({ name }) => decided.every((device) => device === '' || deviceMatches(device, name)))
    .sort((a, b) => rank(a) - rank(b));
}

/** A plug-in's devices come first, XLA's own (of TensorFlow 1.13 to 2.3) last. */
function rank({ type }: { type: string }): number {
  if (type.startsWith('XLA_')) return 3;
  return type === 'CPU' ? 2 : type === 'GPU' ? 1 : 0;
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

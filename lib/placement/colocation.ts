/** Groups of ops that a model ties together: TensorFlow runs each group on one device, whatever is asked for its members. */
import { isForgotten } from './assign.js';
import { deviceLookup } from './check-devices.js';
import { deviceMatches, parseDevice } from './device.js';
import type { ModelGraph, ModelNode } from './model-graph.js';
import { Slices } from './slices.js';

const CLASS = '_class';
const PREFIX = 'loc:@';

/** The names that the node is tied to, as its `_class` says. */
export function colocatedWith(node: ModelNode): string[] {
  const value = node.def.attr[CLASS]?.value;
  if (value?.case !== 'list') return [];
  return value.value.s
    .map((bytes) => Buffer.from(bytes).toString())
    .filter((text) => text.startsWith(PREFIX))
    .map((text) => text.slice(PREFIX.length));
}

/** Nodes joined into sets. By number: a map of so many holds the event loop whenever it grows. */
export class Sets {
  /** The one that stands for a set is its own parent. */
  readonly #parents: number[];
  readonly #sizes: number[];
  /** Names within a scope that no node bears; their numbers come after those of the nodes. */
  readonly #names = new Map<string, number>();

  constructor(graph: ModelGraph) {
    this.#parents = graph.nodes.map((_, i) => i);
    this.#sizes = graph.nodes.map(() => 1);
  }

  /** How many are joined in the set that a root stands for. */
  size(root: number): number {
    return this.#sizes[root]!;
  }

  /** The number that stands for all of a set. */
  root(of: number): number {
    let root = of;
    while (this.#parents[root] !== root) root = this.#parents[root]!;
    return root;
  }

  join(node: ModelNode, other: ModelNode | string): void {
    const number = typeof other === 'string' ? this.#numberOf(other) : other.index;
    let [small, large] = [this.root(node.index), this.root(number)];
    if (small === large) return;
    if (this.size(small) > this.size(large)) [small, large] = [large, small];
    // The small under the large: the way to a root stays short, however long the chain of ties is.
    this.#parents[small] = large;
    this.#sizes[large]! += this.size(small);
  }

  #numberOf(name: string): number {
    const number = this.#names.get(name) ?? this.#parents.length;
    if (number === this.#parents.length) {
      this.#names.set(name, number);
      this.#parents.push(number);
      this.#sizes.push(1);
    }
    return number;
  }
}

/** Joins what `_class` ties. Groups go by name: one whose name no op bears, as after pruning, ties its members all the same. */
export async function joinColocated(
  graph: ModelGraph,
  sets: Sets,
  slices: Slices,
  except?: ReadonlySet<number>,
): Promise<void> {
  for (const node of graph.nodes) {
    if (slices.isOver(node.index)) await slices.next();
    if (except?.has(node.index)) continue;
    for (const name of colocatedWith(node)) {
      sets.join(node, graph.find(name, node.function) ?? `${node.function}\n${name}`);
    }
  }
}

/** The members of each set, by its root, in the order of the graph; sets of one are left out. */
export async function membersOf(
  graph: ModelGraph,
  sets: Sets,
  slices: Slices,
): Promise<Map<number, ModelNode[]>> {
  const members = new Map<number, ModelNode[]>();
  for (const node of graph.nodes) {
    if (slices.isOver(node.index)) await slices.next();
    const root = sets.root(node.index);
    if (sets.size(root) === 1) continue;
    const group = members.get(root);
    if (group === undefined) members.set(root, [node]);
    else group.push(node);
  }
  // Of a name that no op bears there may be one member alone.
  for (const [root, group] of members) if (group.length < 2) members.delete(root);
  return members;
}

/** Groups of two and more nodes; ties are transitive, within the main graph or one function's body. */
export async function colocationGroups(graph: ModelGraph, slices = new Slices()): Promise<ModelNode[][]> {
  const sets = new Sets(graph);
  await joinColocated(graph, sets, slices);
  return [...(await membersOf(graph, sets, slices)).values()];
}

/** What is wished for a graph. */
export interface Wishes {
  /** The device asked for, by node; `''` for none. */
  requested: (node: number) => string;
  isHousekeeping: (node: number) => boolean;
  /** What the session has. */
  devices: readonly { name: string; type: string }[];
  /**
   * Whether the devices saved in the model are forgotten. Left out, they count for where variables are, and one that
   * the session lacks is nobody's fault.
   */
  clearDevices?: boolean | undefined;
}

/** The device of the model that counts for a node of which nothing is asked. */
export function savedDevice({ clearDevices, isHousekeeping }: Wishes): (node: ModelNode) => string {
  if (clearDevices !== true) return (node) => node.saved;
  return ({ index, saved }) => (isForgotten(saved, isHousekeeping(index)) ? '' : saved);
}

/**
 * Groups that requests tear apart: a member is asked onto one device, another onto a different one, or was saved there.
 * Members of which nothing is said go along with the others.
 */
export async function tornGroups(
  graph: ModelGraph,
  wishes: Wishes,
  slices = new Slices(),
): Promise<ModelNode[][]> {
  const { requested, devices } = wishes;
  const saved = savedDevice(wishes);
  const has = deviceLookup(devices);
  const torn: ModelNode[][] = [];
  for (const group of await colocationGroups(graph, slices)) {
    const names = new Set<string>();
    let isAsked = false;
    for (const [i, node] of group.entries()) {
      if (slices.isOver(i)) await slices.next();
      const asked = requested(node.index);
      isAsked ||= asked !== '';
      names.add(asked || saved(node));
    }
    names.delete('');
    const all = [...names];
    // `/CPU:*` and `/device:*:1` are one device, but not where there is no second CPU.
    const isThere = () => devices.some(({ name }) => all.every((each) => deviceMatches(each, name)));
    const isTorn = isAsked && all.length > 1 && (!areOne(all) || (all.every(has) && !isThere()));
    if (isTorn) torn.push(group);
  }
  return torn;
}

/** The numbers of the nodes whose `_class` has to go so that the requests can be held. */
export async function nodesToUntie(
  graph: ModelGraph,
  wishes: Wishes,
  slices = new Slices(),
): Promise<Set<number>> {
  const untied = new Set<number>();
  for (const group of await tornGroups(graph, wishes, slices)) {
    for (const [i, node] of group.entries()) {
      if (slices.isOver(i)) await slices.next();
      if (colocatedWith(node).length > 0) untied.add(node.index);
    }
  }
  return untied;
}

/** Whether one device can be all of these: `/cpu:0`, `/device:CPU:*` and `''` can. */
export function areOne(devices: Iterable<string>): boolean {
  const parts = new Map<string, string | number>();
  for (const device of new Set(devices)) {
    for (const [part, value] of Object.entries(partsOf(device))) {
      if (value === undefined) continue;
      if ((parts.get(part) ?? value) !== value) return false;
      parts.set(part, value);
    }
  }
  return true;
}

/** What a model has saved need not be a device name that can be read; it is one with itself, then. */
function partsOf(device: string): Partial<Record<string, string | number>> {
  try {
    return device === '' ? {} : { ...parseDevice(device) };
  } catch {
    return { type: device };
  }
}

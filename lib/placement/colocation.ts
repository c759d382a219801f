/** Groups of ops that a model ties together: TensorFlow runs each group on one device, whatever is asked for its members. */
import { parseDevice } from './device.js';
import type { ModelGraph, ModelNode } from './model-graph.js';

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

/** What is joined: a node, or a name within a scope that no node bears. */
type Member = ModelNode | string;

/** Nodes joined into sets. */
export class Sets {
  readonly #parents = new Map<Member, Member>();
  readonly #members = new Set<Member>();

  /** Whether the node was joined to any. */
  has(node: ModelNode): boolean {
    return this.#members.has(node);
  }

  /** The member that stands for all of its set. */
  root(member: Member): Member {
    let root = member;
    for (let up = this.#parents.get(root); up !== undefined; up = this.#parents.get(root)) root = up;
    // Shortens the way for the next time.
    for (let at = member; at !== root; ) {
      const up = this.#parents.get(at)!;
      this.#parents.set(at, root);
      at = up;
    }
    return root;
  }

  join(a: Member, b: Member): void {
    this.#members.add(a).add(b);
    const [from, to] = [this.root(a), this.root(b)];
    if (from !== to) this.#parents.set(from, to);
  }
}

/** Joins what `_class` ties. Groups go by name: one whose name no op bears, as after pruning, ties its members all the same. */
export function joinColocated(graph: ModelGraph, sets: Sets, except?: ReadonlySet<number>): void {
  for (const node of graph.nodes) {
    if (except?.has(node.index)) continue;
    for (const name of colocatedWith(node)) {
      sets.join(node, graph.find(name, node.function) ?? `${node.function}\n${name}`);
    }
  }
}

/** The members of each set, in the order of the graph; sets of one are left out. */
export function membersOf(graph: ModelGraph, sets: Sets): Map<Member, ModelNode[]> {
  const members = new Map<Member, ModelNode[]>();
  for (const node of graph.nodes) {
    if (!sets.has(node)) continue;
    const root = sets.root(node);
    const group = members.get(root);
    if (group === undefined) members.set(root, [node]);
    else group.push(node);
  }
  for (const [root, group] of members) if (group.length < 2) members.delete(root);
  return members;
}

/** Groups of two and more nodes; ties are transitive, within the main graph or one function's body. */
export function colocationGroups(graph: ModelGraph): ModelNode[][] {
  const sets = new Sets();
  joinColocated(graph, sets);
  return [...membersOf(graph, sets).values()];
}

/**
 * Groups that requests tear apart: a member is asked onto one device, another onto a different one, or was saved there.
 * Members of which nothing is said go along with the others.
 *
 * @param saved The device of a node that was not asked anywhere. Default: what the model says.
 */
export function tornGroups(
  graph: ModelGraph,
  requested: readonly string[],
  saved: (node: ModelNode) => string = (node) => node.saved,
): ModelNode[][] {
  return colocationGroups(graph).filter(
    (group) =>
      group.some((node) => requested[node.index] !== '') &&
      !areOne(group.map((node) => requested[node.index] || saved(node))),
  );
}

/** The numbers of the nodes whose `_class` has to go so that the requests can be held. */
export function nodesToUntie(graph: ModelGraph, requested: readonly string[]): number[] {
  return tornGroups(graph, requested).flatMap((group) =>
    group.filter((node) => colocatedWith(node).length > 0).map((node) => node.index),
  );
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

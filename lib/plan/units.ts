/** Which ops can only move together: what works on one variable, what is tied, and what TensorFlow has fused. */
import { groupBy } from '../group.js';
import { colocatedWith, Sets } from '../placement/colocation.js';
import { isDownstream, isUpstream } from '../placement/control-flow.js';
import type { KernelLookup } from '../placement/kernels.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import type { Fusion } from '../placement/report/fusion.js';
import { isState } from '../placement/report/reason.js';
import type { PlacementRule } from '../placement/rules.js';
import { Slices } from '../placement/slices.js';
import type { RunGraph, RunNode } from './run-graph.js';

/** What the search for better placements goes by. */
export interface UnitsInput {
  readonly graph: ModelGraph;
  readonly run: RunGraph;
  /** The device asked for, by node; `''` for none. */
  readonly requested: readonly string[];
  readonly fusions: ReadonlyMap<ModelNode, Fusion>;
  readonly kernels: KernelLookup | undefined;
}

/** What a function is given, where TensorFlow has inlined it: placed with what it comes from. */
const GIVEN = /^Func\/.*\/input\/_\d+$/;
/** Ops of control flow, one behind the other. */
const MOST_STEPS = 16;

/** Ops that move together, and the nodes in which they ran. */
export interface Unit {
  readonly ops: readonly ModelNode[];
  readonly nodes: readonly RunNode[];
}

export class Units {
  readonly #of = new Map<RunNode, Unit>();

  private constructor() {}

  static async find(input: UnitsInput): Promise<Units> {
    const units = new Units();
    await units.#find(input);
    return units;
  }

  async #find({ graph, run, fusions }: UnitsInput): Promise<void> {
    const slices = new Slices();
    const sets = new Sets(graph);
    const ran = new Set(run.nodes.flatMap(({ op }) => op ?? []));
    const members = new Set(ran);
    for (const [node, { survivor }] of fusions) {
      members.add(node);
      sets.join(node, survivor);
    }
    for (const node of ran) {
      if (slices.isOver(0)) await slices.next();
      if (graph.calls(node).length > 0) continue;
      for (let i = 0; i < graph.inputs(node).length; i++) {
        for (const origin of graph.resourceOrigins(node, i)) {
          if (origin === node || !isState(origin)) continue;
          members.add(origin);
          sets.join(node, origin);
        }
      }
      for (const name of colocatedWith(node)) sets.join(node, graph.find(name, node.function) ?? name);
    }
    const ops = groupBy(members, ({ index }) => sets.root(index));
    const nodes = groupBy(run.nodes, (node) => {
      const { op } = leaderOf(node);
      return op && sets.root(op.index);
    });
    for (const [root, own] of nodes) {
      if (root === undefined) continue;
      addHandles(own);
      const unit = { ops: ops.get(root) ?? [], nodes: own };
      for (const node of own) this.#of.set(node, unit);
    }
  }

  /** Undefined for what is TensorFlow's own: no rule speaks of it. */
  of(node: RunNode): Unit | undefined {
    return this.#of.get(node);
  }
}

/**
 * Rules for these ops by name: what follows its variable needs none of its own.
 */
export function rulesFor(ops: readonly ModelNode[], device: string, graph: ModelGraph): PlacementRule[] {
  const states = ops.filter(isState);
  const followers = (node: ModelNode) =>
    states.length > 0 &&
    !isState(node) &&
    graph.inputs(node).some((_, i) => graph.resourceOrigins(node, i).some((each) => states.includes(each)));
  return ops
    .filter((node) => !followers(node) || node.saved !== '')
    .map(({ name, function: scope }) => {
      const isAlone = scope === '' && ![...graph.functions.values()].some(({ nodes }) => nodes.has(name));
      return isAlone ? { op: name, device } : { op: name, function: scope, device };
    });
}

/** What decides where a node is: itself, or the neighbour with which it goes along. */
function leaderOf(node: RunNode): RunNode {
  let at = node;
  for (let step = 0; step < MOST_STEPS; step++) {
    const next =
      isUpstream(at.type) || GIVEN.test(at.name)
        ? at.inputs.find(({ output }) => output >= 0)?.node
        : isDownstream(at.type)
          ? at.users[0]
          : undefined;
    if (next === undefined || next.device !== node.device) return at;
    at = next;
  }
  return at;
}

/** TensorFlow's own nodes that pass a variable's handle on are wherever the variable is. */
function addHandles(own: RunNode[]): void {
  const seen = new Set(own);
  const open = own.filter(({ op }) => op !== undefined && isState(op));
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const user of node.users) {
      const passes = user.inputs.some((input) => input.node === node && input.output >= 0);
      if (!passes || user.op !== undefined || user.device !== node.device || seen.has(user)) continue;
      seen.add(user);
      own.push(user);
      open.push(user);
    }
  }
}

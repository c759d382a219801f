/** Moves of ops from device to device, and what each would save of the bytes that cross in a run. */
import { deviceType } from '../placement/device.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import { isState } from '../placement/report/reason.js';
import type { RunGraph, RunNode } from './run-graph.js';
import { type Unit, Units, type UnitsInput } from './units.js';

/** An output of a node that is taken on another device: sent there once in a run, whoever takes it. */
export interface Crossing {
  readonly source: RunNode;
  readonly output: number;
  readonly to: string;
  readonly bytes: number;
}

export interface Move {
  readonly device: string;
  readonly ops: readonly ModelNode[];
  readonly nodes: ReadonlySet<RunNode>;
  /** Bytes of a run that would cross no more, less those that would instead. */
  readonly saved: number;
  /** Whether one of the ops is where a rule or the run's device asked for. */
  readonly isAsked: boolean;
}

const CONTROL_FLOW = /^((Ref)?(Merge|Switch|Enter|Exit|NextIteration)|LoopCond)$/;
/** Nodes of an island: larger ones are not moved as a whole, which nobody would write rules for. */
const MOST_MOVED = 100;

export function crossingsOf(run: RunGraph): Crossing[] {
  const found = new Map<string, Crossing>();
  const numbers = new Map(run.nodes.map((node, i) => [node, i]));
  for (const user of run.nodes) {
    for (const { node: source, output } of user.inputs) {
      if (output < 0 || source.device === user.device) continue;
      const key = `${numbers.get(source)} ${output} ${user.device}`;
      if (found.has(key) || user.events.length === 0) continue;
      const bytes = source.bytes(output);
      if (bytes > 0) found.set(key, { source, output, to: user.device, bytes });
    }
  }
  return [...found.values()];
}

/** Who takes it there: one at least. */
function takersOf({ source, output, to }: Crossing): RunNode[] {
  return source.users.filter(
    (user) =>
      user.device === to && user.inputs.some((each) => each.node === source && each.output === output),
  );
}

export class Moves {
  readonly #input: UnitsInput;
  readonly #units: Units;
  /** Of each node that was met, what hangs together with it. */
  readonly #islands = new Map<RunNode, Unit[]>();

  private constructor(input: UnitsInput, units: Units) {
    this.#input = input;
    this.#units = units;
  }

  static async find(input: UnitsInput): Promise<Moves> {
    return new Moves(input, await Units.find(input));
  }

  /** Those that come into question for crossings: the maker to where it is taken, the takers to where it is made, all that is alike, and what hangs together. */
  *of(crossings: readonly Crossing[]): Generator<Move> {
    const alike = new Map<string, Set<Unit>>();
    for (const crossing of crossings) {
      const { source, to } = crossing;
      const maker = this.#units.of(source);
      const takers = takersOf(crossing);
      if (maker !== undefined) {
        yield* this.#move([maker], to);
        const key = `${source.device}\n${to}`;
        if (maker.ops.some(isState)) alike.set(key, (alike.get(key) ?? new Set()).add(maker));
        yield* this.#move(this.#island(source, source.device), to);
      }
      const units = takers.flatMap((taker) => this.#units.of(taker) ?? []);
      if (units.length < takers.length) continue;
      yield* this.#move(units, source.device);
      yield* this.#move(this.#island(takers[0]!, to), source.device);
    }
    for (const [key, makers] of alike)
      if (makers.size > 1) yield* this.#move([...makers], key.split('\n')[1]!);
  }

  /** Whether a crossing would be none any more. */
  ends(move: Move, crossing: Crossing): boolean {
    const on = (node: RunNode) => (move.nodes.has(node) ? move.device : node.device);
    const from = on(crossing.source);
    return takersOf(crossing).every((taker) => on(taker) === from);
  }

  *#move(units: readonly Unit[], device: string): Generator<Move> {
    const nodes = new Set<RunNode>();
    const ops = new Set<ModelNode>();
    for (const unit of new Set(units)) {
      for (const node of unit.nodes) if (node.device !== device) nodes.add(node);
      for (const op of unit.ops) ops.add(op);
    }
    if (nodes.size === 0) return;
    const { graph, kernels, requested } = this.#input;
    for (const op of ops) {
      if (isFixed(op, graph) || kernels?.(op, deviceType(device)) === 'no') return;
    }
    yield {
      device,
      ops: [...ops],
      nodes,
      saved: this.#saved(nodes, device),
      isAsked: [...ops].some(({ index }) => requested[index] !== ''),
    };
  }

  /** What hangs together with a node on its device. */
  #island(from: RunNode, device: string): Unit[] {
    const known = this.#islands.get(from);
    if (known !== undefined) return known;
    const seen = new Set<RunNode>([from]);
    const units = new Set<Unit>();
    const open = [from];
    for (let node = open.pop(); node !== undefined && seen.size <= MOST_MOVED; node = open.pop()) {
      const unit = this.#units.of(node);
      if (unit === undefined) continue;
      units.add(unit);
      const near = [
        ...unit.nodes,
        ...node.users,
        ...node.inputs.flatMap(({ node: source, output }) => (output < 0 ? [] : source)),
      ];
      for (const each of near) {
        if (each.device !== device || seen.has(each)) continue;
        seen.add(each);
        open.push(each);
      }
    }
    const island = seen.size > MOST_MOVED ? [] : [...units];
    for (const node of seen) this.#islands.set(node, island);
    return island;
  }

  /** Each output is sent once to each device on which it is taken. */
  #saved(moved: ReadonlySet<RunNode>, device: string): number {
    const touched = new Set<RunNode>();
    for (const node of moved) {
      touched.add(node);
      for (const { node: source, output } of node.inputs) if (output >= 0) touched.add(source);
    }
    const on = (node: RunNode) => (moved.has(node) ? device : node.device);
    let change = 0;
    for (const source of touched) {
      const before = new Map<number, Set<string>>();
      const after = new Map<number, Set<string>>();
      for (const user of source.users) {
        if (user.events.length === 0) continue;
        for (const { node, output } of user.inputs) {
          if (node !== source || output < 0) continue;
          if (user.device !== source.device) add(before, output, user.device);
          if (on(user) !== on(source)) add(after, output, on(user));
        }
      }
      for (const output of new Set([...before.keys(), ...after.keys()])) {
        change += source.bytes(output) * ((before.get(output)?.size ?? 0) - (after.get(output)?.size ?? 0));
      }
    }
    return change;
  }
}

/**
 * Whether an op is left where it is: a call, which decides for ops of the function that have no device of their own; and the control flow
 * of TensorFlow 1, which goes along with its neighbours.
 */
function isFixed(op: ModelNode, graph: ModelGraph): boolean {
  return CONTROL_FLOW.test(op.type) || graph.calls(op).length > 0;
}

function add(into: Map<number, Set<string>>, output: number, device: string): void {
  const all = into.get(output);
  if (all === undefined) into.set(output, new Set([device]));
  else all.add(device);
}

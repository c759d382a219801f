/** The crossings between devices that cost most, each with the rules that would remove it. */

import { counted, formatBytes } from '../format.js';
import { shortDevice } from '../placement/device.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import { isState } from '../placement/report/reason.js';
import type { TensorNames } from '../placement/report/tensor-names.js';
import type { PlacementRule } from '../placement/rules.js';
import { Slices } from '../placement/slices.js';
import { type Crossing, crossingsOf, type Move, Moves } from './moves.js';
import { rulesFor, type UnitsInput } from './units.js';

/** A piece of advice. */
export interface LintFinding {
  /** In a sentence: what crosses, and what would end it. */
  readonly message: string;
  /** By their full names. */
  readonly from: string;
  readonly to: string;
  /** What would cross no more, as in `transfers`. */
  readonly tensors: readonly string[];
  /** Bytes that all transfers of a run come to now, and with these rules. */
  readonly bytes: number;
  readonly predictedBytes: number;
  /** To be put before the others. */
  readonly rules: readonly PlacementRule[];
}

const MOST_FINDINGS = 10;
/** Of all that crosses: less is not worth a rule. */
const LEAST_SHARE = 0.001;
/** What a rule has asked for is not contradicted unless that saves so much more. */
const ASKED_COUNTS = 0.5;
/** Of what a finding ends, so much no better one may have ended. */
const FRESH_SHARE = 0.5;
/** What only hands a variable's value on. */
const READS = /^(ReadVariableOp|Identity)$/;
/** Crossings that moves are sought for, the largest first. */
const MOST_CROSSINGS = 200;

/**
 * The moves that save most, each on its own, the best first. What ends mostly crossings that a better one ends is left out.
 *
 * @param names of the tensors, as in the model
 * @param total bytes of all transfers of a run
 */
export async function lint(input: UnitsInput, names: TensorNames, total: number): Promise<LintFinding[]> {
  const slices = new Slices();
  const moves = await Moves.find(input);
  const crossings = crossingsOf(input.run)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, MOST_CROSSINGS);
  const worthwhile: Move[] = [];
  for (const move of moves.of(crossings)) {
    if (slices.isOver(0)) await slices.next();
    if (move.saved > LEAST_SHARE * total) worthwhile.push(move);
  }
  const open = new Set(crossings);
  const spokenOf = new Set<ModelNode>();
  const found: LintFinding[] = [];
  for (const move of worthwhile.sort(byWorth)) {
    if (found.length === MOST_FINDINGS) break;
    if (slices.isOver(0)) await slices.next();
    // To move the same ops elsewhere would be another answer to what has one.
    if (move.ops.every((op) => spokenOf.has(op))) continue;
    const ended = crossings.filter((crossing) => moves.ends(move, crossing));
    const fresh = ended.filter((crossing) => open.has(crossing));
    if (fresh.length === 0 || bytesOf(fresh) < FRESH_SHARE * bytesOf(ended)) continue;
    for (const crossing of ended) open.delete(crossing);
    for (const op of move.ops) spokenOf.add(op);
    found.push({ ...findingOf(move, ended, total, input.graph), tensors: tensorsOf(ended, names) });
  }
  return found;
}

function bytesOf(crossings: readonly Crossing[]): number {
  return crossings.reduce((sum, { bytes }) => sum + bytes, 0);
}

function byWorth(a: Move, b: Move): number {
  const worth = (move: Move) => move.saved * (move.isAsked ? ASKED_COUNTS : 1);
  return worth(b) - worth(a) || a.ops.length - b.ops.length;
}

function tensorsOf(crossings: readonly Crossing[], names: TensorNames): string[] {
  return [...new Set(crossings.map(({ source, output }) => names.at(source.events[0]!, output).tensor))];
}

function findingOf(
  move: Move,
  ended: readonly Crossing[],
  total: number,
  graph: ModelGraph,
): Omit<LintFinding, 'tensors'> {
  const [first] = ended;
  const crossing = bytesOf(ended);
  const ways = new Set(ended.map(({ source, to }) => `${shortDevice(source.device)} -> ${shortDevice(to)}`));
  const device = shortDevice(move.device);
  const variables = move.ops.filter(isState);
  const isWeights = variables.length > 0 && move.ops.every((op) => isState(op) || READS.test(op.type));
  const what = counted(ended.length, isWeights ? 'weight' : 'tensor');
  const verb = ended.length === 1 ? 'crosses' : 'cross';
  return {
    message: `${what} (${formatBytes(crossing)}) ${verb} ${[...ways].slice(0, 3).join(', ')} in every run: ${remedyOf(isWeights ? variables : move.ops, isWeights)} on ${device}${move.isAsked ? ', other than asked' : ''}.`,
    from: first!.source.device,
    to: first!.to,
    bytes: total,
    predictedBytes: Math.max(0, total - move.saved),
    rules: rulesFor(move.ops, device, graph),
  };
}

function remedyOf(ops: readonly ModelNode[], isWeights: boolean): string {
  const [first] = ops;
  if (isWeights)
    return ops.length === 1 ? `put the variable "${first!.name}"` : `put their ${ops.length} variables`;
  return ops.length === 1 ? `run "${first!.name}"` : `run these ${ops.length} ops ("${first!.name}" first)`;
}

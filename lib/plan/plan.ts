/** The execution plan of a traced run: each device's part of it, what its time went into, and what would make it better. */
import type { KernelLookup } from '../placement/kernels.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import type { RunEvent, RunEvents } from '../placement/report/events.js';
import type { Fusion } from '../placement/report/fusion.js';
import type { PlacedOp } from '../placement/report/placed-op.js';
import type { Ran } from '../placement/report/ran.js';
import type { TensorNames } from '../placement/report/tensor-names.js';
import type { Transfer } from '../placement/report/transfers.js';
import { Slices } from '../placement/slices.js';
import { type CriticalPath, criticalPath } from './critical-path.js';
import { type LintFinding, lint } from './lint.js';
import { type Partition, partitions } from './partitions.js';
import { RunGraph } from './run-graph.js';

export interface ExecutionPlan {
  /** One for each device that did something. */
  readonly partitions: readonly Partition[];
  readonly criticalPath: CriticalPath;
  /** What to change, the most worthwhile first; at most ten. */
  readonly lint: readonly LintFinding[];
}

/** A traced run, understood. */
export interface TracedRun {
  readonly graph: ModelGraph;
  readonly events: RunEvents;
  readonly ran: Ran;
  readonly ops: readonly PlacedOp[];
  readonly transfers: readonly Transfer[];
  readonly devices: readonly { name: string }[];
  readonly requested: readonly string[];
  readonly kernels: KernelLookup | undefined;
  readonly fusions: ReadonlyMap<ModelNode, Fusion>;
  readonly names: TensorNames;
}

/** Leaves the event loop its turns. */
export async function planOf(traced: TracedRun): Promise<{ plan: ExecutionPlan; run: RunGraph }> {
  const { graph, events, ran, ops, transfers, devices, requested, kernels, fusions, names } = traced;
  const run = await RunGraph.build(events, ran);
  const calls = await callsOf(traced);
  const total = transfers.reduce((sum, { bytes }) => sum + bytes, 0);
  const plan: ExecutionPlan = {
    partitions: await partitions(devices, ops, transfers, events, ran, run, calls),
    criticalPath: await criticalPath(run, events, ran, calls),
    lint: await lint({ graph, run, requested, kernels, fusions }, names, total),
  };
  return { plan, run };
}

/** Runs of calls: each lasts as long as what it calls. */
async function callsOf({ graph, events, ran }: TracedRun): Promise<Set<RunEvent>> {
  const slices = new Slices();
  const calls = new Set<RunEvent>();
  for (const [i, event] of events.all.entries()) {
    if (slices.isOver(i)) await slices.next();
    const node = ran.at(event)?.node;
    if (node !== undefined && event.kernel.op === node.type && graph.calls(node).length > 0) calls.add(event);
  }
  return calls;
}

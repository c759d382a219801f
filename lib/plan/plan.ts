/** The execution plan of a traced run: each device's part of it, what its time went into, and what would make it better. */
import type { KernelLookup } from '../placement/kernels.js';
import type { ModelGraph } from '../placement/model-graph.js';
import type { RunEvents } from '../placement/report/events.js';
import { fusions } from '../placement/report/fusion.js';
import type { PlacedOp } from '../placement/report/placed-op.js';
import type { Ran } from '../placement/report/ran.js';
import { isState } from '../placement/report/reason.js';
import { TensorNames } from '../placement/report/tensor-names.js';
import type { Transfer } from '../placement/report/transfers.js';
import { type CriticalPath, criticalPath, isCall } from './critical-path.js';
import { type LintFinding, lint } from './lint.js';
import { type Partition, partitions } from './partitions.js';
import { RunGraph } from './run-graph.js';
import { rulesFor } from './units.js';

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
}

/** Leaves the event loop its turns. */
export async function planOf(traced: TracedRun): Promise<{ plan: ExecutionPlan; run: RunGraph }> {
  const { graph, events, ran, ops, transfers, devices, requested, kernels } = traced;
  const run = await RunGraph.build(events, ran);
  const names = new TensorNames(graph, events, ran);
  const total = transfers.reduce((sum, { bytes }) => sum + bytes, 0);
  const plan: ExecutionPlan = {
    partitions: await partitions(devices, ops, transfers, events, ran, run, (event) =>
      isCall(event, graph, ran),
    ),
    criticalPath: await criticalPath(graph, run, events, ran),
    lint: await lint(
      {
        graph,
        run,
        requested,
        kernels,
        isState,
        fusions: fusions(graph, ran),
        nameOf: (node, output) => names.of(node.name, output, rootOf(node.events[0], ran)),
        rulesFor: (all, device) => rulesFor(all, device, graph),
      },
      total,
    ),
  };
  return { plan, run };
}

/** The function in which a node ran, as tensor names want it. */
function rootOf(event: RunEvents['all'][number] | undefined, ran: Ran): string | undefined {
  if (event === undefined || event.kernel.isMain) return '';
  return ran.at(event)?.root;
}

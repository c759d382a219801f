/** One traced run, and what it says about the placement. */
import type { Bound } from './bound.js';
import { decodeRunMetadata, type RunMetadata, type RunOptionsJson } from './config.js';
import { TensorFlowError } from './errors.js';
import type { Placement } from './model-sessions.js';
import { registeredKernels } from './placed-graph.js';
import { kernelLookup } from './placement/kernels.js';
import { buildReport, type PlacementReport } from './placement/report/report.js';
import { type RunControl, runCall } from './run.js';
import type { Tensor } from './tensor.js';

/** The final device of each node, and when it ran there. */
const TRACE: RunOptionsJson = { traceLevel: 'SOFTWARE_TRACE', outputPartitionGraphs: true };

/** Runs what is bound, and reports. `run` names what was fed and fetched. */
export async function explainRun(
  { placed, assignment }: Placement,
  bound: Bound,
  inputs: readonly Tensor[],
  run: { feeds: readonly string[]; fetches: readonly string[] },
  control: Pick<RunControl, 'timeout' | 'signal'>,
): Promise<PlacementReport> {
  // Where every output is fed, TensorFlow has nothing to do.
  let metadata: RunMetadata | undefined = bound.runs ? undefined : decodeRunMetadata(new Uint8Array());
  const onRunMetadata = (bytes: Uint8Array) => {
    metadata = decodeRunMetadata(bytes);
  };
  await runCall(bound, inputs, { ...control, runOptions: TRACE, onRunMetadata }, false, () => undefined);
  if (metadata === undefined) {
    throw new TensorFlowError(
      'INTERNAL',
      'TensorFlow gave no metadata of the run, so nothing can be reported.',
    );
  }
  return buildReport({
    graph: await placed.graph(),
    requested: assignment.requested,
    isHousekeeping: (i) => placed.index.isHousekeeping(i),
    devices: placed.devices,
    clearDevices: placed.plan.clearDevices,
    kernels: kernelLookup(registeredKernels),
    metadata,
    feeds: run.feeds,
    fetches: run.fetches,
  });
}

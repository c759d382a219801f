/** One traced run, and what it says about the placement. */
import type { Bound } from './bound.js';
import type { RunOptionsJson } from './config.js';
import { TensorFlowError } from './errors.js';
import type { TensorLike } from './inputs.js';
import type { ModelSessions, Placement } from './model-sessions.js';
import { checkRunDevice, registeredKernels } from './placed-graph.js';
import { kernelLookup } from './placement/kernels.js';
import type { ModelGraph } from './placement/model-graph.js';
import { type Understood, understand } from './placement/report/report.js';
import type { PrepareOptions } from './prepared-call.js';
import { limited, type RunControl, runCall } from './run.js';
import { type Plan, toInputs } from './signature-plan.js';
import { copyTensor, type Tensor } from './tensor.js';
import type { Recorded } from './trace/recorded.js';
import { readRecordedAside } from './trace/recorded-aside.js';
import { boundTo } from './version-call.js';

/** How much of a run TensorFlow records. `SOFTWARE_TRACE`: kernels; `FULL_TRACE`: what a GPU does in its streams as well. */
export type TraceLevel = 'SOFTWARE_TRACE' | 'HARDWARE_TRACE' | 'FULL_TRACE';

/** A run that was traced. */
export interface Explained extends Understood {
  readonly graph: ModelGraph;
  readonly recorded: Recorded;
  /** The serialized RunMetadata. */
  readonly metadata: Uint8Array;
  /** In the order of the fetches. */
  readonly outputs: readonly Tensor[];
  /** When it began and when it had ended, in milliseconds of the wall clock: of `Date.now`, so to the millisecond. */
  readonly beganMs: number;
  readonly endedMs: number;
}

/** How a model is looked at. */
export interface LookOptions
  extends Pick<PrepareOptions, 'device' | 'outputs'>,
    Pick<RunControl, 'timeout' | 'signal'> {
  traceLevel?: TraceLevel | undefined;
  warmUp?: number | undefined;
}

/** Runs what is bound, and reports. `run` names what was fed and fetched. */
async function explainRun(
  { placed, assignment, devices }: Placement,
  bound: Bound,
  inputs: readonly Tensor[],
  run: { feeds: readonly string[]; fetches: readonly string[] },
  control: Pick<RunControl, 'timeout' | 'signal'>,
  traceLevel: TraceLevel = 'SOFTWARE_TRACE',
  copyOutputs = false,
): Promise<Explained> {
  // Where every output is fed, TensorFlow has nothing to do.
  let metadata: Uint8Array | undefined = bound.runs ? undefined : new Uint8Array();
  // Servers record their part at this level alone.
  const level = bound.link === undefined ? traceLevel : 'FULL_TRACE';
  const runOptions: RunOptionsJson = { traceLevel: level, outputPartitionGraphs: true };
  const beganMs = Date.now();
  let endedMs = beganMs;
  const onRunMetadata = (bytes: Uint8Array) => {
    endedMs = Date.now() + 1;
    metadata = bytes;
  };
  const outputs = await runCall(
    bound,
    inputs,
    { ...control, runOptions, onRunMetadata },
    copyOutputs,
    (all) => all,
  ).catch(withoutMetadata);
  if (metadata === undefined) {
    throw new TensorFlowError(
      'INTERNAL',
      'TensorFlow gave no metadata of the run, so nothing can be reported.',
    );
  }
  const { recorded, metadata: bytes } = await readRecordedAside(metadata);
  const graph = await placed.graph();
  const understood = await understand({
    graph,
    requested: assignment.requested,
    isHousekeeping: (i) => placed.index.isHousekeeping(i),
    devices,
    clearDevices: placed.plan.clearDevices,
    kernels: kernelLookup(registeredKernels),
    recorded,
    feeds: run.feeds,
    fetches: run.fetches,
  });
  return { ...understood, graph, recorded, metadata: bytes, outputs, beganMs, endedMs };
}

/** The same for a model: its session made ready where it is not yet, under one time limit. */
export function explainModel(
  sessions: ModelSessions,
  plan: Plan,
  inputs: Readonly<Record<string, TensorLike>>,
  { device, outputs, traceLevel, warmUp = 0, signal, timeout }: LookOptions,
): Promise<Explained> {
  checkRunDevice(device);
  sessions.checkOpen();
  const copies = toInputs(plan, inputs).map(copyTensor);
  return limited(
    { signal, timeout },
    () => sessions.get(device),
    async (session, rest) => {
      const control = { signal, ...rest };
      const placement = await sessions.placement(session);
      const bound = boundTo(session, plan, copies);
      for (let i = 0; i < warmUp; i++) await runCall(bound, copies, control, false, () => undefined);
      return explainRun(placement, bound, copies, plan, control, traceLevel, outputs === 'copy');
    },
  );
}

/** Why there is nothing to look at. An aborted run has its caller's own reason. */
function withoutMetadata(error: unknown): never {
  if (!(error instanceof TensorFlowError)) throw error;
  throw new TensorFlowError(
    error.code,
    `${error.message} (Of a run that fails TensorFlow keeps no metadata: there is nothing to trace or report.)`,
    { cause: error, op: error.op },
  );
}

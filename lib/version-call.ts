/** Runs of a signature on one version of a model: names, outputs and device are looked up once. */
import type { Bound } from './bound.js';
import { isLost } from './cluster/lost.js';
import { TensorFlowError } from './errors.js';
import { fits, type TensorLike, toInput } from './inputs.js';
import type { ModelVersion } from './model-version.js';
import type { CallOptions, CallSyncOptions, PrepareOptions } from './prepared-call.js';
import { limited, type RunControl, runCall, runCallSync } from './run.js';
import type { Session } from './session.js';
import { byName, type Plan, toInputs } from './signature-plan.js';
import { copyTensor, type Tensor } from './tensor.js';

type Inputs = Readonly<Record<string, TensorLike>>;

export class VersionCall {
  readonly version: ModelVersion;
  readonly plan: Plan;
  readonly #device: string | undefined;
  readonly #copies: boolean;
  readonly #fixed: Pick<RunControl, 'executor' | 'strings'> | undefined;
  #stateful: Promise<boolean> | undefined;

  /** All of it is checked. */
  constructor(version: ModelVersion, plan: Plan, options: PrepareOptions) {
    const { device, outputs, executor, strings } = options;
    this.version = version;
    this.plan = plan;
    this.#device = device;
    this.#copies = outputs === 'copy';
    if (executor !== undefined || strings !== undefined) this.#fixed = { executor, strings };
  }

  /** Whether a run changes what later runs see. */
  changesState(): Promise<boolean> {
    this.#stateful ??= this.version.sessions.changesState(this.plan.fetches);
    return this.#stateful;
  }

  /** Without a check of the options' keys. */
  start(inputs: Inputs, options: CallOptions): Promise<Record<string, Tensor>> {
    this.version.sessions.checkOpen();
    return this.runTensors(toInputs(this.plan, inputs), options);
  }

  /** With inputs that are checked, in the plan's order. */
  runTensors(tensors: readonly Tensor[], options: CallOptions): Promise<Record<string, Tensor>> {
    const { sessions } = this.version;
    const session = sessions.ready(this.#device);
    if (session !== undefined && !sessions.failover) return this.#runOn(session, tensors, options);
    // Run again elsewhere, or later, it must be what was given now.
    const copies = tensors.map(copyTensor);
    return this.version.use(() => {
      if (session !== undefined) return this.#runAnywhere(session, copies, options);
      // The session of this device is made first.
      return limited(
        options,
        () => sessions.get(this.#device),
        (made, rest) => this.#runAnywhere(made, copies, { ...options, ...rest }),
      );
    });
  }

  /** The same on this thread. */
  startSync(inputs: Inputs, options: CallSyncOptions): Record<string, Tensor> {
    this.version.sessions.checkOpen();
    const session = this.version.sessions.ready(this.#device);
    if (session === undefined) {
      throw new TensorFlowError(
        'FAILED_PRECONDITION',
        `The device ${this.#device} is not prepared, which takes its time: list it in \`devices\` of SavedModel.load, or await a run on it first.`,
      );
    }
    const tensors = toInputs(this.plan, inputs);
    const control = this.#control(options);
    return byName(
      this.plan,
      runCallSync(boundTo(session, this.plan, tensors), tensors, control, this.#copies),
    );
  }

  #runOn(session: Session, inputs: readonly Tensor[], options: CallOptions): Promise<Record<string, Tensor>> {
    const plan = this.plan;
    const control = this.#control(options);
    return runCall(boundTo(session, plan, inputs), inputs, control, this.#copies, (tensors) =>
      byName(plan, tensors),
    );
  }

  /** With `failover` once more on another replica, and another, where a task is gone in mid-run; under one time limit. */
  #runAnywhere(
    session: Session,
    copies: readonly Tensor[],
    options: CallOptions,
  ): Promise<Record<string, Tensor>> {
    const start = performance.now();
    return this.#runOn(session, copies, options).catch((error) => {
      if (!this.version.sessions.failover || !isLost(error)) throw error;
      const { timeout } = options;
      const left = timeout === undefined ? undefined : timeout - (performance.now() - start);
      const other = this.version.sessions.ready(this.#device);
      if (other === undefined || other === session || (left !== undefined && left <= 0)) throw error;
      return this.#runAnywhere(other, copies, { ...options, timeout: left });
    });
  }

  #control(options: CallOptions): RunControl {
    return this.#fixed === undefined ? options : { ...options, ...this.#fixed };
  }
}

/**
 * The plan's names, looked up in a session's graph once.
 *
 * @param inputs What will be fed: the graph may say more of a shape than the signature, and TensorFlow ends the process over a
 *   wrong one.
 */
export function boundTo(session: Session, plan: Plan, inputs: readonly Tensor[]): Bound {
  let bound = plan.bound.get(session);
  if (bound === undefined) {
    bound = session.bind(plan.feeds, plan.fetches, []);
    plan.bound.set(session, bound);
  }
  session.checkOpen(bound);
  const { specs } = bound;
  for (let i = 0; i < specs.length; i++) {
    const spec = specs[i]!;
    if (!fits(inputs[i]!.shape, spec.shape))
      toInput(inputs[i]!, spec, `tensor behind the ${plan.inputs[i]![2]}`);
  }
  return bound;
}

/** A signature made ready for many runs: what does not change from run to run is looked up and checked once. */
import type { Bound } from './bound.js';
import { isLost } from './cluster/lost.js';
import { TensorFlowError } from './errors.js';
import type { Executor } from './executor.js';
import { fits, type TensorLike, toInput } from './inputs.js';
import type { ModelSessions } from './model-sessions.js';
import { checkKeys } from './options.js';
import { limited, RUN_CONTROL_KEYS, type RunControl, runCall, runCallSync, type SyncControl } from './run.js';
import type { Session } from './session.js';
import { byName, type Plan, toInputs } from './signature-plan.js';
import { copyTensor, type Tensor } from './tensor.js';

/** What does not change from run to run. */
export interface PrepareOptions {
  /** Default: `serving_default`, else the only one. */
  signature?: string | undefined;
  /** The outputs to compute, by their names in the signature; `'copy'`: all, in ordinary ArrayBuffers. Default: all. */
  outputs?: readonly string[] | 'copy' | undefined;
  /**
   * Where ops run that have neither a rule nor a device saved in the model: `/CPU:0`, `/GPU:1`. Default: where
   * TensorFlow puts them. Each device has a session of its own, with its own copy of the variables.
   */
  device?: string | undefined;
  /** Which threads execute the ops. Default: as the model was loaded. */
  executor?: Executor | undefined;
  /** `'bytes'`: every string as a `Uint8Array`. Default: as the model was loaded. */
  strings?: 'bytes' | undefined;
}

/** Options of one run of a prepared call. */
export type CallOptions = Omit<RunControl, 'executor' | 'strings'>;

/** Options of its `runSync`: a run that holds the thread can be neither aborted nor timed out. */
export type CallSyncOptions = Omit<SyncControl, 'executor' | 'strings'>;

const CALL_KEYS = RUN_CONTROL_KEYS.filter((key) => key !== 'executor' && key !== 'strings');
const CALL_SYNC_KEYS = CALL_KEYS.filter((key) => key !== 'timeout' && key !== 'signal');

type Inputs = Readonly<Record<string, TensorLike>>;

const NOTHING = {};

/** Made by `model.prepare`. Lives as long as its model. */
export class PreparedCall<
  I extends object = Readonly<Record<string, TensorLike>>,
  O = Record<string, Tensor>,
> {
  readonly #sessions: ModelSessions;
  readonly #plan: Plan;
  readonly #device: string | undefined;
  readonly #copies: boolean;
  readonly #fixed: Pick<RunControl, 'executor' | 'strings'> | undefined;

  /** @internal All of it is checked. */
  constructor(sessions: ModelSessions, plan: Plan, options: PrepareOptions) {
    const { device, outputs, executor, strings } = options;
    this.#sessions = sessions;
    this.#plan = plan;
    this.#device = device;
    this.#copies = outputs === 'copy';
    if (executor !== undefined || strings !== undefined) this.#fixed = { executor, strings };
  }

  /** As `model.run`. A device that is not prepared yet is prepared by the first run. */
  run(inputs: I = NOTHING as I, options: CallOptions = NOTHING): Promise<O> {
    try {
      if (options !== NOTHING) checkKeys(options, CALL_KEYS, 'The options of a run');
      return this.start(inputs as Inputs, options) as Promise<O>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `model.runSync`: everything else in this thread stands still until the run has ended. */
  runSync(inputs: I = NOTHING as I, options: CallSyncOptions = NOTHING): O {
    if (options !== NOTHING) checkKeys(options, CALL_SYNC_KEYS, 'The options of a run');
    return this.startSync(inputs as Inputs, options) as O;
  }

  /** @internal Without a check of the options' keys. */
  start(inputs: Inputs, options: CallOptions): Promise<Record<string, Tensor>> {
    this.#sessions.checkOpen();
    return this.runTensors(toInputs(this.#plan, inputs), options);
  }

  /** @internal With inputs that are checked, in the plan's order. */
  runTensors(tensors: readonly Tensor[], options: CallOptions): Promise<Record<string, Tensor>> {
    const session = this.#sessions.ready(this.#device);
    const { failover } = this.#sessions;
    if (session !== undefined && !failover) return this.#runOn(session, tensors, options);
    // Run again elsewhere, or later, it must be what was given now.
    const copies = tensors.map(copyTensor);
    if (session !== undefined) return this.#runAnywhere(session, copies, options);
    // The session of this device is made first.
    return limited(
      options,
      () => this.#sessions.get(this.#device),
      (made, rest) => this.#runAnywhere(made, copies, { ...options, ...rest }),
    );
  }

  /** @internal The same on this thread. */
  startSync(inputs: Inputs, options: CallSyncOptions): Record<string, Tensor> {
    this.#sessions.checkOpen();
    const session = this.#sessions.ready(this.#device);
    if (session === undefined) {
      throw new TensorFlowError(
        'FAILED_PRECONDITION',
        `The device ${this.#device} is not prepared, which takes its time: list it in \`devices\` of SavedModel.load, or await a run on it first.`,
      );
    }
    const tensors = toInputs(this.#plan, inputs);
    const control = this.#control(options);
    return byName(
      this.#plan,
      runCallSync(boundTo(session, this.#plan, tensors), tensors, control, this.#copies),
    );
  }

  #runOn(session: Session, inputs: readonly Tensor[], options: CallOptions): Promise<Record<string, Tensor>> {
    const plan = this.#plan;
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
      if (!this.#sessions.failover || !isLost(error)) throw error;
      const { timeout } = options;
      const left = timeout === undefined ? undefined : timeout - (performance.now() - start);
      const other = this.#sessions.ready(this.#device);
      if (other === undefined || other === session || (left !== undefined && left <= 0)) throw error;
      return this.#runAnywhere(other, copies, { ...options, timeout: left });
    });
  }

  #control(options: CallOptions): RunControl {
    return this.#fixed === undefined ? options : { ...options, ...this.#fixed };
  }
}

/**
 * @internal The plan's names, looked up in a session's graph once.
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

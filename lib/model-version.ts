/** One version of a model: its sessions, its signatures, and the calls that were looked up on it. */
import { type Explained, explainModel, type LookOptions } from './explain.js';
import type { TensorLike } from './inputs.js';
import type { CheckedLoad } from './load-options.js';
import { checkNames } from './model-options.js';
import { ModelSessions } from './model-sessions.js';
import { checkRunDevice } from './placed-graph.js';
import type { PrepareOptions } from './prepared-call.js';
import { remember } from './remember.js';
import { absolutePath } from './saved-model/directory.js';
import { type Signatures, signaturesOf } from './saved-model/signatures.js';
import { checkFolder, type ModelFolder } from './saved-model/versions.js';
import type { Session } from './session.js';
import { makePlan, type Plan } from './signature-plan.js';
import { VersionCall } from './version-call.js';
import { warmUp } from './warm-up/warm-up.js';

export class ModelVersion {
  readonly folder: ModelFolder;
  readonly signatures: Signatures;
  readonly sessions: ModelSessions;
  readonly #load: CheckedLoad;
  readonly #plans = new Map<string, Plan>();
  readonly #calls = new Map<string, VersionCall>();
  readonly #warm = new WeakSet<Session>();
  #users = 0;
  #onUnused: (() => void) | undefined;

  private constructor(folder: ModelFolder, load: CheckedLoad, sessions: ModelSessions) {
    this.folder = folder;
    this.#load = load;
    this.sessions = sessions;
    this.signatures = signaturesOf(sessions.metaGraph);
  }

  /** Loads it; the library is open. Its devices are not prepared yet, and nothing is warmed up: see `getReady`. */
  static async load(folder: ModelFolder, load: CheckedLoad): Promise<ModelVersion> {
    await checkFolder(folder);
    const { tags, plan, cluster, runOptions, copies, freeze, guard, repairs, execution } = load;
    const session = { ...execution, config: plan.asked };
    const options = { tags, plan, cluster, runOptions, copies, freeze, guard, repairs, session };
    const sessions = await ModelSessions.load(absolutePath(folder.directory), options);
    try {
      return new ModelVersion(folder, load, sessions);
    } catch (error) {
      await sessions.close({});
      throw error;
    }
  }

  get directory(): string {
    return this.folder.directory;
  }

  /** Makes the sessions of these devices that are not there yet, and warms up each session that was not. */
  async getReady(devices: Iterable<string>): Promise<void> {
    for (const device of devices) await this.sessions.get(device);
    if (!this.#load.warmUp) return;
    const cold = this.sessions.all.filter((session) => !this.#warm.has(session));
    await warmUp(this.directory, this.signatures, cold);
    for (const session of cold) this.#warm.add(session);
  }

  /** The call of these options, which is kept: its plan and device; what else they say, each run says again. */
  call({ signature, outputs: chosen, device }: PrepareOptions): VersionCall {
    const outputs = checkNames(signature, chosen, device);
    const isDefault = signature === undefined && outputs === undefined && device === undefined;
    const key = isDefault ? '' : JSON.stringify([signature, outputs, device]);
    let call = this.#calls.get(key);
    if (call === undefined) {
      checkRunDevice(device);
      call = this.prepare({ signature, outputs, device });
      remember(this.#calls, key, call);
    }
    return call;
  }

  /** A call of these options, all of whose values are checked. */
  prepare(options: PrepareOptions): VersionCall {
    return new VersionCall(this, this.plan(options), options);
  }

  plan({ signature, outputs: given }: PrepareOptions): Plan {
    const outputs = checkNames(signature, given, undefined);
    const chosen = outputs === 'copy' ? undefined : outputs;
    const key = JSON.stringify([signature, chosen]);
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      plan = makePlan(this.signatures, signature, chosen);
      remember(this.#plans, key, plan);
    }
    return plan;
  }

  /** One traced run. */
  explain(
    inputs: Readonly<Record<string, TensorLike>>,
    options: LookOptions & PrepareOptions,
  ): Promise<Explained> {
    return this.use(() => explainModel(this.sessions, this.plan(options), inputs, options));
  }

  /** What needs its sessions for longer than one run, which they wait for by themselves: `retire` waits for it. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      this.#users--;
      if (this.#users === 0) this.#onUnused?.();
    }
  }

  /** Closes it when what uses it has ended, and the runs that were accepted. No new ones come. */
  async retire(): Promise<void> {
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#onUnused = resolve;
      });
    }
    await this.close({});
  }

  close(options: { cancel?: boolean }): Promise<void> {
    return this.sessions.close(options);
  }
}

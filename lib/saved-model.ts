/// <reference lib="esnext.disposable" preserve="true" />
/** A SavedModel: loaded with a ConfigProto, run by its signatures. */

import type { Batcher } from './batcher/batcher.js';
import { batcherOf, checkGoesOn } from './batcher/of-call.js';
import { type BatchingOptions, checkBatching } from './batcher/options.js';
import type { Replica } from './cluster/group.js';
import { checkRunOptionsAge } from './config.js';
import type { Device } from './device.js';
import { checkCallerAge, checkExecutor } from './executor.js';
import { openExtended } from './extensions/extensions.js';
import type { TensorLike } from './inputs.js';
import { checkLoad, type LoadOptions } from './load-options.js';
import {
  BATCHER_KEYS,
  type BatcherOptions,
  EXPLAIN_KEYS,
  type ExplainOptions,
  type ModelRunOptions,
  type ModelRunSyncOptions,
  type Of,
  PREPARE_KEYS,
  RELOAD_KEYS,
  type ReloadOptions,
  RUN_KEYS,
  RUN_SYNC_KEYS,
  TRACE_KEYS,
  type TraceOptions,
} from './model-options.js';
import type { RepairedVariable } from './model-sessions.js';
import { checkClose, checkCount, checkOneOf, readOptions } from './options.js';
import { checkRunDevice } from './placed-graph.js';
import type { PlacementReport } from './placement/report/report.js';
import { PreparedCall, type PrepareOptions } from './prepared-call.js';
import { tensorflow } from './runtime/tensorflow.js';
import { toPath } from './saved-model/directory.js';
import { defaultSignature, type Signature, type Signatures } from './saved-model/signatures.js';
import { checkFolder, checkVersion, findModel } from './saved-model/versions.js';
import { Serving } from './serving.js';
import type { Session } from './session.js';
import { byName } from './signature-plan.js';
import type {
  AnySignatures,
  DefaultSignature,
  InputsOf,
  NoInputs,
  OutputNames,
  OutputsOf,
  SignatureSpecs,
} from './signature-types.js';
import type { Tensor } from './tensor.js';
import { Trace } from './trace/trace.js';

/** `S`: its signatures as types, as `tf-session types` writes them. Default: nothing is known of them. */
export class SavedModel<S extends SignatureSpecs<S> = AnySignatures> {
  readonly tags: readonly string[];
  readonly #serving: Serving;
  readonly #batching: BatchingOptions;
  /** Each with the call that its batches are. */
  readonly #batchers = new Map<Batcher, PreparedCall>();

  private constructor(tags: readonly string[], serving: Serving, batching: BatchingOptions) {
    this.tags = tags;
    this.#serving = serving;
    this.#batching = batching;
  }

  /**
   * Loads a SavedModel off the event loop: graph, variables, assets, initialisation, warm-up.
   *
   * @param directory The SavedModel's folder; or one that has versions of it in subfolders (`1/`, `2/`, …), as TensorFlow Serving
   *   lays them out: then the highest number, or the `version` of the options.
   * @throws TensorFlowError NOT_FOUND for a missing folder, file or tag set (listing the tags there are); DATA_LOSS
   *   for a truncated or garbled one; PERMISSION_DENIED for ops that are not allowed, and files outside of its folder;
   *   RESOURCE_EXHAUSTED above a limit; LIBRARY_NOT_FOUND; INVALID_OPTION naming a wrong key; UNAVAILABLE naming a task of a
   *   cluster that is not there; what a run of the warm-up throws, naming its record
   */
  static async load<S extends SignatureSpecs<S> = AnySignatures>(
    directory: string | URL,
    options: LoadOptions = {},
  ): Promise<SavedModel<S>> {
    // All that may be wrong with the options, before the library is opened, which takes its time.
    const checked = checkLoad(options);
    const path = toPath(directory);
    await checkFolder(await findModel(path, checked.version));
    await openExtended(checked.extensions, checked.plan.asked);
    checkRunOptionsAge(checked.runOptions, tensorflow.version);
    return new SavedModel<S>(checked.tags, await Serving.start(path, checked), checked.batching);
  }

  /** The folder of the version that serves. */
  get directory(): string {
    return this.#serving.current.directory;
  }

  /** Of a folder with versions: the number of the one that serves, without zeros in front. Else undefined. */
  get version(): string | undefined {
    return this.#serving.current.folder.version;
  }

  /** What can be run: inputs and outputs with tensor names, types and shapes. */
  get signatures(): string extends keyof S ? Signatures : { readonly [K in keyof S]: Signature } {
    return this.#serving.current.signatures as SavedModel<S>['signatures'];
  }

  /**
   * Loads another version of the model beside this one, with the options of `load`, prepares its devices, warms it up, and has
   * it take over in one step: runs that are started from then on go to it, prepared calls and batchers with them. Runs that
   * were accepted before end where they began, and the old version is closed when they have. Until then both are in memory.
   *
   * Reloads go one after the other, in the order of their calls. Where one fails, the old version serves on.
   *
   * @param directory as for `load`. Default: where this one came from, looked at again: the newest version there.
   * @returns true when the new version serves; false where that number of the same folder does already. A folder without
   *   versions is always loaded again.
   * @throws TensorFlowError (as a rejection) as `load`; INVALID_ARGUMENT where a batcher needs a signature that the new version
   *   has not, or not the same; FAILED_PRECONDITION where the model is closed meanwhile
   */
  async reload(directory?: string | URL, options: ReloadOptions = {}): Promise<boolean> {
    const { version } = readOptions(options, RELOAD_KEYS, 'The options of reload');
    const path = directory === undefined ? undefined : toPath(directory);
    return this.#serving.reload(path, checkVersion(version), (next) => {
      for (const call of this.#batchers.values()) checkGoesOn(call, next);
    });
  }

  /**
   * Runs a signature off the event loop.
   *
   * @param inputs Values by the signature's input names. Tensors, or numbers, nested arrays and typed arrays, which
   *   become what the signature says.
   * @returns Tensors by the signature's output names.
   * @throws TensorFlowError (as a rejection) INVALID_ARGUMENT naming a wrong signature, input, output, type or shape
   *   with what there is; DEADLINE_EXCEEDED; CANCELLED; FAILED_PRECONDITION once closed; UNAVAILABLE naming a task that is
   *   gone; and whatever TensorFlow says
   */
  run<K extends keyof S = DefaultSignature<S>, O extends OutputNames<S, K> = OutputNames<S, K>>(
    inputs: InputsOf<S, K>,
    options?: Of<ModelRunOptions, S, K, O>,
  ): Promise<OutputsOf<S, K, O>>;
  run(...none: NoInputs<S>): Promise<OutputsOf<S>>;
  run(inputs: Inputs = {}, options: ModelRunOptions = {}): Promise<Record<string, Tensor>> {
    try {
      const read = readOptions(options, RUN_KEYS, 'The options of a run');
      return this.#serving.current.call(read).start(inputs, read);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The same on this thread: everything else in it stands still until the run has ended. For scripts and tests.
   * Outputs are in ordinary ArrayBuffers. Nothing can end a graph that never ends; on a cluster the wait ends after 30 seconds.
   */
  runSync<K extends keyof S = DefaultSignature<S>, O extends OutputNames<S, K> = OutputNames<S, K>>(
    inputs: InputsOf<S, K>,
    options?: Of<ModelRunSyncOptions, S, K, O>,
  ): OutputsOf<S, K, O>;
  runSync(...none: NoInputs<S>): OutputsOf<S>;
  runSync(inputs: Inputs = {}, options: ModelRunSyncOptions = {}): Record<string, Tensor> {
    const read = readOptions(options, RUN_SYNC_KEYS, 'The options of a run');
    return this.#serving.current.call(read).startSync(inputs, read);
  }

  /**
   * A signature made ready for many runs: names, outputs and device are looked up and checked once. `model.run` keeps such
   * calls by itself and is little slower.
   *
   * @throws TensorFlowError INVALID_ARGUMENT naming a wrong signature or output with what there is; INVALID_OPTION
   */
  prepare<K extends keyof S = DefaultSignature<S>, O extends OutputNames<S, K> = OutputNames<S, K>>(
    given: Of<PrepareOptions, S, K, O> = {},
  ): PreparedCall<InputsOf<S, K>, OutputsOf<S, K, O>> {
    const options = readOptions(given, PREPARE_KEYS, 'The options of prepare');
    checkOneOf(options.strings, ['bytes'], 'strings');
    checkExecutor(options.executor);
    checkRunDevice(options.device);
    checkCallerAge(options.executor, tensorflow.version);
    return new PreparedCall(this.#serving, options);
  }

  /**
   * A batcher: callers give it single rows, one run carries many. A model may have several; each lives until it or the
   * model is closed.
   *
   * @throws TensorFlowError INVALID_ARGUMENT where the signature cannot be batched, naming the input or output whose first
   *   dimension is not open; as `prepare`; INVALID_OPTION
   */
  batcher<K extends keyof S = DefaultSignature<S>, O extends OutputNames<S, K> = OutputNames<S, K>>(
    given: Of<BatcherOptions, S, K, O> = {},
  ): Batcher<InputsOf<S, K>, OutputsOf<S, K, O>> {
    const options = readOptions(given, BATCHER_KEYS, 'The options of batcher');
    const batching = checkBatching({ ...this.#batching, ...options }, 'The options of batcher', BATCHER_KEYS);
    const { signature, outputs, device, executor, strings } = options;
    const call = this.prepare<K, O>({ signature, outputs, device, executor, strings });
    const batcher = batcherOf(call, batching, () => this.#batchers.delete(batcher));
    this.#batchers.set(batcher, call);
    return batcher;
  }

  /**
   * Runs a signature once, traced, and reports where each op ran, and why where that is not what was asked.
   *
   * It is a run as any other: a signature that changes variables changes them. Ops of branches that this run does not
   * take are reported as not run.
   *
   * @throws TensorFlowError (as a rejection) as `run`; a run that fails leaves no report
   */
  async explain<K extends keyof S = DefaultSignature<S>>(
    inputs?: InputsOf<S, K>,
    given: Of<ExplainOptions, S, K, OutputNames<S, K>> = {},
  ): Promise<PlacementReport> {
    const options = readOptions(given, EXPLAIN_KEYS, 'The options of explain');
    return (await this.#serving.current.explain(values(inputs), options)).report;
  }

  /**
   * The same, with the outputs and with when each op ran (at most 2^20 executions): for Perfetto, TensorBoard, a program.
   *
   * @throws TensorFlowError (as a rejection) as `run`; a run that fails leaves no trace
   */
  async trace<K extends keyof S = DefaultSignature<S>, O extends OutputNames<S, K> = OutputNames<S, K>>(
    inputs?: InputsOf<S, K>,
    given: Of<TraceOptions, S, K, O> = {},
  ): Promise<Trace<OutputsOf<S, K, O>>> {
    const options = readOptions(given, TRACE_KEYS, 'The options of trace');
    const { traceLevel = 'FULL_TRACE', warmUp = 0 } = options;
    checkOneOf(traceLevel, ['SOFTWARE_TRACE', 'HARDWARE_TRACE', 'FULL_TRACE'], 'traceLevel');
    if (warmUp !== 0) checkCount(warmUp, 'warmUp');
    const version = this.#serving.current;
    const explained = await version.explain(values(inputs), { ...options, traceLevel, warmUp });
    const name = options.signature ?? defaultSignature(version.signatures);
    const outputs = byName(version.plan(options), explained.outputs) as OutputsOf<S, K, O>;
    return Trace.of(name, outputs, explained);
  }

  /**
   * The session below, for runs by tensor names; of the version that serves now, so ask again after `reload`. On a cluster: the one
   * that is there now, of replicas the least busy; throws UNAVAILABLE where there is none.
   */
  get session(): Session {
    return this.#serving.current.sessions.base;
  }

  /** Variables that the model's own restore op leaves out, and that were restored all the same. Mostly none. */
  get repaired(): readonly RepairedVariable[] {
    return this.#serving.current.sessions.repaired;
  }

  /** On a cluster: its sessions, and how they are; without `replicas` there is one. Empty in this process. */
  get replicas(): readonly Replica[] {
    return this.#serving.current.sessions.replicas;
  }

  /**
   * On a cluster: makes again the sessions that were lost with their tasks, and restores their variables. Resolves when
   * all are there.
   *
   * @throws TensorFlowError (as a rejection) UNAVAILABLE, naming a task that is not back
   */
  reconnect(): Promise<void> {
    const { current } = this.#serving;
    return current.use(() => current.sessions.reconnect());
  }

  /** The devices of the model's session; of replicas, those of one. */
  async devices(): Promise<Device[]> {
    const { current } = this.#serving;
    return current.use(() => current.sessions.base.devices());
  }

  /**
   * Frees the model. New runs are refused from now on, accepted ones end first; with `cancel` they end with
   * CANCELLED. May be called again.
   */
  async close(options: { cancel?: boolean } = {}): Promise<void> {
    checkClose(options);
    this.#serving.refuse();
    // Their rows are accepted already: they end first.
    const batchers = [...this.#batchers.keys()].map((batcher) => batcher.close(options));
    if (options.cancel !== true && batchers.length > 0) await Promise.all(batchers);
    await Promise.all([this.#serving.close(options), ...batchers]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

type Inputs = Readonly<Record<string, TensorLike>>;

function values(inputs: object = {}): Inputs {
  return inputs as Inputs;
}

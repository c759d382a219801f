/// <reference lib="esnext.disposable" preserve="true" />
/** A SavedModel: loaded with a ConfigProto, run by its signatures. */

import { Batcher } from './batcher/batcher.js';
import { type BatchingOptions, checkBatching } from './batcher/options.js';
import { checkBatchable } from './batcher/shapes.js';
import type { Replica } from './cluster/group.js';
import { checkRunOptionsAge } from './config.js';
import type { Device } from './device.js';
import { checkCallerAge, checkExecutor } from './executor.js';
import { explainModel } from './explain.js';
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
  RUN_KEYS,
  RUN_SYNC_KEYS,
  TRACE_KEYS,
  type TraceOptions,
} from './model-options.js';
import { ModelSessions } from './model-sessions.js';
import { checkClose, checkCount, checkOneOf, invalidOption, readOptions, readStrings } from './options.js';
import { checkRunDevice } from './placed-graph.js';
import type { PlacementReport } from './placement/report/report.js';
import { PreparedCall, type PrepareOptions } from './prepared-call.js';
import { remember } from './remember.js';
import { tensorflow } from './runtime/tensorflow.js';
import { absolutePath, checkDirectory, toPath } from './saved-model/directory.js';
import {
  defaultSignature,
  findSignature,
  type Signature,
  type Signatures,
  signaturesOf,
} from './saved-model/signatures.js';
import type { Session } from './session.js';
import { show } from './show.js';
import { byName, makePlan, type Plan } from './signature-plan.js';
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
  /** The folder it was loaded from. */
  readonly directory: string;
  readonly tags: readonly string[];
  /** What can be run: inputs and outputs with tensor names, types and shapes. */
  readonly signatures: string extends keyof S ? Signatures : { readonly [K in keyof S]: Signature };
  readonly #all: Signatures;
  readonly #sessions: ModelSessions;
  #plans = new Map<string, Plan>();
  #calls = new Map<string, PreparedCall>();
  readonly #batching: BatchingOptions;
  readonly #batchers = new Set<Batcher>();

  private constructor(
    directory: string,
    tags: readonly string[],
    sessions: ModelSessions,
    batching: BatchingOptions,
  ) {
    this.#batching = batching;
    this.directory = directory;
    this.tags = tags;
    this.#sessions = sessions;
    this.#all = signaturesOf(sessions.metaGraph);
    this.signatures = this.#all as typeof this.signatures;
  }

  /**
   * Loads a SavedModel off the event loop: graph, variables, assets, initialisation.
   *
   * @throws TensorFlowError NOT_FOUND for a missing folder, file or tag set (listing the tags there are); DATA_LOSS
   *   for a truncated or garbled one; LIBRARY_NOT_FOUND; INVALID_OPTION naming a wrong key; UNAVAILABLE naming a task of a
   *   cluster that is not there
   */
  static async load<S extends SignatureSpecs<S> = AnySignatures>(
    directory: string | URL,
    options: LoadOptions = {},
  ): Promise<SavedModel<S>> {
    // All that may be wrong with the options, before the library is opened, which takes its time.
    const { tags, devices, plan, cluster, runOptions, extensions, copies, freeze, batching, execution } =
      checkLoad(options);
    const path = toPath(directory);
    await checkDirectory(path);
    await openExtended(extensions, plan.asked);
    checkRunOptionsAge(runOptions, tensorflow.version);
    const sessions = await ModelSessions.load(absolutePath(path), {
      tags,
      plan,
      cluster,
      runOptions,
      copies,
      freeze,
      session: { ...execution, config: plan.asked },
    });
    try {
      const model = new SavedModel<S>(path, tags, sessions, batching);
      for (const device of devices) await sessions.get(device);
      return model;
    } catch (error) {
      await sessions.close({});
      throw error;
    }
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
      return this.#call(read).start(inputs, read);
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
    return this.#call(read).startSync(inputs, read);
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
    return new PreparedCall(this.#sessions, this.#plan(options), options);
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
    const plan = this.#plan({ signature, outputs });
    checkBatchable(plan, findSignature(this.#all, signature)[1]);
    const batcher = new Batcher<InputsOf<S, K>, OutputsOf<S, K, O>>(
      {
        plan,
        run: (inputs) => call.runTensors(inputs, {}),
        isStateful: () => this.#sessions.changesState(plan.fetches),
        onClosed: () => this.#batchers.delete(batcher),
      },
      batching,
    );
    this.#batchers.add(batcher);
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
    return (await explainModel(this.#sessions, this.#plan(options), values(inputs), options)).report;
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
    const plan = this.#plan(options);
    const all = { ...options, traceLevel, warmUp };
    const explained = await explainModel(this.#sessions, plan, values(inputs), all);
    const name = options.signature ?? defaultSignature(this.#all);
    const outputs = byName(plan, explained.outputs) as OutputsOf<S, K, O>;
    return Trace.of(name, outputs, explained);
  }

  /** The session below, for runs by tensor names. On a cluster: the one that is there now, of replicas the least busy;
   * throws UNAVAILABLE where there is none. */
  get session(): Session {
    return this.#sessions.base;
  }

  /** On a cluster: its sessions, and how they are; without `replicas` there is one. Empty in this process. */
  get replicas(): readonly Replica[] {
    return this.#sessions.replicas;
  }

  /**
   * On a cluster: makes again the sessions that were lost with their tasks, and restores their variables. Resolves when
   * all are there.
   *
   * @throws TensorFlowError (as a rejection) UNAVAILABLE, naming a task that is not back
   */
  reconnect(): Promise<void> {
    return this.#sessions.reconnect();
  }

  /** The devices of the model's session; of replicas, those of one. */
  async devices(): Promise<Device[]> {
    return this.session.devices();
  }

  /**
   * Frees the model. New runs are refused from now on, accepted ones end first; with `cancel` they end with
   * CANCELLED. May be called again.
   */
  async close(options: { cancel?: boolean } = {}): Promise<void> {
    checkClose(options);
    this.#sessions.refuse();
    // Their rows are accepted already: they end first.
    const batchers = [...this.#batchers].map((batcher) => batcher.close(options));
    if (options.cancel !== true && batchers.length > 0) await Promise.all(batchers);
    await Promise.all([this.#sessions.close(options), ...batchers]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The plan and the device of these options; what else they say, each run says again. */
  #call({ signature, outputs: chosen, device }: PrepareOptions): PreparedCall {
    const outputs = checkNames(signature, chosen, device);
    const isDefault = signature === undefined && outputs === undefined && device === undefined;
    const key = isDefault ? '' : JSON.stringify([signature, outputs, device]);
    let call = this.#calls.get(key);
    if (call === undefined) {
      checkRunDevice(device);
      call = new PreparedCall(this.#sessions, this.#plan({ signature, outputs }), { outputs, device });
      remember(this.#calls, key, call);
    }
    return call;
  }

  #plan(options: PrepareOptions): Plan {
    const outputs = checkNames(options.signature, options.outputs, undefined);
    const chosen = outputs === 'copy' ? undefined : outputs;
    const key = JSON.stringify([options.signature, chosen]);
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      plan = makePlan(this.#all, options.signature, chosen);
      remember(this.#plans, key, plan);
    }
    return plan;
  }
}

/**
 * The outputs, each read once: what names a plan is a key of it, and no two things may have the same one. Throws INVALID_OPTION for
 * names that are none.
 */
function checkNames(
  signature: unknown,
  outputs: PrepareOptions['outputs'],
  device: unknown,
): PrepareOptions['outputs'] {
  if (signature !== undefined && typeof signature !== 'string') {
    throw invalidOption(`signature must be the name of a signature, not ${show(signature)}.`);
  }
  if (device !== undefined && typeof device !== 'string') checkRunDevice(device);
  return outputs === undefined || outputs === 'copy' ? outputs : readStrings(outputs, 'outputs');
}

type Inputs = Readonly<Record<string, TensorLike>>;

function values(inputs: object = {}): Inputs {
  return inputs as Inputs;
}

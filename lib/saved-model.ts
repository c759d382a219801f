/// <reference lib="esnext.disposable" preserve="true" />
/** A SavedModel: loaded with a ConfigProto, run by its signatures. */

import { fileURLToPath } from 'node:url';
import type { Bound } from './bound.js';
import { type ConfigProtoJson, encodeConfig, encodeRunOptions, type RunOptionsJson } from './config.js';
import { didYouMean, TensorFlowError } from './errors.js';
import { type TensorLike, toInput } from './inputs.js';
import { checkKeys, checkOneOf, checkStrings, invalidOption } from './options.js';
import { remember } from './remember.js';
import { type OutputOptions, RUN_CONTROL_KEYS, type RunControl, runCall, runCallSync } from './run.js';
import { addon } from './runtime/addon.js';
import { openLibrary } from './runtime/tensorflow.js';
import { checkDirectory } from './saved-model/directory.js';
import { explainLoadFailure, requireVariables } from './saved-model/load-failure.js';
import { decodeMetaGraph } from './saved-model/reader.js';
import {
  findSignature,
  type Signature,
  type Signatures,
  signaturesOf,
  type TensorInfo,
} from './saved-model/signatures.js';
import { type Device, Session } from './session.js';
import type { Tensor } from './tensor.js';

/** Options of `SavedModel.load`. */
export interface LoadOptions extends OutputOptions {
  /** The MetaGraph whose tags are these, as a set. Default: `['serve']`. */
  tags?: readonly string[] | undefined;
  /**
   * TensorFlow's ConfigProto, in place before the model is loaded: devices, soft placement, GPU memory, threads, logs.
   * An object by protobuf's JSON mapping, every field, unknown keys an error; or the serialized message. What is left
   * out keeps TensorFlow's default.
   */
  config?: ConfigProtoJson | Uint8Array | undefined;
  /** RunOptions for the runs that restore and initialise the model. */
  runOptions?: RunOptionsJson | Uint8Array | undefined;
  /** `'copy'`: outputs of every run in ordinary ArrayBuffers, never in TensorFlow's memory. */
  outputs?: 'copy' | undefined;
}

/** Options of `model.run`. */
export interface ModelRunOptions extends RunControl {
  /** Default: `serving_default`, else the only one. */
  signature?: string | undefined;
  /** The outputs to compute, by their names in the signature; `'copy'`: all, in ordinary ArrayBuffers. Default: all. */
  outputs?: readonly string[] | 'copy' | undefined;
}

/** Options of `model.runSync`. */
export type ModelRunSyncOptions = Omit<ModelRunOptions, 'timeout' | 'signal'>;

const LOAD_KEYS = ['tags', 'config', 'runOptions', 'outputs', 'strings'];
const RUN_KEYS = ['signature', 'outputs', ...RUN_CONTROL_KEYS];
const RUN_SYNC_KEYS = RUN_KEYS.filter((key) => key !== 'timeout' && key !== 'signal');

/** A signature with its chosen outputs, looked up in the graph. */
interface Plan {
  inputs: readonly (readonly [key: string, info: TensorInfo, label: string])[];
  outputs: readonly string[];
  bound: Bound;
}

export class SavedModel {
  /** The folder it was loaded from. */
  readonly directory: string;
  readonly tags: readonly string[];
  /** What can be run: inputs and outputs with tensor names, types and shapes. */
  readonly signatures: Signatures;
  /** The session below, for runs by tensor names. */
  readonly session: Session;
  #plans = new Map<string, Plan>();

  private constructor(directory: string, tags: readonly string[], signatures: Signatures, session: Session) {
    this.directory = directory;
    this.tags = tags;
    this.signatures = signatures;
    this.session = session;
  }

  /**
   * Loads a SavedModel off the event loop: graph, variables, assets, initialisation.
   *
   * @throws TensorFlowError NOT_FOUND for a missing folder, file or tag set (listing the tags there are); DATA_LOSS
   *   for a truncated or garbled one; LIBRARY_NOT_FOUND; INVALID_OPTION naming a wrong key
   */
  static async load(directory: string | URL, options: LoadOptions = {}): Promise<SavedModel> {
    checkKeys(options, LOAD_KEYS, 'The options of SavedModel.load');
    checkOneOf(options.outputs, ['copy'], 'outputs');
    checkOneOf(options.strings, ['bytes'], 'strings');
    const tags = options.tags ?? ['serve'];
    checkStrings(tags, 'tags');
    const config = encodeConfig(options.config);
    const runOptions = encodeRunOptions(options.runOptions);
    const path = toPath(directory);
    await checkDirectory(path);
    await openLibrary();
    let loaded: Awaited<ReturnType<ReturnType<typeof addon>['loadSavedModel']>>;
    try {
      loaded = await addon().loadSavedModel(path, tags, config, runOptions);
    } catch (error) {
      throw await explainLoadFailure(path, tags, error);
    }
    const session = new Session(loaded.session, {
      copy: options.outputs === 'copy',
      strings: options.strings,
    });
    try {
      const metaGraph = decodeMetaGraph(loaded.metaGraph);
      await requireVariables(path, metaGraph);
      return new SavedModel(path, [...tags], signaturesOf(metaGraph), session);
    } catch (error) {
      await session.close();
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
   *   with what there is; DEADLINE_EXCEEDED; CANCELLED; FAILED_PRECONDITION once closed; and whatever TensorFlow says
   */
  run(
    inputs: Readonly<Record<string, TensorLike>> = {},
    options: ModelRunOptions = {},
  ): Promise<Record<string, Tensor>> {
    try {
      checkKeys(options, RUN_KEYS, 'The options of a run');
      const plan = this.#plan(options);
      const outputs = runCall(
        plan.bound,
        toInputs(plan, inputs),
        this.session.withDefaults(options),
        this.session.copies(options.outputs),
      );
      return outputs.then((tensors) => byName(plan, tensors));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The same on this thread: everything else in it stands still until the run has ended. For scripts and tests.
   * Outputs are in ordinary ArrayBuffers. Nothing can end a graph that never ends.
   */
  runSync(
    inputs: Readonly<Record<string, TensorLike>> = {},
    options: ModelRunSyncOptions = {},
  ): Record<string, Tensor> {
    checkKeys(options, RUN_SYNC_KEYS, 'The options of a run');
    const plan = this.#plan(options);
    const tensors = runCallSync(
      plan.bound,
      toInputs(plan, inputs),
      this.session.withDefaults(options),
      this.session.copies(options.outputs),
    );
    return byName(plan, tensors);
  }

  /** The devices of the model's session. */
  devices(): Promise<Device[]> {
    return this.session.devices();
  }

  /**
   * Frees the model. New runs are refused from now on, accepted ones end first; with `cancel` they end with
   * CANCELLED. May be called again.
   */
  close(options: { cancel?: boolean } = {}): Promise<void> {
    return this.session.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #plan(options: ModelRunOptions): Plan {
    const chosen = options.outputs === 'copy' ? undefined : options.outputs;
    const key = JSON.stringify([options.signature, chosen]);
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      const [name, signature] = findSignature(this.signatures, options.signature);
      const outputs = chooseOutputs(name, signature, chosen);
      const inputs = Object.entries(signature.inputs).map(
        ([input, info]) => [input, info, `input "${input}" of signature "${name}"`] as const,
      );
      const bound = this.session.bind(
        inputs.map(([, info]) => info.name),
        outputs.map((output) => signature.outputs[output]!.name),
        [],
      );
      plan = { inputs, outputs, bound };
      remember(this.#plans, key, plan);
    }
    this.session.checkOpen(plan.bound);
    return plan;
  }
}

function toPath(directory: string | URL): string {
  if (directory instanceof URL) return fileURLToPath(directory);
  if (typeof directory === 'string' && directory !== '') return directory;
  throw invalidOption('The folder of a SavedModel must be a path.');
}

function chooseOutputs(name: string, signature: Signature, chosen: readonly string[] | undefined): string[] {
  const all = Object.keys(signature.outputs);
  if (chosen === undefined) return all;
  checkStrings(chosen, 'outputs');
  if (chosen.length === 0)
    throw invalidOption('outputs is empty: name at least one output, or leave it out for all.');
  for (const output of chosen) {
    if (all.includes(output)) continue;
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The signature "${name}" has no output "${output}".${didYouMean(output, all)} It has: ${all.join(', ')}.`,
    );
  }
  return [...new Set(chosen)];
}

/** Inputs in the plan's order; a missing or an unknown name is an error that lists the names. */
function toInputs(plan: Plan, inputs: Readonly<Record<string, TensorLike>>): Tensor[] {
  if (typeof inputs !== 'object' || inputs === null) {
    throw new TensorFlowError('INVALID_ARGUMENT', 'The inputs must be an object of values by input name.');
  }
  const known = plan.inputs.map(([name]) => name);
  const unknown = Object.keys(inputs).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `There is no input "${unknown}".${didYouMean(unknown, known)}${listInputs(plan)}`,
    );
  }
  return plan.inputs.map(([name, info, label]) => {
    if (!Object.hasOwn(inputs, name)) {
      throw new TensorFlowError('INVALID_ARGUMENT', `The ${label} is missing.${listInputs(plan)}`);
    }
    return toInput(inputs[name]!, info, label);
  });
}

function listInputs(plan: Plan): string {
  if (plan.inputs.length === 0) return ' The signature takes no inputs.';
  return ` The signature takes: ${plan.inputs.map(([name]) => name).join(', ')}.`;
}

function byName(plan: Plan, tensors: readonly Tensor[]): Record<string, Tensor> {
  const outputs: Record<string, Tensor> = {};
  plan.outputs.forEach((name, i) => {
    outputs[name] = tensors[i]!;
  });
  return outputs;
}

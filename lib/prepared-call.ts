/** A signature made ready for many runs: what does not change from run to run is looked up and checked once. */
import { TensorFlowError } from './errors.js';
import type { Executor } from './executor.js';
import type { TensorLike } from './inputs.js';
import { checkNames } from './model-options.js';
import type { ModelVersion } from './model-version.js';
import { readOptions } from './options.js';
import { RUN_CONTROL_KEYS, type RunControl, type SyncControl } from './run.js';
import { findSignature, type Signature } from './saved-model/signatures.js';
import type { Serving } from './serving.js';
import { signatureChange } from './signature-change.js';
import type { Tensor } from './tensor.js';
import type { VersionCall } from './version-call.js';

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

/** Made by `model.prepare`. Lives as long as its model, and follows it from version to version while the signature stays the same. */
export class PreparedCall<
  I extends object = Readonly<Record<string, TensorLike>>,
  O = Record<string, Tensor>,
> {
  readonly #serving: Serving;
  readonly #options: PrepareOptions;
  /** @internal Its name. */
  readonly signature: string;
  /** As it was found when the call was made. */
  readonly #signature: Signature;
  #call: VersionCall;

  /** @internal The values of the options are checked. Throws INVALID_ARGUMENT for a wrong signature or output. */
  constructor(serving: Serving, options: PrepareOptions) {
    const version = serving.current;
    const outputs = checkNames(options.signature, options.outputs, options.device);
    const [signature, found] = findSignature(version.signatures, options.signature);
    this.#serving = serving;
    this.signature = signature;
    this.#options = { ...options, signature, outputs };
    this.#signature = found;
    this.#call = version.prepare(this.#options);
  }

  /**
   * As `model.run`. A device that is not prepared yet is prepared by the first run.
   *
   * @throws TensorFlowError (as a rejection) as `model.run`; INVALID_ARGUMENT where a new version of the model has another
   *   signature, naming what has changed: prepare it again
   */
  run(inputs: I = NOTHING as I, options: CallOptions = NOTHING): Promise<O> {
    try {
      const read = options === NOTHING ? options : readOptions(options, CALL_KEYS, 'The options of a run');
      return this.ready().start(inputs as Inputs, read) as Promise<O>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `model.runSync`: everything else in this thread stands still until the run has ended. */
  runSync(inputs: I = NOTHING as I, options: CallSyncOptions = NOTHING): O {
    const read = options === NOTHING ? options : readOptions(options, CALL_SYNC_KEYS, 'The options of a run');
    return this.ready().startSync(inputs as Inputs, read) as O;
  }

  /** @internal The call on the version that serves now. Throws INVALID_ARGUMENT where that has another signature. */
  ready(): VersionCall {
    const { current } = this.#serving;
    if (this.#call.version !== current) this.#call = this.on(current);
    return this.#call;
  }

  /** @internal The same on any version. */
  on(version: ModelVersion): VersionCall {
    const change = this.changeIn(version);
    if (change === undefined) return version.prepare(this.#options);
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The call was prepared for another version of the model. ${change} Prepare it again: model.prepare().`,
    );
  }

  /** @internal What is not as it was when the call was made, as a sentence; undefined where all of it is. */
  changeIn({ signatures, directory }: ModelVersion): string | undefined {
    const { signature } = this;
    if (!Object.hasOwn(signatures, signature)) return `${directory} has no signature "${signature}".`;
    const change = signatureChange(this.#signature, signatures[signature]!, this.#call.plan.outputs);
    return change && `In ${directory}, signature "${signature}", the ${change}.`;
  }
}

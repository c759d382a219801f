/// <reference lib="esnext.disposable" preserve="true" />
/** Callers give single rows, one run carries many. */
import { TensorFlowError } from '../errors.js';
import type { TensorLike } from '../inputs.js';
import { isRefused } from '../max-pending.js';
import { checkClose, readOptions } from '../options.js';
import { checkControl } from '../run.js';
import { type Plan, toInputs } from '../signature-plan.js';
import { copyTensor, Tensor } from '../tensor.js';
import { isTypedArray } from '../tensor-encode.js';
import { limit } from '../time-limit.js';
import { Batch, type Request } from './batch.js';
import type { Batching } from './options.js';
import { cutRows, joinRows } from './rows.js';
import { isScalar, makeKey, rowsOf } from './shapes.js';

/** Options of `batcher.run`. */
export interface BatcherRunOptions {
  /**
   * Milliseconds from the call, above 0, waiting included; then the promise rejects with DEADLINE_EXCEEDED. Rows whose batch
   * has not begun are taken out of it.
   */
  timeout?: number | undefined;
  /** Rejects with `signal.reason`; the same holds. */
  signal?: AbortSignal | undefined;
}

/** What a batcher has done so far. */
export interface BatcherStats {
  /** Runs of batches, without reruns. */
  batches: number;
  /** Callers' rows that they carried. */
  rows: number;
  /** Rows that filled batches up to an allowed size. */
  paddedRows: number;
  /** Calls that were run once more by themselves, since their batch had failed. */
  reruns: number;
}

/** What a batcher needs of its model. */
export interface BatchedModel {
  plan: Plan;
  /** Runs inputs in the plan's order. */
  run(inputs: readonly Tensor[]): Promise<Record<string, Tensor>>;
  /** Whether runs change something that later runs see. */
  isStateful(): Promise<boolean>;
  /** The batcher has ended. */
  onClosed(): void;
}

const RUN_KEYS = ['timeout', 'signal'];

/** Made by `model.batcher`. */
export class Batcher<I extends object = Readonly<Record<string, TensorLike>>, O = Record<string, Tensor>> {
  /** What it was made with, defaults filled in. */
  readonly options: Batching;
  readonly #model: BatchedModel;
  readonly #keyOf: (inputs: readonly Tensor[]) => string;
  /** In the order in which they began to wait. */
  readonly #waiting: Batch[] = [];
  readonly #stats: BatcherStats = { batches: 0, rows: 0, paddedRows: 0, reruns: 0 };
  #atWork = 0;
  #isClosed = false;
  #closed: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  /** A look at the line is due: in this turn of the event loop, or by a timer. */
  #look: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @internal All of it is checked. */
  constructor(model: BatchedModel, options: Batching) {
    this.#model = model;
    this.options = options;
    this.#keyOf = makeKey(model.plan, options.padVariableLengthInputs);
  }

  /** A copy of the counts so far. */
  get stats(): BatcherStats {
    return { ...this.#stats };
  }

  /**
   * Runs some rows, mostly one, together with those of others.
   *
   * @param inputs As for `model.run`, with a first dimension of as many rows as the caller has: 1, up to `maxBatchSize`.
   *   Scalars as they are. All is copied during the call.
   * @returns The outputs of these rows, in memory of their own.
   * @throws TensorFlowError (as a rejection) as `model.run`; UNAVAILABLE where `maxEnqueuedBatches` batches wait. A batch
   *   that fails is run once more, each call by itself, so that only those fail who are at fault; unless the signature
   *   changes state, where all of them fail.
   */
  run(inputs: I, given: BatcherRunOptions = {}): Promise<O> {
    try {
      const options = readOptions(given, RUN_KEYS, 'The options of a run');
      checkControl(options);
      if (options.signal?.aborted) return Promise.reject(options.signal.reason);
      if (this.#isClosed) throw new TensorFlowError('FAILED_PRECONDITION', 'The batcher is closed.');
      const { plan } = this.#model;
      const values = inputs as Readonly<Record<string, TensorLike>>;
      const tensors = toInputs(plan, values);
      const rows = rowsOf(plan, tensors, this.options.maxBatchSize);
      const batch = this.#openBatch(this.#keyOf(tensors), rows);
      const own = plan.inputs.map(([name], i) => {
        const given = values[name];
        const isOurs = !(Tensor.is(given) || isTypedArray(given)) && tensors[i]!.dtype !== 'string';
        return !isOurs ? copyTensor(tensors[i]!) : tensors[i]!;
      });
      let request!: Request;
      const result = new Promise<Record<string, Tensor>>((resolve, reject) => {
        request = { inputs: own, rows, resolve, reject };
      });
      batch.add(request);
      if (batch.rows === this.options.maxBatchSize) batch.isFull = true;
      this.#look ??= setImmediate(() => this.#advance());
      const isLimited = options.timeout !== undefined || options.signal !== undefined;
      return (isLimited ? limit(result, options, () => batch.remove(request)) : result) as Promise<O>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Runs what waits, and refuses more; with `cancel` what waits is rejected with CANCELLED. Resolves when all has ended. May
   * be called again. `model.close` does the same first.
   */
  close(options: { cancel?: boolean } = {}): Promise<void> {
    try {
      checkClose(options);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#isClosed = true;
    this.#closed ??= new Promise((resolve) => {
      this.#onIdle = resolve;
    });
    if (options.cancel === true) {
      const reason = new TensorFlowError('CANCELLED', 'The run was cancelled: its batcher was closed.');
      for (const { requests } of this.#waiting.splice(0)) for (const { reject } of requests) reject(reason);
    }
    this.#advance();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A batch with room for these rows, the last one of its key: the order of a key's rows holds. */
  #openBatch(key: string, rows: number): Batch {
    const { maxBatchSize, maxEnqueuedBatches, batchTimeoutMicros } = this.options;
    const last = this.#waiting.findLast((batch) => batch.key === key);
    if (last !== undefined && !last.isFull) {
      if (last.rows + rows <= maxBatchSize) return last;
      last.isFull = true;
    }
    this.#dropEmpty();
    if (this.#waiting.length >= maxEnqueuedBatches) {
      throw new TensorFlowError(
        'UNAVAILABLE',
        `${maxEnqueuedBatches} batches wait already (maxEnqueuedBatches). Try again later, or let fewer callers in.`,
      );
    }
    const batch = new Batch(key, performance.now() + batchTimeoutMicros / 1000);
    this.#waiting.push(batch);
    return batch;
  }

  /** Batches whose callers have all given up. */
  #dropEmpty(): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      if (this.#waiting[i]!.requests.length === 0) this.#waiting.splice(i, 1);
    }
  }

  /** Starts what may start, and looks again when the next is due. */
  #advance(): void {
    clearImmediate(this.#look);
    clearTimeout(this.#timer);
    this.#look = undefined;
    this.#timer = undefined;
    this.#dropEmpty();
    const now = performance.now();
    while (this.#atWork < this.options.numBatchThreads) {
      const at = this.#waiting.findIndex(({ isFull, due }) => isFull || this.#isClosed || due <= now);
      if (at === -1) break;
      const [batch] = this.#waiting.splice(at, 1);
      this.#atWork++;
      batch!.hasBegun = true;
      void this.#work(batch!);
    }
    if (this.#atWork === 0 && this.#waiting.length === 0 && this.#isClosed) {
      this.#model.onClosed();
      this.#onIdle?.();
    }
    if (this.#atWork >= this.options.numBatchThreads || this.#waiting.length === 0) return;
    const left = Math.min(...this.#waiting.map(({ due }) => due)) - now;
    // Node's timers know milliseconds; what is less is waited for in turns of the event loop, which nothing holds up.
    if (left < 1) this.#look = setImmediate(() => this.#advance());
    else this.#timer = setTimeout(() => this.#advance(), Math.floor(left));
  }

  async #work({ requests, rows }: Batch): Promise<void> {
    this.#stats.batches++;
    this.#stats.rows += rows;
    try {
      const shares = await this.#runTogether(requests, rows);
      for (const [i, share] of shares.entries()) requests[i]!.resolve(share);
    } catch (error) {
      await this.#mend(requests, error);
    }
    this.#atWork--;
    this.#advance();
  }

  /** One run, and the outputs of each call. */
  async #runTogether(requests: readonly Request[], rows: number): Promise<Record<string, Tensor>[]> {
    const { plan } = this.#model;
    const size = this.options.allowedBatchSizes?.find((allowed) => allowed >= rows) ?? rows;
    this.#stats.paddedRows += size - rows;
    const joined = plan.inputs.map(([, info], i) => {
      const tensors = requests.map(({ inputs }) => inputs[i]!);
      return isScalar(info) ? tensors[0]! : joinRows(tensors, size - rows);
    });
    const outputs = await this.#model.run(joined);
    let from = 0;
    return requests.map((request) => {
      const to = from + request.rows;
      const share = plan.outputs.map(
        (name) => [name, cutRows(outputs[name]!, from, to, size, name)] as const,
      );
      from = to;
      return Object.fromEntries(share);
    });
  }

  /** A batch has failed: each call once more by itself, one after the other, where that is safe. */
  async #mend(requests: readonly Request[], error: unknown): Promise<void> {
    // Where too many runs wait already, more of them would be no help.
    const isOver =
      isRefused(error) ||
      (error instanceof TensorFlowError && ['CANCELLED', 'FAILED_PRECONDITION'].includes(error.code));
    if (requests.length === 1 || isOver || (await this.#isStateful())) {
      for (const { reject } of requests) reject(error);
      return;
    }
    for (const request of requests) {
      this.#stats.reruns++;
      await this.#runTogether([request], request.rows).then(
        ([share]) => request.resolve(share!),
        request.reject,
      );
    }
  }

  /** Where nobody can tell, nothing is run twice. */
  #isStateful(): Promise<boolean> {
    return this.#model.isStateful().catch(() => true);
  }
}

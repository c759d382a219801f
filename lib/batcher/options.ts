/** Options of a batcher, by TensorFlow Serving's names and with its defaults. */
import { checkCount, checkKeys, checkOneOf, invalidOption } from '../options.js';
import { show } from '../show.js';

/** How single rows become batches. */
export interface BatchingOptions {
  /** Most rows of one run. Default: 1000. */
  maxBatchSize?: number | undefined;
  /**
   * How long the first row of a batch waits for others, in microseconds. Default: 0, which runs what is there as soon as a
   * run is free: while it is at work, rows collect. Rows of one turn of the event loop go together in any case.
   */
  batchTimeoutMicros?: number | undefined;
  /** Batches that may wait; rows beyond are refused with UNAVAILABLE. Default: 10. */
  maxEnqueuedBatches?: number | undefined;
  /**
   * The only sizes of batches that the model sees, ascending, the last one `maxBatchSize`: a smaller batch is filled up with
   * copies of its first row, which nobody gets to see. Default: every size.
   */
  allowedBatchSizes?: readonly number[] | undefined;
  /**
   * Pads rows of unequal inner shape to the largest of their batch, each with its own first element. What the model makes
   * of it is not cut back. Default: false, such rows go to separate batches.
   */
  padVariableLengthInputs?: boolean | undefined;
  /** Batches at work at once. Default: 1, so that rows collect while one is. */
  numBatchThreads?: number | undefined;
}

export const BATCHING_KEYS = [
  'maxBatchSize',
  'batchTimeoutMicros',
  'maxEnqueuedBatches',
  'allowedBatchSizes',
  'padVariableLengthInputs',
  'numBatchThreads',
] as const;

/** The same, checked, with the defaults filled in. */
export interface Batching {
  readonly maxBatchSize: number;
  readonly batchTimeoutMicros: number;
  readonly maxEnqueuedBatches: number;
  readonly allowedBatchSizes: readonly number[] | undefined;
  readonly padVariableLengthInputs: boolean;
  readonly numBatchThreads: number;
}

const LONGEST_MICROS = 2 ** 31 * 1000;

/** Throws INVALID_OPTION naming the key. `where` says whose options they are. */
export function checkBatching(options: BatchingOptions, where: string, known: readonly string[]): Batching {
  checkKeys(options, known, where);
  checkCount(options.maxBatchSize, 'maxBatchSize');
  checkCount(options.maxEnqueuedBatches, 'maxEnqueuedBatches');
  checkCount(options.numBatchThreads, 'numBatchThreads');
  checkOneOf(options.padVariableLengthInputs, [true, false], 'padVariableLengthInputs');
  const micros = options.batchTimeoutMicros ?? 0;
  if (!(typeof micros === 'number' && micros >= 0 && micros < LONGEST_MICROS)) {
    throw invalidOption(
      `batchTimeoutMicros must be a number of microseconds from 0 on, not ${show(micros)}.`,
    );
  }
  const allowed = options.allowedBatchSizes;
  const maxBatchSize = options.maxBatchSize ?? allowed?.at(-1) ?? 1000;
  if (allowed !== undefined) checkAllowed(allowed, maxBatchSize);
  return {
    maxBatchSize,
    batchTimeoutMicros: micros,
    maxEnqueuedBatches: options.maxEnqueuedBatches ?? 10,
    allowedBatchSizes: allowed && [...allowed],
    padVariableLengthInputs: options.padVariableLengthInputs === true,
    numBatchThreads: options.numBatchThreads ?? 1,
  };
}

function checkAllowed(allowed: unknown, maxBatchSize: number): void {
  const isAscending =
    Array.isArray(allowed) &&
    allowed.length > 0 &&
    allowed.every((size, i) => Number.isInteger(size) && size > (i === 0 ? 0 : allowed[i - 1]));
  if (isAscending && allowed.at(-1) === maxBatchSize) return;
  throw invalidOption(
    `allowedBatchSizes must be ascending whole numbers, the last one maxBatchSize (${maxBatchSize}), not ${show(allowed)}.`,
  );
}

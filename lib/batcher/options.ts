/** Options of a batcher, by TensorFlow Serving's names and with its defaults. */
import { checkCount, checkOneOf, invalidOption, readOptions } from '../options.js';
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

const MOST_SIZES = 65536;
const LONGEST_MICROS = 2 ** 31 * 1000;

/** Throws INVALID_OPTION naming the key. `where` says whose options they are. */
export function checkBatching(given: BatchingOptions, where: string, known: readonly string[]): Batching {
  const options = readOptions(given, known, where);
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
  const allowed = copyAllowed(options.allowedBatchSizes);
  if (allowed !== undefined) checkAllowed(allowed, options.maxBatchSize);
  const maxBatchSize = options.maxBatchSize ?? allowed?.at(-1) ?? 1000;
  return {
    maxBatchSize,
    batchTimeoutMicros: micros,
    maxEnqueuedBatches: options.maxEnqueuedBatches ?? 10,
    allowedBatchSizes: allowed,
    padVariableLengthInputs: options.padVariableLengthInputs === true,
    numBatchThreads: options.numBatchThreads ?? 1,
  };
}

/** Each read once. */
function copyAllowed(allowed: unknown): number[] | undefined {
  if (allowed === undefined) return undefined;
  if (!Array.isArray(allowed) || allowed.length > MOST_SIZES) {
    throw invalidOption(
      `allowedBatchSizes must be at most ${MOST_SIZES} whole numbers, not ${show(allowed)}.`,
    );
  }
  return Array.from({ length: allowed.length }, (_, i) => allowed[i]);
}

function checkAllowed(allowed: readonly number[], maxBatchSize: number | undefined): void {
  const isAscending =
    allowed.length > 0 &&
    allowed.every((size, i) => Number.isInteger(size) && size > (i === 0 ? 0 : allowed[i - 1]!));
  if (isAscending && [undefined, allowed.at(-1)].includes(maxBatchSize)) return;
  const last = maxBatchSize === undefined ? '' : `, the last one maxBatchSize (${maxBatchSize})`;
  throw invalidOption(`allowedBatchSizes must be ascending whole numbers${last}, not ${show(allowed)}.`);
}

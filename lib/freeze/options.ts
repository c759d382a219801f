/** The load option `freeze`. */
import { TensorFlowError } from '../errors.js';
import type { TensorLike } from '../inputs.js';
import { invalidOption, readOptions } from '../options.js';
import { show } from '../show.js';
import type { Tensor } from '../tensor.js';

/** How a model is frozen. */
export interface FreezeOptions {
  /**
   * Inputs to run before and after, by the signature's names: a load whose outputs differ by more than the tolerance fails.
   * Default: no such check.
   */
  verify?: Readonly<Record<string, TensorLike>> | undefined;
  /** The signature that they are for. Default: `serving_default`, else the only one. */
  signature?: string | undefined;
  /** The largest difference, as a share of the output's largest value. Default: 1e-4. */
  tolerance?: number | undefined;
}

const KEYS = ['verify', 'signature', 'tolerance'];
const TOLERANCE = 1e-4;

/** Undefined where nothing is to be frozen. Throws INVALID_OPTION naming the key. */
export function checkFreeze(freeze: boolean | FreezeOptions | undefined): FreezeOptions | undefined {
  if (freeze === undefined || freeze === false) return undefined;
  if (freeze === true) return {};
  if (typeof freeze !== 'object' || freeze === null) {
    throw invalidOption(
      `freeze must be true, false or an object with ${KEYS.join(', ')}, not ${show(freeze)}.`,
    );
  }
  const read = readOptions(freeze, KEYS, 'freeze');
  const { tolerance, verify, signature } = read;
  if (tolerance !== undefined && !(typeof tolerance === 'number' && tolerance >= 0)) {
    throw invalidOption(`freeze.tolerance must be a number of 0 or more, not ${show(tolerance)}.`);
  }
  if (verify !== undefined && (typeof verify !== 'object' || verify === null)) {
    throw invalidOption('freeze.verify must be an object of values by input name.');
  }
  if (signature !== undefined && typeof signature !== 'string') {
    throw invalidOption('freeze.signature must be the name of a signature.');
  }
  return read;
}

/**
 * Holds outputs against what they should be.
 *
 * @throws TensorFlowError FAILED_PRECONDITION naming the output that differs most
 */
export function checkOutputs(
  expected: Readonly<Record<string, Tensor>>,
  actual: Readonly<Record<string, Tensor>>,
  { tolerance = TOLERANCE }: FreezeOptions,
): void {
  for (const [name, tensor] of Object.entries(expected)) {
    const difference = largestDifference(tensor, actual[name]!);
    if (difference <= tolerance) continue;
    throw new TensorFlowError(
      'FAILED_PRECONDITION',
      `freeze.verify: the output "${name}" of the frozen model differs by ${difference.toPrecision(2)} of its largest value, ` +
        `more than the tolerance of ${tolerance}. Load the model without freeze, or allow more.`,
    );
  }
}

/**
 * How far two tensors are apart: the largest difference of two elements, as a share of the largest element that should be
 * there. Infinity where they cannot be compared: other shapes, other strings, a NaN on one side alone.
 */
export function largestDifference(expected: Tensor, actual: Tensor): number {
  if (expected.dtype !== actual.dtype || expected.shape.join() !== actual.shape.join()) return Infinity;
  if (expected.dtype === 'string') {
    return expected.data.every((value, i) => String(value) === String(actual.data[i])) ? 0 : Infinity;
  }
  const wanted = expected.toNumbers();
  const given = actual.toNumbers();
  let largest = 0;
  let difference = 0;
  for (const [i, value] of wanted.entries()) {
    if (Object.is(value, given[i]) || value === given[i]) {
      if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
      continue;
    }
    const apart = Math.abs(value - given[i]!);
    if (!Number.isFinite(apart)) return Infinity;
    largest = Math.max(largest, Math.abs(value));
    difference = Math.max(difference, apart);
  }
  return difference === 0 ? 0 : difference / Math.max(largest, Number.MIN_VALUE);
}

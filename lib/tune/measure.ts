/** Measures candidates and holds their outputs against the untuned ones. */
import { type CompareOptions, compare, type Outcome } from '../bench/compare.js';
import type { Candidate, SentTensor } from '../bench/job.js';
import type { DataOf, DType } from '../dtype.js';
import { largestDifference } from '../freeze/options.js';
import { Tensor } from '../tensor.js';

type Outputs = Readonly<Record<string, SentTensor>>;

/** The first candidate that is measured is the one that the others are held against. */
export function makeMeasure(options: CompareOptions) {
  let expected: Outputs | undefined;
  return async (
    candidates: readonly Candidate[],
  ): Promise<{ outcome: Outcome; maxDifference: number | undefined }[]> => {
    const outputs = new Map<number, Outputs>();
    const outcomes = await compare(candidates, {
      ...options,
      onOutputs: (i, given) => outputs.set(i, given),
    });
    expected ??= outputs.get(0);
    return outcomes.map((outcome, i) => {
      const given = outputs.get(i);
      const isKnown = expected !== undefined && given !== undefined;
      return { outcome, maxDifference: isKnown ? differenceOf(expected!, given) : undefined };
    });
  };
}

function differenceOf(expected: Outputs, given: Outputs): number {
  return Math.max(
    0,
    ...Object.entries(expected).map(([name, tensor]) => {
      const other = given[name];
      return other === undefined ? Infinity : largestDifference(wrap(tensor), wrap(other));
    }),
  );
}

function wrap({ dtype, shape, data }: SentTensor): Tensor {
  return Tensor.wrap(dtype as DType, shape, data as DataOf<DType>);
}

/**
 * The search for better options: group by group, each group's alternatives side by side with the best so far. Not the whole
 * product of them: a winner of one group is what the next one starts from.
 */
import type { Outcome } from '../bench/compare.js';
import type { Measured } from '../bench/contestant.js';
import type { Candidate } from '../bench/job.js';

/** What is to be best: the time of one run, or rows a second. */
export type Goal = 'latency' | 'throughput';

/** One change of a candidate. */
export interface Move {
  name: string;
  apply(candidate: Candidate): Candidate;
}

/** A candidate as it was tried. */
export interface Trial {
  name: string;
  candidate: Candidate;
  outcome: Outcome;
  /** The largest difference of an output from the untuned one, as a share of its largest value; undefined where it failed. */
  maxDifference: number | undefined;
  /** Why it was not taken although it ran. */
  dropped?: string | undefined;
}

export interface SearchOptions {
  goal: Goal;
  /** Beyond it a candidate is dropped. */
  tolerance: number;
  /** Measures candidates side by side, and how far their outputs are from the untuned ones. */
  measure(
    candidates: readonly Candidate[],
  ): Promise<{ outcome: Outcome; maxDifference: number | undefined }[]>;
  /** True from the moment on that it should end with what it has. */
  isOver(): boolean;
  onTrial?: ((trial: Trial) => void) | undefined;
}

/** By how much a candidate must be better to be taken: what is less may be noise. */
const LEAST_GAIN = 0.03;

/** Larger is better. */
function worth(goal: Goal, result: Measured): number {
  return goal === 'latency' ? 1 / result.medianUs : result.perSecond;
}

/**
 * Returns the best candidate, all that were tried, and how many times as fast as the untuned one, which is the first trial, it
 * is: 1 where nothing is better, NaN where it was stopped before that was known.
 */
export async function search(
  start: Candidate,
  groups: readonly (readonly Move[])[],
  options: SearchOptions,
): Promise<{ best: Trial; trials: Trial[]; gain: number }> {
  const trials: Trial[] = [];
  const note = (trial: Trial) => {
    trials.push(trial);
    options.onTrial?.(trial);
    return trial;
  };
  const [first] = await options.measure([start]);
  let best = note({ name: 'untuned', candidate: start, ...first! });
  if (best.outcome.result === undefined) return { best, trials, gain: 1 };
  for (const group of groups) {
    if (options.isOver()) break;
    const candidates = group.map(({ apply }) => apply(best.candidate));
    // The best so far is measured again with them: the machine is not what it was a minute ago.
    const [again, ...measured] = await options.measure([best.candidate, ...candidates]);
    const now = again!.outcome.result;
    if (now === undefined) break; // stopped
    let next = best;
    let least = worth(options.goal, now) * (1 + LEAST_GAIN);
    for (const [i, { outcome, maxDifference }] of measured.entries()) {
      const name = best.name === 'untuned' ? group[i]!.name : `${best.name}, ${group[i]!.name}`;
      const trial: Trial = { name, candidate: candidates[i]!, outcome, maxDifference };
      if (outcome.result !== undefined && (maxDifference ?? Infinity) > options.tolerance) {
        trial.dropped = `outputs differ by ${maxDifference?.toPrecision(2)}, more than ${options.tolerance}`;
      }
      note(trial);
      if (outcome.result === undefined || trial.dropped !== undefined) continue;
      if (worth(options.goal, outcome.result) <= least) continue;
      least = worth(options.goal, outcome.result);
      next = trial;
    }
    best = next;
  }
  const final = await confirm(start, best, options);
  return { ...final, best: final.gain === 1 ? trials[0]! : best, trials };
}

/**
 * The best against the untuned once more, with nothing else beside them: winning a group may have been luck. A gain of 1 where
 * it does not win again.
 */
async function confirm(start: Candidate, best: Trial, options: SearchOptions): Promise<{ gain: number }> {
  if (best.candidate === start) return { gain: 1 };
  const [before, after] = (await options.measure([start, best.candidate])).map(
    ({ outcome }) => outcome.result,
  );
  if (before === undefined || after === undefined) return { gain: Number.NaN }; // stopped
  const gain = worth(options.goal, after) / worth(options.goal, before);
  return { gain: gain < 1 + LEAST_GAIN ? 1 : gain };
}

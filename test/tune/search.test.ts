/** The strategy of the search, with measuring that is made up: what is measured for real is in test/cli/tune.test.ts. */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/bench/compare.js';
import type { Measured } from '../../lib/bench/contestant.js';
import type { Candidate } from '../../lib/bench/job.js';
import { type Move, search } from '../../lib/tune/search.js';

const START: Candidate = { directory: '', options: {}, run: {}, inputs: {} };
const freeze: Move = {
  name: 'freeze',
  apply: (from) => ({ ...from, options: { ...from.options, freeze: true } }),
};
const copies = (count: number): Move => ({
  name: `${count} copies`,
  apply: (from) => ({ ...from, options: { ...from.options, copies: count } }),
});

/** Measures by a rule: the time of a candidate, or why it fails. */
function measuring(
  time: (candidate: Candidate) => number | string,
  difference: (candidate: Candidate) => number = () => 0,
) {
  return async (candidates: readonly Candidate[]) =>
    candidates.map((candidate) => {
      const took = time(candidate);
      const outcome: Outcome =
        typeof took === 'string'
          ? { error: new Error(took) }
          : { result: { medianUs: took, perSecond: 1e6 / took } as Measured };
      return { outcome, maxDifference: difference(candidate) };
    });
}

const options = { goal: 'latency', tolerance: 1e-3, isOver: () => false } as const;

describe('search', () => {
  it('builds each group on the winner of the one before', async () => {
    const time = ({ options: { freeze: frozen, copies: count } }: Candidate) =>
      100 * (frozen ? 0.6 : 1) * (count === 2 ? 0.5 : count === 4 ? 2 : 1);
    const { best, gain, trials } = await search(START, [[freeze], [copies(2), copies(4)]], {
      ...options,
      measure: measuring(time),
    });
    expect(best.candidate.options).toEqual({ freeze: true, copies: 2 });
    expect(best.name).toBe('freeze, 2 copies');
    expect(gain).toBeCloseTo(100 / 30);
    expect(trials.map(({ name }) => name)).toEqual([
      'untuned',
      'freeze',
      'freeze, 2 copies',
      'freeze, 4 copies',
    ]);
  });

  it('takes nothing for what may be noise', async () => {
    const { best, gain } = await search(START, [[freeze]], {
      ...options,
      measure: measuring(({ options: { freeze: frozen } }) => (frozen ? 99 : 100)),
    });
    expect(best.name).toBe('untuned');
    expect(gain).toBe(1);
  });

  it('drops what is beyond the tolerance, and goes past what fails', async () => {
    const { best, trials } = await search(START, [[freeze], [copies(2), copies(4)]], {
      ...options,
      measure: measuring(
        ({ options: { freeze: frozen, copies: count } }) =>
          count === 4 ? 'out of memory' : frozen ? 10 : 100,
        ({ options: { freeze: frozen } }) => (frozen ? 0.1 : 0),
      ),
    });
    expect(best.name).toBe('untuned');
    expect(trials[1]!.dropped).toContain('0.10');
    expect(trials[3]!.outcome.error!.message).toBe('out of memory');
  });

  it('does not keep a winner that does not win again', async () => {
    let asked = 0;
    const { best, gain } = await search(START, [[freeze]], {
      ...options,
      measure: measuring(({ options: { freeze: frozen } }) => (frozen && ++asked === 1 ? 10 : 100)),
    });
    expect({ name: best.name, gain }).toEqual({ name: 'untuned', gain: 1 });
  });

  it('ends with what it has when it is over', async () => {
    let groups = 0;
    const { best } = await search(START, [[freeze], [copies(2)]], {
      ...options,
      isOver: () => groups++ > 0,
      measure: measuring(({ options: { freeze: frozen, copies: count } }) => (count ? 1 : frozen ? 50 : 100)),
    });
    expect(best.name).toBe('freeze');
  });
});

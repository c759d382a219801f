/** Candidates side by side: all loaded at once, one at work at a time, in rounds that go to and fro. */
import { Contestant, type Measured } from './contestant.js';
import type { Candidate, SentTensor } from './job.js';

export interface CompareOptions {
  /** Default: 5. */
  rounds?: number | undefined;
  /** Of each round of each candidate. Default: 500. */
  roundMs?: number | undefined;
  /** Fewest runs of a round. Default: 5. */
  leastRuns?: number | undefined;
  /** The libtensorflow to open; otherwise found as always. */
  library?: string | undefined;
  /** Ends all at once; what was measured until then is returned. */
  signal?: AbortSignal | undefined;
  /** Called with the outputs of each candidate's first run, which it says yes to by being there. */
  onOutputs?: ((candidate: number, outputs: Record<string, SentTensor>) => void) | undefined;
  /** Called with the steps done, of so many. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a candidate came to, or why it did not. */
export type Outcome = { result: Measured; error?: undefined } | { result?: undefined; error: Error };

/** One outcome a candidate, in their order. A candidate that fails takes no other with it. */
export async function compare(
  candidates: readonly Candidate[],
  options: CompareOptions = {},
): Promise<Outcome[]> {
  const { rounds = 5, roundMs = 500, leastRuns = 5, signal } = options;
  const contestants = candidates.map((candidate) => new Contestant(candidate));
  const errors = new Map<Contestant, Error>();
  const end = () => {
    for (const contestant of contestants) contestant.end();
  };
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  const total = contestants.length * (rounds + 1);
  let done = 0;
  const step = async (contestant: Contestant, work: () => Promise<unknown>) => {
    if (!errors.has(contestant) && signal?.aborted !== true) {
      await work().catch((error) => {
        errors.set(contestant, error);
        contestant.end();
      });
    }
    options.onProgress?.(++done, total);
  };
  try {
    for (const [i, contestant] of contestants.entries()) {
      await step(contestant, async () => {
        const outputs = await contestant.start(
          contestant.candidate.library ?? options.library,
          options.onOutputs !== undefined,
        );
        if (outputs !== undefined) options.onOutputs?.(i, outputs);
      });
    }
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? contestants : [...contestants].reverse();
      for (const contestant of order) await step(contestant, () => contestant.round(roundMs, leastRuns));
    }
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
  return contestants.map((contestant) => {
    const error = signal?.aborted === true ? undefined : errors.get(contestant);
    const result = contestant.result();
    if (error === undefined && result !== undefined) return { result };
    return { error: error ?? new Error('It was stopped before its first round.') };
  });
}

/** Observations of checks on GPUs: good ones, and for each thing that is expected a wrong one. */
import { samples as library } from './samples-library.js';
import { samples as memory } from './samples-memory.js';
import { samples as placement } from './samples-placement.js';
import { samples as process } from './samples-process.js';
import { samples as values } from './samples-values.js';

/** What a check has seen: plain JSON. Loose, since samples are bent on purpose. */
// biome-ignore lint/suspicious/noExplicitAny: each check has a shape of its own, and wrong ones are made of it.
export type Seen = any;

export interface Samples {
  /** All expectations hold. The first is what wrong ones are made of, unless they say otherwise. */
  good: Seen[];
  wrong: Wrong[];
}

/** The expectation that alone fails, how the observation is bent, and which good one it is made of. */
export type Wrong = [what: string, bend: (seen: Seen) => void, of?: number];

export const samples: Record<string, Samples> = {
  ...library,
  ...memory,
  ...placement,
  ...process,
  ...values,
};

// What the programs of this folder share.
import { SavedModel } from '../../dist/index.js';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const load = (name, options) =>
  SavedModel.load(new URL(`../../test/fixtures/${name}/saved_model`, import.meta.url), options);
export const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));

/** Whole numbers from 0 to below `limit`, the same in every program with this seed. */
export function makeRandom(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** What a rejection is called in counts. */
export const nameOf = (reason) => reason?.code ?? reason?.message ?? String(reason);

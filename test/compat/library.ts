/** The library that these tests run on: any that `scripts/compat/run.mjs` or TF_SESSION_LIBRARY names, from 1.10 on. */
import { readdirSync, readFileSync } from 'node:fs';
import { tensorflow } from '../../lib/index.js';
import { isOlder } from '../../lib/minor-version.js';

await tensorflow.open();

export const VERSION = tensorflow.version;

/** Whether the library lacks what came with a version. */
export const isBefore = (version: string): boolean => isOlder(VERSION, version);

/** Models made by a TensorFlow that is no newer than the library. */
export const MODELS: readonly string[] = readdirSync(new URL('../fixtures/', import.meta.url)).filter(
  (name) => {
    const made = /^made-by-([\d.]+)-/.exec(name)?.[1];
    return made !== undefined && !isOlder(VERSION, made);
  },
);

/** The C functions that may be missing, and the version that brought each, as the addon says. */
export function optionalFunctions(): { name: string; since: string }[] {
  const header = readFileSync(new URL('../../native/library.h', import.meta.url), 'utf8');
  return [...header.matchAll(/OPTIONAL\((TF_\w+), "([\d.]+)"\)/g)].map(([, name, since]) => ({
    name: name!,
    since: since!,
  }));
}

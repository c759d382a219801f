// The compiled library for scripts that need a piece of it: what is written in lib/ is not written again here.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A module of dist/, by its path there. TypeScript is compiled first where that has not been done. */
export async function fromDist(path) {
  const file = join(ROOT, 'dist', path);
  if (!existsSync(file)) {
    await (await import('./typescript.mjs')).compile();
  }
  return import(pathToFileURL(file).href);
}

/** The user's cache folder, which may not be there yet. */
export async function cacheFolder() {
  return (await fromDist('runtime/cache.js')).cacheFolder();
}

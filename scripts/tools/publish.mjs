// Folders of the cache that are there whole or not at all: made in a staging folder, then renamed.
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder, fromDist } from './dist.mjs';

/**
 * The folder `name` of the user's cache; where it is not whole, `make` makes it. Any number of processes may ask
 * at once: each makes its own, the first to finish wins.
 *
 * @param {string} name May have several parts: `models/x-1.0`.
 * @param {(folder: string) => Promise<boolean>} isWhole
 * @param {(folder: string, staging: string) => Promise<void>} make Is given the folder to make, and a staging
 *   folder for anything else.
 * @returns {Promise<string>}
 */
export async function cached(name, isWhole, make) {
  const cache = await cacheFolder();
  const place = join(cache, name);
  if (await isWhole(place)) return place;

  const { openStaging, removeStaging, sweepStaging } = await fromDist('runtime/install/staging.js');
  await mkdir(dirname(place), { recursive: true });
  await sweepStaging(cache);
  const staging = await openStaging(cache);
  try {
    const made = join(staging, 'made');
    await mkdir(made);
    await make(made, staging);
    await publish(made, place, staging, isWhole);
  } finally {
    await removeStaging(staging);
  }
  return place;
}

async function publish(made, place, staging, isWhole) {
  try {
    await rename(made, place);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM'].includes(error.code)) throw error;
    if (await isWhole(place)) return;
    // What is there is damaged. Between the two renames another process may put a whole one there.
    await rename(place, join(staging, 'replaced')).catch(() => undefined);
    await rename(made, place).catch(async (again) => {
      if (!(await isWhole(place))) throw again;
    });
  }
}

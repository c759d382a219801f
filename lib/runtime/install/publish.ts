/** Gives a finished installation its name, so that it is there whole or not at all. */
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheEntry, type InstallRecord, RECORD_NAME, readEntry } from '../cache.js';

/** More attempts than processes that could be in each other's way; each attempt means that another one won. */
const MOST_ATTEMPTS = 100;

/** The name of a version's folder in the cache. */
export function entryName(version: string, variant: string): string {
  return `${version}-${variant}`;
}

/** Writes the record, the last file of an installation. */
export async function writeRecord(folder: string, record: InstallRecord): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, RECORD_NAME);
  await writeFile(file, `${JSON.stringify(record, undefined, 2)}\n`, { flush: true });
}

/**
 * Renames `made` to its place in the cache. Where one is there already that `keeps` accepts, that one is taken,
 * as when two installs ran at once; another one, or a damaged one, is moved into `staging` to be removed.
 */
export async function publish(
  made: string,
  cache: string,
  name: string,
  staging: string,
  keeps: (there: CacheEntry) => boolean,
): Promise<CacheEntry> {
  const place = join(cache, name);
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(made, place);
      await syncFolder(cache);
      break;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      const isTaken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM'].includes(code);
      if (!isTaken || attempt === MOST_ATTEMPTS) throw error;
    }
    const there = await readEntry(place);
    if (typeof there !== 'string' && keeps(there)) return there;
    await rename(place, join(staging, `replaced-${attempt}`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  const entry = await readEntry(place);
  if (typeof entry === 'string') throw new Error(`${place} ${entry}`);
  return entry;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

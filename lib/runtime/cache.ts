/**
 * The folder in which `tf-session install` keeps libraries, and what counts as an installation there:
 *
 *     <cache>/tf-session/2.21.0-cpu/lib/libtensorflow_cc.so.2 …
 *                                   include/tensorflow/c/c_api.h …
 *                                   install.json      the record, written before the folder gets its name
 *     <cache>/tf-session/.staging-…  what is being made, or was when its process ended
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, normalize } from 'node:path';
import { TensorFlowError } from '../errors.js';
import { compareVersions, DEFAULT_VERSION, isVersion } from './version.js';

export type Variant = 'cpu' | 'gpu';

/** One library file of an installation. */
export interface InstalledFile {
  /** Below the installation's folder, with `/`. */
  path: string;
  bytes: number;
  /** SHA-256 as hex. */
  sha256: string;
}

/** What `install.json` holds. */
export interface InstallRecord {
  version: string;
  variant: Variant;
  /** The file that is opened, as in `files`. */
  library: string;
  /** SHA-256 of that file as hex. */
  sha256: string;
  files: InstalledFile[];
  /** What it was made from; `sha256` is the archive's, `null` for a folder. */
  source: {
    kind: 'pip' | 'wheel' | 'tarball' | 'folder';
    name: string;
    bytes: number;
    sha256: string | null;
  };
  /** The CUDA wheels that were put beside a GPU build, if any were. */
  cuda?: { name: string; bytes: number; sha256: string }[];
}

/** A whole installation in the cache. */
export interface CacheEntry {
  folder: string;
  record: InstallRecord;
  /** Absolute path of the library. */
  library: string;
}

export const RECORD_NAME = 'install.json';

/**
 * `$XDG_CACHE_HOME/tf-session`, else `~/.cache/tf-session`. A relative XDG_CACHE_HOME is ignored, as its
 * specification wants. `undefined` where the user has no home folder.
 */
export function findCacheFolder(): string | undefined {
  const xdg = process.env.XDG_CACHE_HOME;
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'tf-session');
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, '.cache', 'tf-session') : undefined;
  } catch {
    return undefined;
  }
}

/** The same, for those who can't do without: throws FAILED_PRECONDITION where there is none. */
export function cacheFolder(): string {
  const folder = findCacheFolder();
  if (folder !== undefined) return folder;
  throw new TensorFlowError(
    'FAILED_PRECONDITION',
    'There is no folder for the cache: neither XDG_CACHE_HOME nor HOME is an absolute path. Set one of them.',
  );
}

/**
 * The installation in a folder, or a clause that says why it is none. Sizes are compared, contents are not:
 * this runs at every start, over some 850 MB.
 */
export async function readEntry(folder: string): Promise<CacheEntry | string> {
  let text: string;
  try {
    text = await readFile(join(folder, RECORD_NAME), 'utf8');
  } catch {
    return `has no ${RECORD_NAME}`;
  }
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return `has an unreadable ${RECORD_NAME}`;
  }
  if (!isRecord(record)) return `has an unreadable ${RECORD_NAME}`;
  for (const file of record.files) {
    const found = await stat(join(folder, file.path)).catch(() => undefined);
    if (found === undefined || !found.isFile()) return `lacks ${file.path}`;
    if (found.size !== file.bytes) {
      return `is damaged: ${file.path} has ${found.size} bytes instead of ${file.bytes}`;
    }
  }
  return { folder, record, library: join(folder, record.library) };
}

/** What lies in the cache: whole installations in the finder's order, and the folders that are none. */
export async function listCache(
  folder: string,
): Promise<{ entries: CacheEntry[]; broken: { folder: string; why: string }[] }> {
  const names = await readdir(folder).catch(() => []);
  const entries: CacheEntry[] = [];
  const broken: { folder: string; why: string }[] = [];
  for (const name of names.sort()) {
    // Installations are named for their version; models and tools lie beside them.
    if (!/^\d/.test(name)) continue;
    const path = join(folder, name);
    const entry = await readEntry(path);
    if (typeof entry === 'string') broken.push({ folder: path, why: entry });
    else entries.push(entry);
  }
  entries.sort(byPreference);
  return { entries, broken };
}

/**
 * The version that this package was made for comes first, then the highest; of one version the GPU build,
 * which somebody asked for by name and which runs on the CPU too.
 */
function byPreference(a: CacheEntry, b: CacheEntry): number {
  const made = (entry: CacheEntry) => (entry.record.version === DEFAULT_VERSION ? 0 : 1);
  return (
    made(a) - made(b) ||
    compareVersions(b.record.version, a.record.version) ||
    b.record.variant.localeCompare(a.record.variant)
  );
}

function isRecord(value: unknown): value is InstallRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<InstallRecord>;
  return (
    typeof record.version === 'string' &&
    isVersion(record.version) &&
    (record.variant === 'cpu' || record.variant === 'gpu') &&
    Array.isArray(record.files) &&
    record.files.every((f) => typeof f?.bytes === 'number' && isInside(f.path)) &&
    record.files.some((f) => f.path === record.library)
  );
}

function isInside(path: unknown): boolean {
  return typeof path === 'string' && !isAbsolute(path) && !normalize(path).startsWith('..');
}

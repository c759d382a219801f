import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';

const LINUX_TRIPLES: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
};

const LOADER_CACHE = '/etc/ld.so.cache';

/** One folder of the system's library path; a `note` says why there is nothing to look at. */
export interface SystemFolder {
  path: string;
  note?: string;
}

/**
 * The folders in which the system's loader finds libraries, in its order: its variable, what its cache knows
 * of TensorFlow, the usual ones; then /usr/local/lib, where the official archives tell people to unpack. Each
 * folder once.
 */
export async function* systemFolders(): AsyncGenerator<SystemFolder> {
  const seen = new Set<string>();
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  const listed = listedFolders(variable);
  if (listed.length === 0) yield { path: variable, note: 'names no folder' };
  for (const path of listed) {
    if (!seen.has(path)) yield { path };
    seen.add(path);
  }
  if (process.platform === 'linux') {
    const known = await knownToLoader();
    if (known.length === 0) yield { path: LOADER_CACHE, note: 'names no libtensorflow' };
    for (const path of known) {
      if (!seen.has(path)) yield { path };
      seen.add(path);
    }
  }
  for (const path of usual()) {
    if (!seen.has(path)) yield { path };
    seen.add(path);
  }
}

/** The folders in a variable such as LD_LIBRARY_PATH. */
export function listedFolders(variable: string): string[] {
  return (process.env[variable] ?? '').split(':').filter((path) => isAbsolute(path));
}

function usual(): string[] {
  if (process.platform === 'darwin') return ['/usr/local/lib', '/opt/homebrew/lib', '/usr/lib'];
  if (process.platform !== 'linux') return [];
  const triple = LINUX_TRIPLES[process.arch];
  const multiarch = triple === undefined ? [] : [`/lib/${triple}`, `/usr/lib/${triple}`];
  return [...multiarch, '/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib'];
}

/** Folders of the libraries named libtensorflow in the loader's cache, which holds paths ending in NUL. */
async function knownToLoader(): Promise<string[]> {
  const cache = await readFile(LOADER_CACHE, 'latin1').catch(() => '');
  const paths = cache.match(/\/[^\0]*\/libtensorflow(?:_cc)?\.so(?:\.2)?(?=\0)/g) ?? [];
  return [...new Set(paths.map((path) => dirname(path)))];
}

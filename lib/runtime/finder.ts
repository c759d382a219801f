/** Finds libtensorflow: what the caller names, else what is installed. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TensorFlowError } from '../errors.js';
import { findCacheFolder, listCache } from './cache.js';
import { LIBRARY_NAMES, libraryInFolder } from './library-names.js';
import { inspectLibrary } from './shared-library.js';
import { systemFolders } from './system-folders.js';

/** Where a library was looked for, in this order. */
export type LibrarySource = 'option' | 'environment' | 'cache' | 'system';

/** One place that was looked at. */
export interface Place {
  source: LibrarySource;
  /** The library file where one was found, else the file or folder that was looked at. */
  path: string;
  found: boolean;
  /** Why not, or what there is to say about it. */
  note?: string;
}

export interface FoundLibrary {
  /** Absolute path of the file to open. */
  path: string;
  source: LibrarySource;
  /** Every place looked at, the one that was taken last. */
  searched: Place[];
}

/** Names a library file or a folder that holds one; takes precedence over what is installed. */
const VARIABLE = 'TF_SESSION_LIBRARY';

const MENDS = '`npx tf-session install`';

/**
 * The library to open: `explicit`, else TF_SESSION_LIBRARY, else what `tf-session install` put in the user's
 * cache, else the system's. A file or folder; relative paths start at the working directory. What is named and
 * isn't usable is an error at once, never a reason to take another.
 *
 * Throws LIBRARY_NOT_FOUND with every place tried.
 */
export async function findLibrary(explicit?: string): Promise<FoundLibrary> {
  const searched: Place[] = [];
  for await (const place of places(explicit)) {
    searched.push(place);
    if (place.found) return { path: place.path, source: place.source, searched };
  }
  throw new TensorFlowError('LIBRARY_NOT_FOUND', message(searched));
}

/** All places, in the finder's order, those behind the first find as well: for people who wonder. */
export async function searchPlaces(explicit?: string): Promise<Place[]> {
  const searched: Place[] = [];
  for await (const place of places(explicit)) searched.push(place);
  return searched;
}

async function* places(explicit: string | undefined): AsyncGenerator<Place> {
  if (explicit !== undefined) {
    yield await named('option', explicit);
    return;
  }
  const variable = process.env[VARIABLE];
  if (variable !== undefined && variable !== '') {
    yield await named('environment', variable);
    return;
  }
  yield { source: 'environment', path: VARIABLE, found: false, note: 'not set' };
  yield* cachePlaces();
  for await (const { path, note } of systemFolders()) {
    const library = note === undefined ? await libraryInFolder(path) : undefined;
    if (library === undefined) yield { source: 'system', path, found: false, note: note ?? 'none there' };
    else yield await checked('system', library);
  }
}

/** What the user named: a library file, or a folder that holds one. */
async function named(source: LibrarySource, value: string): Promise<Place> {
  const path = resolve(value);
  if (value === '') return { source, path: '', found: false, note: 'the path is empty' };
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isDirectory()) return checked(source, path);
  const library = await libraryInFolder(path);
  if (library !== undefined) return checked(source, library);
  const { entries } = await listCache(path);
  if (entries[0] !== undefined) return { source, path: entries[0].library, found: true };
  return { source, path, found: false, note: `the folder holds none of ${LIBRARY_NAMES.join(', ')}` };
}

async function* cachePlaces(): AsyncGenerator<Place> {
  const folder = findCacheFolder();
  if (folder === undefined) {
    yield { source: 'cache', path: '~/.cache/tf-session', found: false, note: 'there is no home folder' };
    return;
  }
  const { entries, broken } = await listCache(folder);
  for (const entry of entries) {
    const { version, variant } = entry.record;
    yield { source: 'cache', path: entry.library, found: true, note: `TensorFlow ${version}, ${variant}` };
  }
  for (const { folder: path, why } of broken) yield { source: 'cache', path, found: false, note: why };
  if (entries.length + broken.length === 0) {
    yield { source: 'cache', path: folder, found: false, note: 'nothing is installed there' };
  }
}

async function checked(source: LibrarySource, path: string): Promise<Place> {
  const { fault } = await inspectLibrary(path);
  return fault === undefined ? { source, path, found: true } : { source, path, found: false, note: fault };
}

function message(searched: Place[]): string {
  const [first] = searched;
  if (searched.length === 1 && first !== undefined) {
    const by = first.source === 'option' ? 'the option `library`' : VARIABLE;
    return (
      `The libtensorflow that ${by} names is not usable: ${first.path || '""'}: ${first.note}. ` +
      `Name another, or leave it out and run ${MENDS}.`
    );
  }
  const lines = searched.map((place) => `  ${place.source}: ${place.path}: ${place.note}`);
  return (
    `No libtensorflow was found. Run ${MENDS}, or name a library with the option \`library\` ` +
    `or with ${VARIABLE}. Looked at:\n${lines.join('\n')}`
  );
}

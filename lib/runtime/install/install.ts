/** `tf-session install`: fetches libtensorflow, or takes one over, into the user's cache. */
import { mkdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { didYouMean, TensorFlowError } from '../../errors.js';
import { type CacheEntry, cacheFolder, listCache, readEntry, type Variant } from '../cache.js';
import { DEFAULT_VERSION, isVersion } from '../version.js';
import { measureFile } from './bytes.js';
import { downloadWheel } from './pip.js';
import { entryName, publish, writeRecord } from './publish.js';
import { requireLibrary } from './require-library.js';
import { type Kind, kindOf } from './source-kind.js';
import { openStaging, removeStaging, sweepStaging } from './staging.js';
import { storageError } from './storage-error.js';
import { type Taken, takeSource } from './take-source.js';
import type { InstallProgress, StepContext } from './types.js';

export { includeFolder } from '../include-folder.js';
export { DEFAULT_VERSION } from '../version.js';
export type { InstallProgress } from './types.js';

export interface InstallOptions {
  /** TensorFlow's version, `X.Y.Z`. Defaults to DEFAULT_VERSION; with `from`, to what the source tells. */
  version?: string;
  /** Take this instead of fetching: a wheel, an official C archive, a folder that holds either's contents, a library. */
  from?: string;
  onProgress?: (progress: InstallProgress) => void;
  /** Given a sentence that is no error and worth showing: there is no pinned checksum to compare with. */
  onNote?: (text: string) => void;
  /** Install again over what is there. Defaults to false. */
  force?: boolean;
  /** Ends the install, and removes what it has made; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface Installed {
  version: string;
  /** Absolute path of the library file that is opened. */
  path: string;
  variant: Variant;
}

const OPTIONS = ['version', 'from', 'onProgress', 'onNote', 'force', 'signal'];

/**
 * Installs libtensorflow into the user's cache, where the finder looks. Returns at once where the same is there
 * already. Any number may run at the same time, in one process or many, and one may be killed at any moment: an
 * installation appears whole, by a rename, or not at all, and what a killed one has left the next removes.
 *
 * Throws INVALID_OPTION, NOT_FOUND (no such file, no such version), DATA_LOSS (truncated, or not what its checksum
 * says), FAILED_PRECONDITION (wrong platform, no pip, no libtensorflow inside), UNAVAILABLE (pip could not fetch
 * it), RESOURCE_EXHAUSTED (no space left) and PERMISSION_DENIED, each with what to do.
 */
export async function install(options: InstallOptions = {}): Promise<Installed> {
  checkOptions(options);
  const from = options.from === undefined ? undefined : resolve(options.from);
  const kind = from === undefined ? undefined : await kindOf(from);
  const cache = cacheFolder();
  const context: StepContext = {
    onProgress: (progress) => options.onProgress?.(progress),
    onNote: (text) => options.onNote?.(text),
    signal: options.signal,
  };
  await sweepStaging(cache);
  if (options.force !== true) {
    const there = await alreadyThere(cache, from, kind, options.version, context);
    if (there !== undefined) return installed(there);
  }
  try {
    await mkdir(cache, { recursive: true });
    const staging = await openStaging(cache);
    try {
      return installed(await make(cache, staging, from, kind, options, context));
    } finally {
      await removeStaging(staging);
    }
  } catch (error) {
    throw storageError(error, cache);
  }
}

async function make(
  cache: string,
  staging: string,
  from: string | undefined,
  kind: Kind | undefined,
  options: InstallOptions,
  context: StepContext,
): Promise<CacheEntry> {
  const made = join(staging, 'made');
  let taken: Taken;
  if (from === undefined || kind === undefined) {
    const wheel = await downloadWheel(options.version ?? DEFAULT_VERSION, staging, context);
    taken = await takeSource(wheel, 'wheel', made, staging, context);
    taken.source.kind = 'pip';
  } else {
    taken = await takeSource(from, kind, made, staging, context);
  }
  const { library, files, source } = taken;
  const version = agreedVersion(taken.version, options.version, from ?? source.name);
  let variant: Variant = 'cpu';
  for (const file of files) {
    const usable = await requireLibrary(join(made, file.path));
    if (file.path === library) variant = usable.variant;
  }
  const sha256 = files.find((file) => file.path === library)?.sha256 ?? '';
  await writeRecord(made, { version, variant, library, sha256, files, source });
  context.signal?.throwIfAborted();
  return publish(made, cache, entryName(version, variant), staging, (there) => {
    // Any copy of what pip fetches is as good as another; a source that was named is the one that is wanted.
    if (from !== undefined) return there.record.sha256 === sha256;
    return options.force !== true;
  });
}

/** What is installed and needs no doing again. */
async function alreadyThere(
  cache: string,
  from: string | undefined,
  kind: Kind | undefined,
  version: string | undefined,
  context: StepContext,
): Promise<CacheEntry | undefined> {
  if (from === undefined) {
    const entry = await readEntry(join(cache, entryName(version ?? DEFAULT_VERSION, 'cpu')));
    return typeof entry === 'string' ? undefined : entry;
  }
  if (kind !== 'wheel' && kind !== 'tarball') return undefined;
  const { size } = await stat(from);
  const { entries } = await listCache(cache);
  const alike = entries.filter(
    ({ record }) => record.source.bytes === size && (version === undefined || record.version === version),
  );
  if (alike.length === 0) return undefined;
  const { sha256 } = await measureFile(from, () => undefined, context.signal);
  return alike.find(({ record }) => record.source.sha256 === sha256);
}

/** The version that the source tells, or else the caller. */
function agreedVersion(told: string | undefined, asked: string | undefined, from: string): string {
  if (told !== undefined && asked !== undefined && told !== asked) {
    throw new TensorFlowError(
      'INVALID_OPTION',
      `${from} holds TensorFlow ${told}, and version ${asked} is asked for. Leave one of the two out.`,
    );
  }
  const version = told ?? asked;
  if (version !== undefined) return version;
  throw new TensorFlowError(
    'INVALID_OPTION',
    `${basename(from)} does not tell its TensorFlow version. Say it: \`--tensorflow X.Y.Z\` on the command line, ` +
      '`version` in a program.',
  );
}

function installed({ record, library }: CacheEntry): Installed {
  return { version: record.version, path: library, variant: record.variant };
}

function checkOptions(options: InstallOptions): void {
  for (const key of Object.keys(options)) {
    if (OPTIONS.includes(key)) continue;
    throw new TensorFlowError(
      'INVALID_OPTION',
      `install has no option ${JSON.stringify(key)}.${didYouMean(key, OPTIONS)}`,
    );
  }
  const { version, from } = options;
  if (version !== undefined && (typeof version !== 'string' || !isVersion(version))) {
    throw new TensorFlowError(
      'INVALID_OPTION',
      `The TensorFlow version ${JSON.stringify(version)} is none: it looks like ${DEFAULT_VERSION}.`,
    );
  }
  if (from !== undefined && (typeof from !== 'string' || from === '')) {
    throw new TensorFlowError('INVALID_OPTION', 'The option `from` is the path of a file or a folder.');
  }
}

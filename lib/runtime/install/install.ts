/** `tf-session install`: fetches libtensorflow, or takes one over, into the user's cache. */
import { mkdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import {
  type CacheEntry,
  cacheFolder,
  type InstallRecord,
  listCache,
  readEntry,
  type Variant,
} from '../cache.js';
import { DEFAULT_VERSION, pipVersion } from '../version.js';
import { measureFile } from './bytes.js';
import { cudaRequirements } from './cuda-wheels.js';
import { fetchTensorFlow } from './fetch-tensorflow.js';
import { checkOptions, type InstallOptions } from './install-options.js';
import { CUDA_WHEELS_BYTES } from './known.js';
import { entryName, publish, writeRecord } from './publish.js';
import { requireLibrary } from './require-library.js';
import { type Kind, kindOf } from './source-kind.js';
import { CUDA_ROOM, requireSpace, size } from './space.js';
import { openStaging, removeStaging, sweepStaging } from './staging.js';
import { storageError } from './storage-error.js';
import { takeCuda } from './take-cuda.js';
import { type Taken, takeSource } from './take-source.js';
import type { StepContext } from './types.js';
import { tensorflowWheelIn } from './wheel-folder.js';

export { includeFolder } from '../include-folder.js';
export { DEFAULT_VERSION } from '../version.js';
export type { InstallOptions } from './install-options.js';
export type { InstallProgress } from './types.js';

export interface Installed {
  version: string;
  /** Absolute path of the library file that is opened. */
  path: string;
  variant: Variant;
}

/** What is taken over. */
interface From {
  path: string;
  kind: Kind;
  /** A folder of wheels, in which CUDA's are looked for. */
  wheels: string | undefined;
}

/**
 * Installs libtensorflow into the user's cache, where the finder looks. Returns at once where the same is there
 * already. Any number may run at the same time, in one process or many, and one may be killed at any moment: an
 * installation appears whole, by a rename, or not at all, and what a killed one has left the next removes.
 *
 * The variant `gpu` is TensorFlow's GPU build and the CUDA libraries that its wheel names, laid out so that it finds them
 * by itself. With `from` they are fetched for a wheel, taken from the same folder where `from` is a folder of wheels, and
 * linked where they lie beside a package that pip has installed.
 *
 * Throws INVALID_OPTION, NOT_FOUND (no such file, no such version), DATA_LOSS (truncated, or not what its checksum
 * says), FAILED_PRECONDITION (wrong platform, no pip, no libtensorflow inside), UNAVAILABLE (pip could not fetch
 * it), RESOURCE_EXHAUSTED (no space left) and PERMISSION_DENIED, each with what to do.
 */
export async function install(given: InstallOptions = {}): Promise<Installed> {
  checkOptions(given);
  const options = given.version === undefined ? given : { ...given, version: pipVersion(given.version) };
  const variant = options.variant ?? 'cpu';
  const from = options.from === undefined ? undefined : await sourceOf(resolve(options.from), options);
  const cache = cacheFolder();
  const context: StepContext = {
    onProgress: (progress) => options.onProgress?.(progress),
    onNote: (text) => options.onNote?.(text),
    signal: options.signal,
  };
  await sweepStaging(cache);
  if (options.force !== true) {
    const there = await alreadyThere(cache, from, options, context);
    if (there !== undefined) return installed(there);
  }
  try {
    await mkdir(cache, { recursive: true });
    const staging = await openStaging(cache);
    try {
      return installed(await make(cache, staging, from, options, context));
    } finally {
      await removeStaging(staging);
    }
  } catch (error) {
    throw storageError(error, cache, variant);
  }
}

async function sourceOf(path: string, { variant = 'cpu', version }: InstallOptions): Promise<From> {
  const kind = await kindOf(path);
  const wheel = kind === 'folder' ? await tensorflowWheelIn(path, variant, version) : undefined;
  return wheel === undefined
    ? { path, kind, wheels: undefined }
    : { path: wheel, kind: 'wheel', wheels: path };
}

async function make(
  cache: string,
  staging: string,
  from: From | undefined,
  options: InstallOptions,
  context: StepContext,
): Promise<CacheEntry> {
  const made = join(staging, 'made');
  const isGpuAsked = options.variant === 'gpu';
  let taken: Taken;
  let requirements: string[] = [];
  if (from === undefined) {
    const fetched = await fetchTensorFlow(options, made, staging, context);
    taken = fetched.taken;
    requirements = fetched.requirements;
  } else {
    taken = await takeSource(from.path, from.kind, made, staging, context);
    if (isGpuAsked && from.kind === 'wheel') requirements = await cudaRequirements(from.path);
  }
  const { library, files, source } = taken;
  const version = agreedVersion(taken.version, options.version, from?.path ?? source.name);
  let variant: Variant = 'cpu';
  for (const file of files) {
    const usable = await requireLibrary(join(made, file.path));
    if (usable.variant === 'gpu') variant = 'gpu';
  }
  const sha256 = files.find((file) => file.path === library)?.sha256 ?? '';
  const record: InstallRecord = { version, variant, library, sha256, files, source };
  if (isGpuAsked) {
    requireGpu(variant, taken, requirements, from?.path ?? source.name);
    if (taken.linksCuda !== true) {
      if (from !== undefined && from.wheels === undefined) {
        context.onNote(`Fetching ${requirements.length} CUDA packages, some ${size(CUDA_WHEELS_BYTES)}.`);
        await requireSpace(staging, 'the CUDA libraries', CUDA_ROOM);
      }
      const opener = files.find(({ path }) => path.includes('_framework'))?.path ?? library;
      const cuda = await takeCuda(requirements, opener, from?.wheels, made, staging, context);
      record.cuda = cuda.packages;
      record.files = [...files, ...cuda.files];
    }
  }
  await writeRecord(made, record);
  context.signal?.throwIfAborted();
  return publish(made, cache, entryName(version, variant), staging, (there) => {
    if (isGpuAsked && there.record.cuda === undefined) return false;
    // Any copy of what pip fetches is as good as another; a source that was named is the one that is wanted.
    if (from !== undefined) return there.record.sha256 === sha256;
    return options.force !== true;
  });
}

/** Throws where `gpu` was asked for and can't be had of this source. */
function requireGpu(variant: Variant, taken: Taken, requirements: string[], from: string): void {
  if (variant === 'cpu') {
    throw new TensorFlowError(
      'INVALID_OPTION',
      `${from} holds a CPU build of TensorFlow, and the GPU build is asked for. Leave \`--gpu\` (\`variant\` in a ` +
        'program) out, or name the GPU build: the wheel of the project tensorflow.',
    );
  }
  if (requirements.length > 0 || taken.linksCuda === true) return;
  throw new TensorFlowError(
    'INVALID_OPTION',
    `${from} holds a GPU build of TensorFlow but does not name the CUDA packages that it needs, as wheels from 2.14 on ` +
      'do. Leave `--gpu` (`variant` in a program) out: it is installed as it is then, and finds the CUDA that is ' +
      'installed on the system or named in LD_LIBRARY_PATH.',
  );
}

/** What is installed and needs no doing again. */
async function alreadyThere(
  cache: string,
  from: From | undefined,
  { version, variant = 'cpu' }: InstallOptions,
  context: StepContext,
): Promise<CacheEntry | undefined> {
  const isWhole = ({ record }: CacheEntry) => variant === 'cpu' || record.cuda !== undefined;
  if (from === undefined) {
    const entry = await readEntry(join(cache, entryName(version ?? DEFAULT_VERSION, variant)));
    return typeof entry === 'string' || !isWhole(entry) ? undefined : entry;
  }
  if (from.kind !== 'wheel' && from.kind !== 'tarball') return undefined;
  const { size } = await stat(from.path);
  const { entries } = await listCache(cache);
  const alike = entries.filter(
    (entry) =>
      entry.record.source.bytes === size &&
      (version === undefined || entry.record.version === version) &&
      isWhole(entry),
  );
  if (alike.length === 0) return undefined;
  const { sha256 } = await measureFile(from.path, () => undefined, context.signal);
  return alike.find(({ record }) => record.source.sha256 === sha256);
}

/** The version that the source tells, or else the caller. */
function agreedVersion(name: string | undefined, asked: string | undefined, from: string): string {
  const told = name && pipVersion(name);
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

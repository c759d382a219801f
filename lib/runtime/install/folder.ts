/** Takes libtensorflow over from a folder: an unpacked archive, a pip package, another installation. */
import { copyFile, mkdir, open, readdir, realpath, rename, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import { includeFolder } from '../include-folder.js';
import { isFile, isFolder, LIBRARY_NAMES, libraryInFolder } from '../library-names.js';
import { copyMeasured, counter, type Measured, measureFile } from './bytes.js';
import { linkCudaFolder, linkForLoader } from './cuda-links.js';
import { keptHeaders } from './headers.js';
import { requireLibrary } from './require-library.js';
import type { StepContext, Unpacked } from './types.js';
import { versionInFolder } from './version-in-folder.js';

export interface TakeOptions {
  /** The folder is this install's own: files are moved out of it, and links that leave it are refused. */
  own: boolean;
}

/** Lays the library at `path`, a folder or a library file, out as an installation in `target`. */
export async function takeFolder(
  path: string,
  target: string,
  options: TakeOptions,
  context: StepContext,
): Promise<Unpacked> {
  const library = (await isFile(path)) ? path : await libraryIn(path);
  const names = await siblings(library);
  const from = dirname(library);
  if (options.own) for (const name of names) await requireInside(path, join(from, name));

  const sizes = await Promise.all(names.map(async (name) => (await stat(join(from, name))).size));
  const onBytes = counter(
    context,
    options.own ? 'Checking' : 'Copying',
    sizes.reduce((sum, size) => sum + size, 0),
  );
  // Both are told by the files around the library: before any of them is moved.
  const version = await versionInFolder(library);
  const include = await includeFolder(library);

  const files: Unpacked['files'] = [];
  await mkdir(join(target, 'lib'), { recursive: true });
  for (const name of names) {
    const place = `lib/${name}`;
    const take = options.own ? moveMeasured : copyMeasured;
    const { bytes, sha256 } = await take(join(from, name), join(target, place), onBytes, context.signal);
    files.push({ path: place, bytes, sha256 });
  }
  if (include !== undefined) await copyHeaders(include, join(target, 'include'));
  await copyNotices([path, dirname(from)], target);
  const { variant } = await requireLibrary(join(target, 'lib', basename(library)));
  const linksCuda = variant === 'gpu' && !options.own && (await linkCuda(from, target, names));
  return { library: `lib/${basename(library)}`, files, version, linksCuda };
}

/** The library in a folder, or in the one folder that an archive packs everything into. */
async function libraryIn(folder: string): Promise<string> {
  const library = await libraryInFolder(folder);
  if (library !== undefined) return library;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const below = await libraryInFolder(join(folder, entry.name));
    if (below !== undefined) return below;
  }
  throw new TensorFlowError(
    'NOT_FOUND',
    `${folder} holds no libtensorflow: none of ${LIBRARY_NAMES.join(', ')} is there, in lib/ or in tensorflow/. ` +
      'Name an unpacked official C archive, or the `tensorflow` folder of a pip package (2.12 or later).',
  );
}

/** File names of a library and of all it needs that lies beside it. Throws where one isn't usable here. */
async function siblings(library: string): Promise<string[]> {
  const names = [basename(library)];
  for (const name of names) {
    const { needed } = await requireLibrary(join(dirname(library), name));
    for (const other of needed) {
      if (!names.includes(other) && (await isFile(join(dirname(library), other)))) names.push(other);
    }
  }
  return names;
}

async function requireInside(folder: string, file: string): Promise<void> {
  const outside = relative(await realpath(folder), await realpath(file)).startsWith('..');
  if (!outside) return;
  throw new TensorFlowError(
    'INVALID_OPTION',
    `The archive is refused: its ${basename(file)} leads out of it.`,
  );
}

async function moveMeasured(
  from: string,
  target: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<Measured> {
  await rename(await realpath(from), target);
  const measured = await measureFile(target, onBytes, signal);
  const handle = await open(target, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  return measured;
}

async function copyHeaders(include: string, target: string): Promise<void> {
  for (const header of await keptHeaders(include)) {
    const file = join(target, header);
    await mkdir(dirname(file), { recursive: true });
    await copyFile(join(include, header), file);
  }
}

async function copyNotices(folders: string[], target: string): Promise<void> {
  const notices = ['LICENSE', 'THIRD_PARTY_NOTICES.txt', 'THIRD_PARTY_TF_C_LICENSES'];
  for (const folder of folders) {
    for (const name of notices) {
      const file = join(folder, name);
      if (await isFile(file)) await copyFile(file, join(target, name));
    }
  }
}

/**
 * pip's GPU build looks for CUDA in `../nvidia`, several GB in wheels of their own. They stay where they are; links keep
 * the layout that the library expects.
 */
async function linkCuda(from: string, target: string, names: string[]): Promise<boolean> {
  const nvidia = resolve(from, '..', 'nvidia');
  if (!(await isFolder(nvidia))) return false;
  const opener = names.find((name) => name.includes('_framework')) ?? names[0]!;
  const links = await linkCudaFolder(nvidia, target);
  return (await linkForLoader(target, `lib/${opener}`, links)) !== undefined;
}

/**
 * The directory of a SavedModel: `saved_model.pb`, `variables/`, `assets/`. Finds out what is wrong with one, and says it
 * better than TensorFlow, whose answer to a missing directory, a missing file and missing rights is the same sentence.
 */

import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, TensorFlowError } from '../errors.js';
import { invalidOption } from '../options.js';

/** The one that is read here, and its text form, which TensorFlow alone reads. */
const MODEL_FILES = ['saved_model.pb', 'saved_model.pbtxt'];

/**
 * The path on this machine, or undefined where only TensorFlow's own file systems reach it (`gs://…`, `ram://…`).
 *
 * @throws TensorFlowError INVALID_ARGUMENT for what is no path at all
 */
export function localPath(directory: string): string | undefined {
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `${JSON.stringify(directory)} is not the path of a directory.`,
    );
  }
  if (directory.startsWith('file://')) return directory.slice('file://'.length);
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(directory) ? undefined : directory;
}

/** Where a SavedModel's checkpoint lies, without the endings of its files. */
export function checkpointPrefix(directory: string): string {
  return join(localPath(directory) ?? directory, 'variables', 'variables');
}

/**
 * Resolves if `directory` looks like a SavedModel that TensorFlow can load: a directory with a readable
 * `saved_model.pb` or `saved_model.pbtxt`. Looks at no byte of it. Directories that only TensorFlow can reach pass.
 *
 * @throws TensorFlowError NOT_FOUND, PERMISSION_DENIED or INVALID_ARGUMENT
 */
export async function checkDirectory(directory: string): Promise<void> {
  const path = localPath(directory);
  if (path === undefined) return;
  await checkIsDirectory(path);
  for (const name of MODEL_FILES) {
    try {
      const file = await open(join(path, name));
      await file.close();
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw fileError(error, join(path, name));
    }
  }
  throw await noModelFile(path);
}

/**
 * The bytes of `saved_model.pb`.
 *
 * @throws TensorFlowError NOT_FOUND, PERMISSION_DENIED or INVALID_ARGUMENT; UNIMPLEMENTED where only TensorFlow can reach
 */
export async function readModelFile(directory: string): Promise<Uint8Array> {
  const path = localPath(directory);
  if (path === undefined) {
    throw new TensorFlowError(
      'UNIMPLEMENTED',
      `${directory} is not a local directory; only those can be read here.`,
    );
  }
  const file = join(path, 'saved_model.pb');
  try {
    return await readFile(file);
  } catch (error) {
    await checkIsDirectory(path);
    throw codeOf(error) === 'ENOENT' ? await noModelFile(path) : fileError(error, file);
  }
}

/** A TensorFlowError for what a file system call threw. */
export function fileError(error: unknown, path: string): TensorFlowError {
  const known: Record<string, [ErrorCode, string]> = {
    ENOENT: ['NOT_FOUND', 'does not exist'],
    ENOTDIR: ['NOT_FOUND', 'lies in something that is not a directory'],
    EISDIR: ['NOT_FOUND', 'is a directory, not a file'],
    EACCES: ['PERMISSION_DENIED', 'may not be read by this user'],
    EPERM: ['PERMISSION_DENIED', 'may not be read by this user'],
    ENAMETOOLONG: ['INVALID_ARGUMENT', 'is too long a path'],
    ELOOP: ['INVALID_ARGUMENT', 'is a symbolic link in a circle'],
    ERR_FS_FILE_TOO_LARGE: ['RESOURCE_EXHAUSTED', 'is larger than 2 GiB, the most that protobuf allows'],
  };
  const why = error instanceof Error ? error.message : String(error);
  const [code, text] = known[codeOf(error) ?? ''] ?? ['UNKNOWN', `cannot be read: ${why}`];
  return new TensorFlowError(code, `${path} ${text}.`, { cause: error });
}

/** Node's code of a system error. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code;
}

async function checkIsDirectory(path: string): Promise<void> {
  let isDirectory: boolean;
  try {
    isDirectory = (await stat(path)).isDirectory();
  } catch (error) {
    throw fileError(error, path);
  }
  if (isDirectory) return;
  const hint = path.endsWith('saved_model.pb') ? ' Give the directory that it lies in.' : '';
  throw new TensorFlowError(
    'NOT_FOUND',
    `${path} is a file; a SavedModel is a directory with a saved_model.pb in it.${hint}`,
  );
}

/** An error for a directory without saved_model.pb, with a hint at what is there instead. */
async function noModelFile(path: string): Promise<TensorFlowError> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    return fileError(error, path);
  }
  let hint = '';
  if (names.includes('saved_model.pbtxt')) {
    hint = ' There is a saved_model.pbtxt: TensorFlow can load that text form, but it is not read here.';
  } else if (names.length === 0) {
    hint = ' The directory is empty.';
  } else {
    for (const name of names.sort()) {
      if (!(await exists(join(path, name, 'saved_model.pb')))) continue;
      hint = ` There is one in ${join(path, name)}.`;
      break;
    }
  }
  return new TensorFlowError('NOT_FOUND', `${path} is not a SavedModel: it has no saved_model.pb.${hint}`);
}

/** Whether this is a SavedModel's own folder. */
export async function hasModelFile(path: string): Promise<boolean> {
  for (const name of MODEL_FILES) if (await exists(join(path, name))) return true;
  return false;
}

/** Whether there is something at the path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The same folder for a process elsewhere; one of TensorFlow's own file systems stays as it is. */
export function absolutePath(directory: string): string {
  const local = localPath(directory);
  return local === undefined ? directory : resolve(local);
}

/** The path of a URL. Throws INVALID_OPTION where it is that of no file. */
export function filePath(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TensorFlowError('INVALID_OPTION', `That is the URL of no file: ${why}.`, { cause });
  }
}

/** The folder that a caller names. Throws INVALID_OPTION for what is none. */
export function toPath(directory: string | URL): string {
  if (directory instanceof URL) return filePath(directory);
  if (typeof directory === 'string' && directory !== '') return directory;
  throw invalidOption('The folder of a SavedModel must be a path.');
}

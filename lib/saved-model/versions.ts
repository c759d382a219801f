/**
 * Versions of a model as TensorFlow Serving lays them out: a folder whose subfolders `1`, `2`, `00000123` are SavedModels. The
 * highest number is the one that is meant, whether it is whole or not.
 */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TensorFlowError } from '../errors.js';
import { invalidOption } from '../options.js';
import { show } from '../show.js';
import { checkDirectory, hasModelFile, localPath } from './directory.js';

/** Where a SavedModel lies. */
export interface ModelFolder {
  /** The folder that was named: the SavedModel's own, or the one with its versions. */
  home: string;
  /** The SavedModel's own. */
  directory: string;
  /** The number without zeros in front; undefined where there are no versions. */
  version: string | undefined;
}

/** TensorFlow Serving's numbers are int64. */
const LARGEST = 2n ** 63n - 1n;

/** Throws INVALID_OPTION for what is no number of a version. */
export function checkVersion(version: unknown): bigint | undefined {
  if (version === undefined) return undefined;
  const isNumber = Number.isSafeInteger(version) && (version as number) >= 0;
  const number = isNumber ? BigInt(version as number) : typeof version === 'string' && numberOf(version);
  if (typeof number === 'bigint') return number;
  throw invalidOption(
    `version must be a whole number from 0 on, or its digits as a string, not ${show(version)}.`,
  );
}

/**
 * The SavedModel that a folder stands for: itself, or one of the versions in it. What it holds is not looked at, and folders
 * that only TensorFlow can reach are taken as they are.
 *
 * @param wanted Default: the highest number.
 * @throws TensorFlowError NOT_FOUND, listing the versions there are, where the one that is wanted is not there
 */
export async function findModel(home: string, wanted?: bigint): Promise<ModelFolder> {
  const path = localPath(home);
  const versions = path === undefined || (await hasModelFile(path)) ? [] : await versionsIn(path);
  const found = versions.find(({ number }) => wanted === undefined || number === wanted);
  if (found !== undefined) {
    return { home, directory: join(path!, found.name), version: String(found.number) };
  }
  if (wanted === undefined) return { home, directory: home, version: undefined };
  if (versions.length === 0) await checkDirectory(home);
  const has = versions.length === 0 ? 'none' : versions.map(({ name }) => name).join(', ');
  throw new TensorFlowError('NOT_FOUND', `There is no version ${wanted} in ${home}; it has ${has}.`);
}

/**
 * As `checkDirectory`, of a folder that was found.
 *
 * @throws TensorFlowError as that; of a version that is not whole it says what may be the reason
 */
export async function checkFolder({ home, directory, version }: ModelFolder): Promise<void> {
  try {
    await checkDirectory(directory);
  } catch (error) {
    if (version === undefined || !(error instanceof TensorFlowError)) throw error;
    throw new TensorFlowError(
      error.code,
      `${error.message} It is version ${version} of ${home}: a version must be whole when it gets its number, so copy it ` +
        'under another name, and rename it then.',
      { cause: error },
    );
  }
}

interface Version {
  name: string;
  number: bigint;
}

/** The highest number first. Of two spellings of a number the last one by name counts, as in TensorFlow Serving. */
async function versionsIn(path: string): Promise<Version[]> {
  const names = await readdir(path).catch(() => []);
  const found = new Map<bigint, Version>();
  for (const name of names.sort()) {
    const number = numberOf(name);
    if (number !== undefined && (await isFolder(join(path, name)))) found.set(number, { name, number });
  }
  return [...found.values()].sort((a, b) => (a.number < b.number ? 1 : -1));
}

function numberOf(name: string): bigint | undefined {
  if (!/^\d+$/.test(name)) return undefined;
  const number = BigInt(name);
  return number <= LARGEST ? number : undefined;
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

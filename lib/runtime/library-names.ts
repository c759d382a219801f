import { stat } from 'node:fs/promises';
import { join } from 'node:path';

const NAMES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['libtensorflow.2.dylib', 'libtensorflow.dylib', 'libtensorflow_cc.2.dylib'],
  win32: ['tensorflow.dll', 'tensorflow_cc.2.dll'],
};

/** File names that libtensorflow goes by, best first: the C library, then the wheel's, which exports the same. */
export const LIBRARY_NAMES: readonly string[] = NAMES[process.platform] ?? [
  'libtensorflow.so.2',
  'libtensorflow.so',
  'libtensorflow_cc.so.2',
];

/** Where a folder may hold it: itself, an unpacked archive's `lib`, a site-packages' `tensorflow`. */
const BELOW = ['', 'lib', 'tensorflow'];

/** The library file in a folder or in one of the usual places below it; `undefined` where there is none. */
export async function libraryInFolder(folder: string): Promise<string | undefined> {
  for (const below of BELOW) {
    for (const name of LIBRARY_NAMES) {
      const file = join(folder, below, name);
      if (await isFile(file)) return file;
    }
  }
  return undefined;
}

/** Whether there is a file, links followed. */
export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Whether there is a folder, links followed. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Where TensorFlow's GPU build would find CUDA's libraries, which it opens by name. */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inspectLibrary, searchFolders } from './shared-library.js';
import { listedFolders } from './system-folders.js';

/** All that have to be there for a GPU device, the driver apart; without their version, which differs. */
const CUDA_LIBRARIES = ['cudart', 'cublas', 'cublasLt', 'cufft', 'cusolver', 'cusparse', 'cudnn'];

/**
 * The CUDA libraries that would not be found: neither in the folders that the library itself names (for TensorFlow in
 * two files, libtensorflow_framework's alone: it opens them), nor in LD_LIBRARY_PATH, nor by the system's loader.
 */
export async function missingCuda(library: string): Promise<string[]> {
  const cache = await readFile('/etc/ld.so.cache', 'latin1').catch(() => '');
  const names = new Set(cache.match(/(?<=\/)lib(?:cu|nv)[\w-]+\.so[\w.]*(?=\0)/g) ?? []);
  for (const folder of new Set([...(await ownFolders(library)), ...listedFolders('LD_LIBRARY_PATH')])) {
    for (const name of await readdir(folder).catch(() => [])) names.add(name);
  }
  return CUDA_LIBRARIES.filter((part) => {
    const versioned = new RegExp(`^lib${part}\\.so\\.\\d`);
    return ![...names].some((name) => versioned.test(name));
  }).map((part) => `lib${part}`);
}

/** What `$ORIGIN/…` in the RUNPATH of the file that opens them means. */
async function ownFolders(library: string): Promise<string[]> {
  const real = await realpath(library).catch(() => library);
  const folder = dirname(real);
  const own = await inspectLibrary(real);
  if (own.fault !== undefined) return [];
  const framework = own.needed.find((name) => name.startsWith('libtensorflow_framework'));
  const opener = framework === undefined ? own : await inspectLibrary(join(folder, framework));
  if (opener.fault !== undefined) return [];
  return searchFolders(opener.runpath, folder);
}

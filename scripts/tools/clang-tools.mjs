// clang-format and clang-tidy at pinned versions: other versions format and find otherwise. Their PyPI packages hold
// the real programs, so that Python with pip is all that is needed.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pip } from './pip.mjs';
import { cached } from './publish.mjs';

const FORMAT = '21.1.8';
export const TIDY = '21.1.6';

const paths = (folder) => ({
  format: join(folder, 'clang_format/data/bin/clang-format'),
  tidy: join(folder, 'clang_tidy/data/bin/clang-tidy'),
});

/**
 * The two programs, fetched into the cache folder where they are not there yet.
 *
 * @returns {Promise<{ format: string, tidy: string }>}
 */
export async function clangTools() {
  const isWhole = async (folder) => {
    const { format, tidy } = paths(folder);
    return Promise.all([access(format), access(tidy)]).then(
      () => true,
      () => false,
    );
  };
  const folder = await cached(`tools/clang-${FORMAT}-${TIDY}`, isWhole, async (made) => {
    console.error('Fetching clang-format and clang-tidy, once …');
    const requirements = [`clang-format==${FORMAT}`, `clang-tidy==${TIDY}`];
    // --target rather than a venv: works where Python's venv module is a package of its own.
    const args = ['install', '--only-binary=:all:', '--target', made];
    await pip([...args, ...requirements], requirements.join(' and '));
  });
  return paths(folder);
}

// clang-format and clang-tidy at pinned versions: other versions format and find otherwise. Their PyPI packages hold
// the real programs, so that Python with pip is all that is needed.
import { pipPrograms } from './pip-programs.mjs';

const FORMAT = '21.1.8';
export const TIDY = '21.1.6';

/**
 * The two programs, fetched into the cache folder where they are not there yet.
 *
 * @returns {Promise<{ format: string, tidy: string }>}
 */
export async function clangTools() {
  const requirements = [`clang-format==${FORMAT}`, `clang-tidy==${TIDY}`];
  const [format, tidy] = await pipPrograms(
    `clang-${FORMAT}-${TIDY}`,
    'clang-format and clang-tidy',
    requirements,
    ['clang_format/data/bin/clang-format', 'clang_tidy/data/bin/clang-tidy'],
  );
  return { format, tidy };
}

// The TensorFlow of a bundle: an installation as `tf-session install` lays it out, library and CUDA side by side.
import { resolve } from 'node:path';
import { fromDist } from '../../tools/dist.mjs';
import { Failure } from '../../tools/failure.mjs';

/**
 * @typedef {{ folder: string, library: string, version: string, variant: 'cpu' | 'gpu', cuda: string[] }} Installation
 *   `library` is the file's path below `folder`; `cuda` the wheels beside it.
 *
 * @param {string} [chosen] Its folder; default: the GPU build of the cache, installed where it is missing.
 * @returns {Promise<Installation>}
 */
export async function installation(chosen) {
  const { cacheFolder, listCache, readEntry } = await fromDist('runtime/cache.js');
  if (chosen !== undefined) {
    const entry = await readEntry(resolve(chosen));
    if (typeof entry === 'string')
      throw new Failure(`${chosen} ${entry}: give a folder that \`tf-session install\` has made.`);
    return described(entry);
  }
  const find = async () =>
    (await listCache(cacheFolder())).entries.find(({ record }) => record.variant === 'gpu');
  const found = await find();
  if (found !== undefined) return described(found);
  await install();
  return described(await find());
}

async function install() {
  const { install } = await fromDist('runtime/install/install.js');
  const { progressReporter } = await fromDist('cli/output/progress.js');
  const progress = progressReporter();
  try {
    await install({ variant: 'gpu', onProgress: progress.report });
  } finally {
    progress.end();
  }
}

function described({ folder, record }) {
  const { version, variant, library, cuda = [] } = record;
  if (variant === 'gpu' && cuda.length === 0)
    throw new Failure(
      `${folder} has no CUDA libraries of its own: a bundle brings them along. Install it with --gpu.`,
    );
  return { folder, library, version, variant, cuda: cuda.map(({ name }) => name) };
}

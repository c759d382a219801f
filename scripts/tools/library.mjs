// libtensorflow for the scripts: what is found, else fetched into the user's cache with a progress bar.
import { fileURLToPath } from 'node:url';
import { fromDist } from './dist.mjs';
import { main } from './failure.mjs';

/** The library file that will be opened. What TF_SESSION_LIBRARY names and can't be used is an error. */
export async function ensureLibrary() {
  const { findLibrary } = await fromDist('runtime/finder.js');
  try {
    return (await findLibrary()).path;
  } catch (error) {
    if (error.code !== 'LIBRARY_NOT_FOUND' || process.env.TF_SESSION_LIBRARY) throw error;
  }
  const { install } = await fromDist('runtime/install/install.js');
  const { progressReporter } = await fromDist('cli/output/progress.js');
  console.error('Fetching TensorFlow into the cache folder, once …');
  const progress = progressReporter();
  try {
    return (await install({ onProgress: progress.report })).path;
  } finally {
    progress.end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await ensureLibrary()));
}

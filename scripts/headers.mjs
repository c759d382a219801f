// TensorFlow's headers for those who build the addon. In the package, since that can be a user.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));

/**
 * The folder with tensorflow/c/c_api.h: of the library that is found, else of one that is fetched now.
 *
 * @returns {Promise<string>}
 */
export async function headers() {
  const load = (path) => import(pathToFileURL(join(DIST, path)).href);
  const { includeFolder } = await load('runtime/include-folder.js');
  const { findLibrary } = await load('runtime/finder.js');
  const found = await findLibrary().catch(() => undefined);
  const beside = found && (await includeFolder(found.path));
  if (beside) return beside;
  const { install } = await load('runtime/install/install.js');
  const { progressReporter } = await load('cli/output/progress.js');
  const progress = progressReporter();
  const { path } = await install({ onProgress: progress.report });
  progress.end();
  return includeFolder(path);
}

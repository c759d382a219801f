import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isFile } from './library-names.js';

/**
 * The folder of C headers that belongs to a library: `../include` beside its `lib` folder (an installation, an
 * official archive, /usr/local) or `include` in its own (a pip package). `undefined` where neither holds
 * `tensorflow/c/c_api.h`.
 */
export async function includeFolder(libraryPath: string): Promise<string | undefined> {
  const real = await realpath(libraryPath).catch(() => libraryPath);
  for (const folder of new Set([dirname(libraryPath), dirname(real)])) {
    for (const include of [join(folder, '..', 'include'), join(folder, 'include')]) {
      if (await isFile(join(include, 'tensorflow', 'c', 'c_api.h'))) return include;
    }
  }
  return undefined;
}

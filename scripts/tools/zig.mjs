// Zig at a pinned version: a C++ compiler for other systems than this one, with their C libraries and a C++ runtime of
// its own. Its PyPI package holds the real program.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './dist.mjs';
import { pip } from './pip.mjs';
import { cached } from './publish.mjs';

const ZIG = '0.17.1';

/**
 * The program, fetched into the cache folder where it is not there yet, and the variables that it is started with.
 *
 * @returns {Promise<{ program: string, env: Record<string, string> }>}
 */
export async function zig() {
  const path = (folder) => join(folder, 'ziglang', process.platform === 'win32' ? 'zig.exe' : 'zig');
  const isWhole = async (folder) =>
    access(path(folder)).then(
      () => true,
      () => false,
    );
  const folder = await cached(`tools/zig-${ZIG}`, isWhole, async (made) => {
    console.error('Fetching Zig, once …');
    await pip(['install', '--only-binary=:all:', '--target', made, `ziglang==${ZIG}`], `ziglang==${ZIG}`);
  });
  // What it has compiled of its runtime, which takes a minute.
  const cache = join(await cacheFolder(), 'tools', `zig-${ZIG}-compiled`);
  return { program: path(folder), env: { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache } };
}

// Zig at a pinned version: a C++ compiler for other systems than this one, with their C libraries and a C++ runtime of
// its own. Its PyPI package holds the real program.
import { join } from 'node:path';
import { cacheFolder } from './dist.mjs';
import { pipPrograms } from './pip-programs.mjs';

const ZIG = '0.17.1';

/**
 * The program, fetched into the cache folder where it is not there yet, and the variables that it is started with.
 *
 * @returns {Promise<{ program: string, env: Record<string, string> }>}
 */
export async function zig() {
  const file = process.platform === 'win32' ? 'ziglang/zig.exe' : 'ziglang/zig';
  const [program] = await pipPrograms(`zig-${ZIG}`, 'Zig', [`ziglang==${ZIG}`], [file]);
  // What it has compiled of its runtime, which takes a minute.
  const cache = join(await cacheFolder(), 'tools', `zig-${ZIG}-compiled`);
  return { program, env: { ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache } };
}

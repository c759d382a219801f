// Programs that come as PyPI packages, kept in the user's cache.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pip } from './pip.mjs';
import { cached } from './publish.mjs';

/**
 * Files of packages, which are fetched where they are not there yet.
 *
 * @param {string} name The folder's, in the cache's `tools`; it tells the versions.
 * @param {string} what What is fetched, for people.
 * @param {readonly string[]} requirements `ziglang==0.17.1`
 * @param {readonly string[]} programs The files, by their paths where pip puts them.
 * @returns {Promise<string[]>} Their paths, in order.
 */
export async function pipPrograms(name, what, requirements, programs) {
  const paths = (folder) => programs.map((program) => join(folder, program));
  const isWhole = async (folder) =>
    Promise.all(paths(folder).map((path) => access(path))).then(
      () => true,
      () => false,
    );
  const folder = await cached(`tools/${name}`, isWhole, async (made) => {
    console.error(`Fetching ${what}, once …`);
    // --target rather than a venv: works where Python's venv module is a package of its own.
    const args = ['install', '--only-binary=:all:', '--target', made];
    await pip([...args, ...requirements], requirements.join(' and '));
  });
  return paths(folder);
}

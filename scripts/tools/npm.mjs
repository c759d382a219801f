// Programs that come as npm packages, kept in the user's cache.
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { Failure } from './failure.mjs';
import { cached } from './publish.mjs';
import { attempt } from './spawn.mjs';

/** npm's own program, to be run by this Node. */
export function npmProgram() {
  const running = process.env.npm_execpath;
  if (running !== undefined && /npm-cli\.js$/.test(running)) return running;
  const beside = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  const onPath = process.env.PATH.split(delimiter).map((folder) => join(folder, 'npm'));
  const found = [beside, ...onPath].find((path) => existsSync(path));
  if (found === undefined) throw new Failure('npm is not on the PATH.');
  return realpathSync(found);
}

/**
 * A file of a package, which is fetched where it is not there yet.
 *
 * @param {string} name
 * @param {string} version
 * @param {string} program The file, by its path in the package.
 * @returns {Promise<string>}
 */
export async function programOf(name, version, program) {
  const path = (folder) => join(folder, 'node_modules', name, program);
  const isWhole = async (folder) => existsSync(path(folder));
  const folder = await cached(`tools/${name.replace('/', '+')}-${version}`, isWhole, async (made) => {
    console.error(`Fetching ${name} ${version}, once …`);
    // --force: npm would not install a program for another processor.
    const args = ['install', '--prefix', made, '--force', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status, output } = await attempt(
      process.execPath,
      [npmProgram(), ...args, `${name}@${version}`],
      { capture: true },
    );
    if (status !== 0) throw new Failure(`npm could not fetch ${name}@${version}:\n${output.trim()}`);
  });
  return path(folder);
}

/**
 * Node's program, of the packages in which it comes for one system and processor.
 *
 * @param {string} version
 * @param {string} [target] `linux-arm64`; default: this machine's.
 * @returns {Promise<string>}
 */
export function nodeProgram(version, target = `${process.platform}-${process.arch}`) {
  return programOf(`node-${target}`, version, 'bin/node');
}

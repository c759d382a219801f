// Runs driver.mjs with a prebuilt addon in a Node of its target's, which is fetched.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../tools/dist.mjs';
import { Failure } from '../tools/failure.mjs';
import { cached } from '../tools/publish.mjs';
import { attempt } from '../tools/spawn.mjs';
import { addonName } from './targets.mjs';

/** One of each line that there is, as npm has them for both processors. */
export const NODES = ['20.20.2', '22.23.3', '24.21.0'];

/**
 * @param {object} trial
 * @param {string} trial.target
 * @param {string} trial.version Of Node.
 * @param {string[]} [trial.through] The program that runs Node, and its arguments; default: none.
 * @param {string[]} [trial.args] For the driver.
 * @param {NodeJS.ProcessEnv} [trial.env] Beside this process's own.
 */
export async function runTrial({ target, version, through = [], args = [], env = {} }) {
  const addon = join(ROOT, 'prebuilds', target, addonName(target));
  await access(addon).catch(() => {
    throw new Failure(`There is no ${addon}. Build it: npm run prebuildify -- ${target}`);
  });
  const node = await fetchNode(target, version);
  const [program, ...rest] = [...through, node, join(ROOT, 'scripts/prebuild/driver.mjs'), ...args];
  const { status } = await attempt(program, rest, {
    env: { TF_CPP_MIN_LOG_LEVEL: '2', ...process.env, ...env, TF_SESSION_ADDON: addon },
  });
  if (status !== 0) throw new Failure(`${target}, Node ${version}: see above.`);
}

/** The program, from the npm package in which Node comes for one system and processor. */
async function fetchNode(target, version) {
  const name = `node-${target}`;
  const program = (folder) => join(folder, 'node_modules', name, 'bin', 'node');
  const isWhole = async (folder) =>
    access(program(folder)).then(
      () => true,
      () => false,
    );
  const folder = await cached(`tools/${name}-${version}`, isWhole, async (made) => {
    console.error(`Fetching Node ${version} for ${target}, once …`);
    // --force: npm would not install a program for another processor.
    const args = ['install', '--prefix', made, '--force', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status, output } = await attempt('npm', [...args, `${name}@${version}`], {
      capture: true,
    });
    if (status !== 0) throw new Failure(`npm could not fetch ${name}@${version}:\n${output.trim()}`);
  });
  return program(folder);
}

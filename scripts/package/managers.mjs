// npm, pnpm and both Yarns: how each is run, installs a packed file, and starts what it has installed.
import { existsSync, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { Failure } from '../tools/failure.mjs';
import { cached } from '../tools/publish.mjs';
import { attempt } from '../tools/spawn.mjs';

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

/** A package manager of npm's registry, kept in the user's cache. */
async function fetched(name, version, program) {
  const isWhole = async (folder) => existsSync(join(folder, 'node_modules', name, program));
  const folder = await cached(`tools/${name.replace('/', '+')}-${version}`, isWhole, async (made) => {
    const args = [
      'install',
      '--prefix',
      made,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `${name}@${version}`,
    ];
    const { status, output } = await attempt(process.execPath, [npmProgram(), ...args], { capture: true });
    if (status !== 0) throw new Failure(`npm could not fetch ${name}@${version}:\n${output}`);
  });
  return join(folder, 'node_modules', name, program);
}

const berry = () => fetched('@yarnpkg/cli-dist', '4.18.1', 'bin/yarn.js');
const linker = (name) => ({
  '.yarnrc.yml': `nodeLinker: ${name}\nenableTelemetry: false\n`,
  'yarn.lock': '',
});
const addToYarn = (file, skip) => ['add', `tf-session@file:${file}`, ...(skip ? ['--mode=skip-build'] : [])];

/**
 * `program` is a file for Node. `add` takes the packed file and whether scripts are to be skipped; `bin` stands before
 * the name of an installed command, `node` before a script.
 */
export const MANAGERS = {
  npm: {
    program: async () => npmProgram(),
    add: (file, skip) => ['install', '--prefer-offline', '--no-audit', '--no-fund', ...skipped(skip), file],
    bin: ['exec', '--no', '--'],
  },
  pnpm: {
    program: () => fetched('pnpm', '10.34.9', 'bin/pnpm.cjs'),
    add: (file, skip) => ['add', '--prefer-offline', ...skipped(skip), file],
    bin: ['exec'],
  },
  'yarn classic': {
    program: () => fetched('yarn', '1.22.22', 'bin/yarn.js'),
    add: (file, skip) => ['add', '--prefer-offline', ...skipped(skip), `file:${file}`],
    bin: ['--silent', 'run'],
  },
  yarn: { program: berry, files: linker('node-modules'), add: addToYarn, bin: ['run'] },
  'yarn pnp': { program: berry, files: linker('pnp'), add: addToYarn, bin: ['run'], node: ['node'] },
};

function skipped(skip) {
  return skip ? ['--ignore-scripts'] : [];
}

/** An empty project in `folder`, as this manager wants one. */
export async function emptyProject(folder, manager) {
  const files = {
    'package.json': JSON.stringify({ name: 'consumer', version: '1.0.0', private: true, type: 'module' }),
    ...MANAGERS[manager].files,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

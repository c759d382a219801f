// npm, pnpm and both Yarns: how each is run, installs a packed file, and starts what it has installed.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npmProgram, programOf } from '../tools/npm.mjs';

const berry = () => programOf('@yarnpkg/cli-dist', '4.18.1', 'bin/yarn.js');
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
    program: () => programOf('pnpm', '10.34.9', 'bin/pnpm.cjs'),
    add: (file, skip) => ['add', '--prefer-offline', ...skipped(skip), file],
    bin: ['exec'],
  },
  'yarn classic': {
    program: () => programOf('yarn', '1.22.22', 'bin/yarn.js'),
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

// A packed file in a project of its own: installed by a package manager, then used, with no compiler, CMake or Python on
// the PATH. The release and the tests ask the same here.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ROOT } from '../tools/dist.mjs';
import { Failure } from '../tools/failure.mjs';
import { npmProgram } from '../tools/npm.mjs';
import { attempt } from '../tools/spawn.mjs';
import { emptyProject, MANAGERS } from './managers.mjs';

/** npm runs commands by `sh`; the scripts that pnpm puts into node_modules/.bin use the rest. */
const SHELL = ['sh', 'sed', 'dirname', 'uname'];

const MODEL = join(ROOT, 'test/fixtures/tf2-functions');

/** Runs a model in a project; what it prints last is JSON. */
const USE = `import { readFileSync } from 'node:fs';
import { SavedModel, tensorflow } from 'tf-session';

const [directory, file] = process.argv.slice(2);
const { signature, inputs, outputs } = JSON.parse(readFileSync(file, 'utf8')).cases[0];
const model = await SavedModel.load(directory);
const feeds = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, Float32Array.from(data)]));
const results = await model.run(feeds, { signature });
let difference = 0;
for (const [name, { data }] of Object.entries(outputs)) {
  data.forEach((value, i) => { difference = Math.max(difference, Math.abs(value - results[name].data[i])); });
}
await model.close();
console.log(JSON.stringify({ version: tensorflow.version, outputs: Object.keys(results), difference }));
`;

/**
 * A project in `folder` with the packed file installed.
 *
 * @param {string} folder Made here.
 * @param {string} file
 * @param {{ manager?: keyof typeof MANAGERS, ignoreScripts?: boolean }} [options]
 * @returns {Promise<Installed>}
 */
export async function install(folder, file, { manager = 'npm', ignoreScripts = false } = {}) {
  const project = join(folder, 'project');
  await mkdir(project, { recursive: true });
  await emptyProject(project, manager);
  const program = await MANAGERS[manager].program();
  const path = await barePath(folder, manager, program);
  const installed = new Installed(project, manager, program, path);
  const { status, output } = await installed.manage(...MANAGERS[manager].add(file, ignoreScripts));
  if (status !== 0) throw new Failure(`${manager} could not install ${file}:\n${output}`);
  return installed;
}

/** A folder for PATH with Node, npm, the package manager, and what the managers' commands are started with; nothing else. */
async function barePath(folder, manager, program) {
  const path = join(folder, 'path');
  await mkdir(path);
  await symlink(process.execPath, join(path, 'node'));
  for (const name of SHELL) {
    const file = [`/bin/${name}`, `/usr/bin/${name}`].find((place) => existsSync(place));
    if (file !== undefined) await symlink(file, join(path, name));
  }
  for (const [name, file] of Object.entries({ npm: npmProgram(), [manager.split(' ')[0]]: program })) {
    await writeFile(join(path, name), `#!/bin/sh\nexec node '${file}' "$@"\n`, { mode: 0o755 });
  }
  return path;
}

export class Installed {
  /** Environment of all that is started here. */
  env;

  constructor(project, manager, program, path) {
    this.project = project;
    this.manager = manager;
    this.program = program;
    // What belongs to the process that asks (npm's settings, vitest's, an addon of its choice) is not the user's.
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|VITEST|NODE_|TF_SESSION_ADDON|INIT_CWD)/i.test(name),
    );
    const { NODE_EXTRA_CA_CERTS } = process.env;
    // npm and pnpm would try for minutes where there is no network.
    const retries = {
      npm_config_fetch_retries: '1',
      npm_config_fetch_retry_mintimeout: '500',
      npm_config_fetch_retry_maxtimeout: '1000',
    };
    this.env = {
      ...retries,
      ...Object.fromEntries(own),
      ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }),
      PATH: path,
    };
  }

  /** The package manager, with these arguments. */
  manage(...args) {
    return this.#run(process.execPath, [this.program, ...args]);
  }

  /** A command of the packages that are installed. */
  bin(...args) {
    return this.manage(...MANAGERS[this.manager].bin, ...args);
  }

  /** Node, with a script of the project. */
  node(...args) {
    const { node } = MANAGERS[this.manager];
    return node === undefined ? this.#run(process.execPath, args) : this.manage(...node, ...args);
  }

  /**
   * Takes the prebuilt addons away, as on a platform that has none, and asks for a model.
   *
   * @returns {Promise<{ message: string, command: string }>} The error, and the command in it.
   */
  async buildCommand() {
    const folder = await this.packageFolder();
    await rm(join(folder, 'prebuilds'), { recursive: true, force: true });
    await writeFile(join(this.project, 'use.mjs'), USE);
    const { status, output } = await this.#useModel();
    const command = /ADDON_NOT_FOUND/.test(output) && /^Build it \(.*\): (.+)$/m.exec(output)?.[1];
    if (status === 0 || !command) throw new Failure(`The error names no command:\n${output}`);
    return { message: output, command };
  }

  /** The folder of the package. */
  async packageFolder() {
    const script = "process.stdout.write(require.resolve('tf-session/package.json'))";
    const { status, stdout, output } = await this.node('-e', script);
    if (status !== 0) throw new Failure(output);
    return join(stdout, '..');
  }

  /**
   * Imports the package, runs a model with the library that this machine has, and asks the command which addon it was.
   *
   * @returns {Promise<{ version: string, difference: number, addon: string }>} `difference` from what Python computed.
   */
  async use() {
    await writeFile(join(this.project, 'use.mjs'), USE);
    const used = await this.#useModel();
    if (used.status !== 0) throw new Failure(`The installed package runs no model:\n${used.output}`);
    const { version, outputs, difference } = JSON.parse(used.stdout);
    const { cases } = JSON.parse(await readFile(join(MODEL, 'expected.json'), 'utf8'));
    if (
      outputs.join() !== Object.keys(cases[0].outputs).join() ||
      !(typeof difference === 'number' && difference < 1e-5)
    ) {
      throw new Failure(`The installed package computes something else than Python: ${used.stdout}`);
    }
    const info = await this.bin('tf-session', 'info', '--json');
    if (info.status !== 0) throw new Failure(`The installed command fails:\n${info.output}`);
    return { version, difference, addon: JSON.parse(info.stdout).addon };
  }

  /** A line for the shell, as a user pastes it; with `tools` all that is on this machine's own PATH is there. */
  shell(line, { tools = false } = {}) {
    const PATH = tools ? `${this.env.PATH}${delimiter}${process.env.PATH}` : this.env.PATH;
    return this.#run('/bin/sh', ['-c', line], { ...this.env, PATH });
  }

  #useModel() {
    return this.node('use.mjs', join(MODEL, 'saved_model'), join(MODEL, 'expected.json'));
  }

  #run(program, args, env = this.env) {
    return attempt(program, args, { cwd: this.project, env, capture: true, timeout: 300_000 });
  }
}

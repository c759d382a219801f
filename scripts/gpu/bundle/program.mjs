// The part of a bundle that runs: the packed package as npm installs it, the programs that check and measure, fixtures, and
// the loop of raw C, compiled for any Linux that Node runs on.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { headers } from '../../headers.mjs';
import { pack, prebuiltPath } from '../../package/pack.mjs';
import { ROOT } from '../../tools/dist.mjs';
import { Failure } from '../../tools/failure.mjs';
import { npmProgram } from '../../tools/npm.mjs';
import { attempt } from '../../tools/spawn.mjs';
import { zig } from '../../tools/zig.mjs';

const TARGET = 'linux-x64';
/** What is carried of the checkout. None of it may import anything but these, Node's own modules, and `tf-session`. */
const CARRIED = [
  ...['scripts/gpu', 'scripts/bench/programs', 'scripts/measure/figures.mjs', 'test/fixtures'],
  ...['all-on-cpu', 'alternate', 'chosen-ops'].map((name) => `scripts/examples/${name}.mjs`),
];
/** Of scripts/gpu: what is for the machine on which bundles are made. */
const AT_HOME = ['bundle', 'bundle.mjs', 'try-bundle.mjs', 'check.mjs'].map((name) =>
  join(ROOT, 'scripts/gpu', name),
);
/** Node's own. */
const GLIBC = '2.28';

/**
 * @param {string} folder Made here.
 * @param {import('./installation.mjs').Installation} library
 * @param {object} kit What kit.json says of the other parts.
 */
export async function stageProgram(folder, library, kit) {
  await mkdir(folder, { recursive: true });
  await installPackage(folder);
  for (const name of CARRIED) {
    const filter = (path) => !AT_HOME.includes(path) && !path.endsWith('.d.mts');
    await cp(join(ROOT, name), join(folder, name), { recursive: true, filter });
  }
  await requireComplete(folder);
  const raw = 'bin/raw';
  await mkdir(join(folder, 'bin'));
  await compileRaw(join(folder, raw), library);
  await writeFile(join(folder, 'kit.json'), JSON.stringify({ ...kit, raw }, null, 2));
}

/** By npm, from the packed file. Scripts are left out, as where prebuilt addons fit none is needed. */
async function installPackage(folder) {
  await requirePrebuilt();
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const { file } = await pack(ROOT, folder);
  const args = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  // Where this machine fetches from is nobody else's business.
  args.push('--omit-lockfile-registry-resolved', file);
  const { status, output } = await attempt(process.execPath, [npmProgram(), ...args], {
    cwd: folder,
    capture: true,
  });
  if (status !== 0) throw new Failure(`npm could not install ${file}:\n${output}`);
  await rm(file);
}

/** One that was made before a source changed would prove something else. */
async function requirePrebuilt() {
  const made = await stat(join(ROOT, await prebuiltPath())).catch(() => undefined);
  const sources = [
    join(ROOT, 'CMakeLists.txt'),
    ...readdirSync(join(ROOT, 'native')).map((name) => join(ROOT, 'native', name)),
  ];
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (made !== undefined && made.mtimeMs > newest) return;
  const make = join(ROOT, 'scripts/prebuild/make.mjs');
  const { status } = await attempt(process.execPath, [make, TARGET], { cwd: ROOT });
  if (status !== 0) throw new Failure('The prebuilt addon could not be made, see above.');
}

/** What is imported, and was left behind, would be missed on the GPU machine only. */
async function requireComplete(folder) {
  const names = await readdir(join(folder, 'scripts'), { recursive: true });
  for (const name of names.filter((each) => each.endsWith('.mjs'))) {
    const file = join(folder, 'scripts', name);
    const text = await readFile(file, 'utf8');
    for (const [, path] of text.matchAll(/^(?:import|export|\}) .*from '(\.[^']+)';$/gm)) {
      if (existsSync(join(file, '..', path))) continue;
      throw new Failure(
        `${name} imports ${path}, which a bundle does not carry (CARRIED in bundle/program.mjs).`,
      );
    }
  }
}

async function compileRaw(file, { folder, library }) {
  const { program, env } = await zig();
  const args = [
    ...['c++', '-target', `x86_64-linux-gnu.${GLIBC}`, '-O2', '-s', '-std=c++17', `-I${await headers()}`],
    join(ROOT, 'scripts/bench/native/raw.cc'),
    ...[join(folder, library), join(folder, library, '..', 'libtensorflow_framework.so.2')],
    ...['-Wl,-rpath,$ORIGIN/../../library/lib', '-Wl,--allow-shlib-undefined', '-o', file],
  ];
  const { status, output } = await attempt(program, args, { env: { ...process.env, ...env }, capture: true });
  if (status !== 0) throw new Failure(`raw.cc could not be compiled:\n${output}`);
}

// `npm run release -- X.Y.Z`: everything of a release up to the packed file in release/, which is installed and tried. It
// changes package.json, package-lock.json and CHANGELOG.md, and only if all went well; it commits and publishes nothing.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { contentFaults } from './package/contents.mjs';
import { install } from './package/installed.mjs';
import { pack, prebuiltPath } from './package/pack.mjs';
import { releaseChangelog } from './release/changelog.mjs';
import { checkTree, restoring } from './release/tree.mjs';
import { ROOT } from './tools/dist.mjs';
import { Failure, main } from './tools/failure.mjs';
import { npmProgram } from './tools/npm.mjs';
import { attempt } from './tools/spawn.mjs';

const USAGE = `npm run release -- X.Y.Z [--dry-run]
  --dry-run   all the same, then package.json, package-lock.json and CHANGELOG.md are put back`;
const OUT = join(ROOT, 'release');

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  if (positionals.length !== 1) throw new Failure(USAGE);
  const [version] = positionals;
  await step('The tree is clean, the version is new', () => checkTree(ROOT, version));
  const changed = ['package.json', 'package-lock.json', 'CHANGELOG.md'].map((name) => join(ROOT, name));
  const file = await restoring(changed, () => make(version), { keep: !values['dry-run'] });
  if (values['dry-run']) console.log(`\nA dry run: nothing is changed but ${file}.`);
  else console.log(next(version, file));
}, USAGE);

/** The packed file, by its path in the checkout. */
async function make(version) {
  await step('CHANGELOG.md', async () => {
    const path = join(ROOT, 'CHANGELOG.md');
    const date = new Date().toISOString().slice(0, 10);
    await writeFile(path, releaseChangelog(await readFile(path, 'utf8'), version, date));
  });
  await step('package.json and package-lock.json', () =>
    npm('version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts'),
  );
  await step('TypeScript, from nothing', async () => {
    await rm(join(ROOT, 'dist'), { recursive: true, force: true });
    await node('scripts/build.mjs', '--if-needed');
  });
  await step('Prebuilt addons', async () => {
    await npm('run', '--silent', 'prebuildify');
    const addons = await prebuilts();
    const own = await prebuiltPath();
    if (!addons.includes(own)) throw new Failure(`npm run prebuildify has made no ${own}.`);
    await node(
      'scripts/tools/check-symbols.mjs',
      ...addons.filter((path) => path.startsWith('prebuilds/linux-')),
    );
  });
  const packed = await step('npm pack', async () => {
    await rm(OUT, { recursive: true, force: true });
    await mkdir(OUT);
    const made = await pack(ROOT, OUT);
    const faults = contentFaults(made, await prebuiltPath());
    if (faults.length > 0) throw new Failure(`The packed file is not as it should be:\n${faults.join('\n')}`);
    return made;
  });
  await step('Installed in an empty folder, it runs a model', () => tryOut(packed.file, version));
  return relative(ROOT, packed.file);
}

async function prebuilts() {
  const names = await readdir(join(ROOT, 'prebuilds'), { recursive: true });
  return names.filter((name) => name.endsWith('.node')).map((name) => `prebuilds/${name}`);
}

async function tryOut(file, version) {
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-release-'));
  try {
    const installed = await install(folder, file);
    const { addon } = await installed.use();
    if (!addon.endsWith(await prebuiltPath())) throw new Failure(`It took ${addon} for its addon.`);
    const { stdout } = await installed.bin('tf-session', '--version');
    if (stdout.trim() !== version) throw new Failure(`It says that it is ${stdout.trim()}.`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function step(name, work) {
  console.log(`== ${name}`);
  return work();
}

async function npm(...args) {
  await node(npmProgram(), ...args);
}

async function node(...args) {
  const { status } = await attempt(process.execPath, args, { cwd: ROOT });
  if (status !== 0) throw new Failure(`Failed, see above: node ${args.join(' ')}`);
}

function next(version, file) {
  const isPreRelease = version.includes('-');
  return [
    `\n${version} is made, and nothing is committed or published. Next:`,
    `  git commit -am '${version}' && git tag v${version} && git push origin HEAD v${version}`,
    `  npm publish ${file}${isPreRelease ? ' --tag next' : ''}`,
  ].join('\n');
}

// `npm run prebuildify`: the addon for every target (or those named), into prebuilds/, each checked. From any machine
// that has CMake: Zig compiles for all of them.
//
//   npm run prebuildify [-- TARGET…]     linux-x64, linux-arm64
import { mkdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkSymbols, describe } from '../tools/check-symbols.mjs';
import { ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { attempt } from '../tools/spawn.mjs';
import { addonName, TARGETS } from './targets.mjs';

const ALL = Object.keys(TARGETS);
const USAGE = `npm run prebuildify [-- TARGET…]\nTargets: ${ALL.join(', ')}; default: all`;

await main(async () => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const unknown = positionals.filter((name) => !ALL.includes(name));
  if (unknown.length > 0) throw new Failure(`There is no target ${unknown.join(', ')}.\n${USAGE}`);
  const failed = [];
  for (const name of positionals.length > 0 ? positionals : ALL) {
    console.error(`Building the addon for ${name} …`);
    const file = await build(name);
    const found = checkSymbols(file);
    console.log(describe(found));
    if (found.faults.length > 0) failed.push(name);
  }
  if (failed.length > 0) throw new Failure(`Not fit to be shipped, see above: ${failed.join(', ')}.`);
}, USAGE);

async function build(name) {
  const [platform, arch] = name.split('-');
  // prebuildify moves the addon out of build/Release of the folder that it runs in: not out of the checkout's own.
  const work = join(ROOT, 'build', 'prebuild', name);
  const file = join(ROOT, 'prebuilds', name, addonName(name));
  await rm(file, { force: true });
  await mkdir(work, { recursive: true });
  const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');
  const { status } = await attempt(
    process.execPath,
    [
      ...[prebuildify, '--napi', '--name', 'tf-session', '--tag-libc=glibc'],
      ...['--platform', platform, '--arch', arch, '--cwd', work, '--out', ROOT],
      ...['--node-gyp', join(ROOT, 'scripts', 'prebuild', 'node-gyp.mjs')],
    ],
    { cwd: ROOT },
  );
  if (status !== 0) throw new Failure(`The addon could not be built for ${name}.`);
  await stat(file);
  return file;
}

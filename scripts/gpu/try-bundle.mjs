// Does a bundle use nothing of the machine but what it says?
//
//     node scripts/gpu/try-bundle.mjs BUNDLE [--trace] [--report FOLDER] [-- OPTIONS OF run-gpu-checks]
//
// In a root folder of its own, where there is a shell, four programs and glibc, and no network; with --trace on this machine as it
// is, under strace, which is asked afterwards what was started and opened. Both start with an empty folder to unpack into, which is gone afterwards; the
// report goes to the folder that --report names.

import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure, main } from '../tools/failure.mjs';
import { attempt } from '../tools/spawn.mjs';
import { fillRoot, inRoot } from './bundle/empty-root.mjs';
import { withTemporary } from './bundle/temporary.mjs';
import { CALLS, readTrace } from './bundle/traced.mjs';

const USAGE =
  'node scripts/gpu/try-bundle.mjs BUNDLE [--trace] [--report FOLDER] [-- OPTIONS OF run-gpu-checks]';

await main(async () => {
  const split = process.argv.indexOf('--');
  const options = split < 0 ? [] : process.argv.slice(split + 1);
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2, split < 0 ? undefined : split),
    allowPositionals: true,
    options: { trace: { type: 'boolean', default: false }, report: { type: 'string' } },
  });
  if (positionals.length !== 1) throw new Failure(USAGE);
  // As strace names it.
  const bundle = await realpath(positionals[0]).catch(() => '');
  if (!existsSync(join(bundle, 'run-gpu-checks'))) throw new Failure(`${positionals[0]} is no bundle.`);
  // Beside it: there is room for a bundle, and it takes some GB more.
  const folder = await mkdtemp(join(dirname(bundle), '.try-'));
  await withTemporary(folder, async () => {
    const status = await (values.trace ? traced : rooted)(bundle, folder, options);
    const report = join(folder, 'unpacked/report');
    if (values.report !== undefined && existsSync(report))
      await cp(report, resolve(values.report), { recursive: true });
    if (status !== 0) process.exitCode = status;
  });
}, USAGE);

async function rooted(bundle, root, options) {
  const files = await fillRoot(root);
  console.log(`The root folder holds, beside /dev, /proc and /sys:\n  ${files.join('\n  ')}`);
  const env = { TF_SESSION_GPU_FOLDER: '/unpacked' };
  const { status } = await inRoot(root, bundle, env, ['/bin/sh', '/bundle/run-gpu-checks', ...options]);
  console.log(`In the empty root: exit status ${status}`);
  return status;
}

async function traced(bundle, folder, options) {
  const logs = join(folder, 'logs');
  const to = join(folder, 'unpacked');
  await mkdir(logs);
  const args = ['-ff', '-y', '--seccomp-bpf', '-e', `trace=${CALLS}`, '-o', join(logs, 'log')];
  const { status } = await attempt('strace', [...args, join(bundle, 'run-gpu-checks'), ...options], {
    env: { PATH: process.env.PATH, TF_SESSION_GPU_FOLDER: to },
  }).catch(({ message }) => {
    throw new Failure(`--trace needs strace: ${message}`);
  });
  const names = await readdir(logs);
  const texts = await Promise.all(names.map((name) => readFile(join(logs, name), 'utf8')));
  const { programs, files, faults } = readTrace(texts.join('\n'), [bundle, folder]);
  console.log(`Started outside of the bundle:\n  ${programs.join('\n  ')}`);
  console.log(
    `Opened outside of it:\n  ${files.filter((path) => !/^\/(proc|sys|dev)(\/|$)/.test(path)).join('\n  ')}`,
  );
  for (const fault of faults) console.log(`FAILED ${fault}`);
  console.log(
    `Under strace, ${names.length} processes and threads: exit status ${status}, ${faults.length} faults`,
  );
  return faults.length > 0 ? 1 : status;
}

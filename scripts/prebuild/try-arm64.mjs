// Loads the prebuilt addon for Linux arm64 on a machine that is none, by emulation, and runs a model there: TensorFlow
// and Node for arm64 are fetched into the cache folder, 1.2 GB. Takes minutes.
//
//   node scripts/prebuild/try-arm64.mjs [VERSION…]     of Node; default: 22
//
// Needed: qemu-aarch64, and glibc and libstdc++ (Node's and TensorFlow's) for arm64 in the folder that
// $QEMU_LD_PREFIX names. On Debian: apt install qemu-user libc6-arm64-cross libstdc++6-arm64-cross
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { NODE_VERSIONS } from '../compat/node-versions.mjs';
import { cacheFolder, ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { nodeProgram } from '../tools/npm.mjs';
import { attempt } from '../tools/spawn.mjs';
import { addonName } from './targets.mjs';

const TARGET = 'linux-arm64';
const ADDON = join(ROOT, 'prebuilds', TARGET, addonName(TARGET));

const QEMU = 'qemu-aarch64';
/** Where Debian's packages for cross-compilation put them. */
const PREFIX = process.env.QEMU_LD_PREFIX || '/usr/aarch64-linux-gnu';
const DEBIAN = {
  [QEMU]: 'qemu-user',
  'libc.so.6': 'libc6-arm64-cross',
  'libstdc++.so.6': 'libstdc++6-arm64-cross',
};

await main(async () => {
  const { positionals } = parseArgs({ allowPositionals: true });
  if (!existsSync(ADDON))
    throw new Failure(`There is no ${ADDON}. Build it: npm run prebuildify -- ${TARGET}`);
  const isNative = process.arch === 'arm64' && process.platform === 'linux';
  if (!isNative) checkEmulator();
  const env = { TF_CPP_MIN_LOG_LEVEL: '2', ...process.env, TF_SESSION_ADDON: ADDON };
  // Installations are told apart by version alone: those of another processor have a folder of their own.
  if (!isNative) env.XDG_CACHE_HOME = join(await cacheFolder(), 'arm64');
  const versions = positionals.length > 0 ? positionals : NODE_VERSIONS.filter((v) => v.startsWith('22.'));
  for (const version of versions) {
    const node = await nodeProgram(version, TARGET);
    const through = isNative ? [] : [QEMU, '-L', PREFIX];
    const [program, ...args] = [...through, node, join(ROOT, 'scripts/prebuild/driver.mjs'), '--install'];
    const { status } = await attempt(program, args, { env });
    if (status !== 0) throw new Failure(`${TARGET}, Node ${version}: see above.`);
  }
}, 'node scripts/prebuild/try-arm64.mjs [VERSION…]');

function checkEmulator() {
  const missing = ['libc.so.6', 'libstdc++.so.6'].filter(
    (name) => !['lib', 'lib64', 'usr/lib'].some((folder) => existsSync(join(PREFIX, folder, name))),
  );
  if (spawnSync(QEMU, ['--version']).error !== undefined) missing.unshift(QEMU);
  if (missing.length === 0) return;
  const libraries = missing.filter((name) => name !== QEMU);
  throw new Failure(
    [
      'The addon for arm64 could not be tried here.',
      ...(missing.includes(QEMU) ? [`There is no ${QEMU} on the PATH.`] : []),
      ...(libraries.length > 0 ? [`${PREFIX} (or $QEMU_LD_PREFIX) has no ${libraries.join(' and ')}.`] : []),
      `On Debian: apt install ${missing.map((name) => DEBIAN[name]).join(' ')}`,
    ].join('\n'),
  );
}

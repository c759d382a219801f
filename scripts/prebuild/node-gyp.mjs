#!/usr/bin/env node
// What prebuildify starts in place of node-gyp, once a target: `node-gyp.mjs rebuild --arch=… …`. Builds with cmake-js
// and Zig; the addon is left where prebuildify looks, in build/Release of the working directory.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { headers } from '../headers.mjs';
import { run } from '../run.mjs';
import { ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { zig } from '../tools/zig.mjs';
import { TARGETS } from './targets.mjs';

await main(async () => {
  // Node-API is the same in every version of Node: of what node-gyp is told, the target alone counts.
  const name = `${process.env.PREBUILD_PLATFORM}-${process.env.PREBUILD_ARCH}`;
  const target = TARGETS[name];
  if (target === undefined) {
    throw new Failure(`${name} is not one of ${Object.keys(TARGETS).join(', ')}. Run: npm run prebuildify`);
  }
  const { program, env } = await zig();
  const unwinder = await standIn(program, target, env);
  const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
  const definitions = {
    CMAKE_TOOLCHAIN_FILE: join(ROOT, 'scripts/prebuild/toolchain.cmake'),
    TF_SESSION_INCLUDE: await headers(),
    TF_SESSION_WERROR: 'ON',
    CMAKE_CXX_STANDARD_LIBRARIES: unwinder,
  };
  await run(
    process.execPath,
    [
      ...[cmakeJs, 'rebuild', '--directory', ROOT, '--out', join(process.cwd(), 'build')],
      ...Object.entries(definitions).map(([key, value]) => `--CD${key}=${value}`),
    ],
    {
      quiet: true,
      env: {
        ...process.env,
        ...env,
        TF_SESSION_ZIG: program,
        TF_SESSION_TARGET: target.zig,
        TF_SESSION_SYSTEM: target.system,
        TF_SESSION_PROCESSOR: target.processor,
      },
    },
  );
});

/** What unwinder.cc is for, compiled: the linker notes its name and its versions, and no more of it. */
async function standIn(program, target, env) {
  const folder = join(ROOT, 'scripts/prebuild');
  const file = join(process.cwd(), 'libgcc_s.so.1');
  const flags = [
    ...['-shared', '-nostdlib', '-Wl,-soname,libgcc_s.so.1'],
    `-Wl,--version-script=${join(folder, 'unwinder.map')}`,
  ];
  const args = ['c++', '-target', target.zig, ...flags, join(folder, 'unwinder.cc'), '-o', file];
  await run(program, args, { quiet: true, env: { ...process.env, ...env } });
  return file;
}

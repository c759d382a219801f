// `node scripts/package/layouts.mjs [MANAGER]…`: the packed package in every package manager's layout. It is installed and runs a
// model; its prebuilt addon is taken away, and the command that the error names is run, with no compiler and with one.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Failure, main } from '../tools/failure.mjs';
import { install } from './installed.mjs';
import { MANAGERS } from './managers.mjs';
import { pack, stage } from './pack.mjs';

const USAGE = `node scripts/package/layouts.mjs [MANAGER]…   of ${Object.keys(MANAGERS).join(', ')}; default: all`;

await main(async () => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const managers = positionals.length > 0 ? positionals : Object.keys(MANAGERS);
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-layouts-'));
  let faults = 0;
  try {
    const staged = join(folder, 'staged');
    await mkdir(staged);
    const { isStandIn } = await stage(staged);
    if (isStandIn) console.log('prebuilds/ is empty: the addon that was built here stands in.');
    const { file } = await pack(staged, folder);
    for (const manager of managers) {
      if (!Object.hasOwn(MANAGERS, manager)) throw new Failure(USAGE);
      for (const [what, row] of await rows(join(folder, manager.replace(' ', '-')), file, manager)) {
        if (row.fault !== undefined) faults++;
        const { fault, time } = row;
        console.log(
          `${manager.padEnd(13)} ${what.padEnd(34)} ${fault === undefined ? 'ok' : 'FAILED'}  ${time}`,
        );
        if (fault !== undefined) console.log(fault.trim().replace(/^/gm, '    '));
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (faults > 0) throw new Failure(`${faults} failed.`);
}, USAGE);

/** The steps, each with its time and what went wrong; none after the first that failed. */
async function rows(folder, file, manager) {
  let installed;
  let command;
  const steps = {
    installed: async () => {
      installed = await install(folder, file, { manager });
    },
    'runs a model': () => installed.use(),
    'names the command that builds': async () => {
      ({ command } = await installed.buildCommand());
    },
    'says what the machine lacks': async () => {
      const { status, output } = await installed.shell(command);
      if (status === 0 || !/this machine lacks:/.test(output)) throw new Failure(output);
    },
    'builds where a compiler is': async () => {
      const { status, output } = await installed.shell(command, { tools: true });
      if (status !== 0) throw new Failure(output);
    },
    'runs a model with what was built': async () => {
      const { addon } = await installed.use();
      if (!addon.endsWith('build/Release/tf-session.node')) throw new Failure(`It took ${addon}.`);
    },
  };
  const done = [];
  for (const [name, step] of Object.entries(steps)) {
    const from = performance.now();
    const fault = await step().then(
      () => undefined,
      (error) => error.message,
    );
    done.push([name, { fault, time: `${((performance.now() - from) / 1000).toFixed(1)} s` }]);
    if (fault !== undefined) break;
  }
  return done;
}

/**
 * The checks for GPUs, all that they do on one, on a plug-in's device of the type GPU that computes on the host. It obeys no
 * gpuOptions and takes no memory of a card: the checks of these must say so.
 */
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { tensorflow } from '../../lib/index.js';
import { compile, framework, HOST_DEVICE, needCompiler } from '../native/plugin/compile.js';
import { folder, run } from './program.js';

const here = (name: string) => fileURLToPath(new URL(`stand-in/${name}`, import.meta.url));

/** Two cards, of which nothing is ever taken. */
const SMI = `#!/bin/sh
case "$1" in
  --query-gpu=compute_cap) echo 9.0; echo 9.0 ;;
  --query-gpu=memory.used) echo 3; echo 3 ;;
  --query-gpu=*) for i in 1 2; do echo "Stand-in, GPU-$i, 0000:0$i:00.0, 24564, 3, 570.1"; done ;;
esac
`;

/** That of memory that runs out is as well, after half a minute of TensorFlow's waiting. */
const HOLD = 'alternate batcher devices process-config rules saved-device soft trace worker'.split(' ');
const FAIL = ['hidden', 'memory', 'virtual', 'visible'];

interface Result {
  name: string;
  expectations: { what: string; holds: boolean }[];
  failure?: string;
}

it('runs on a GPU as it would, and tells one that obeys no options', {
  timeout: 300_000,
}, async (context) => {
  await needCompiler(context);
  const place = await folder();
  const source = await readFile(HOST_DEVICE, 'utf8');
  await writeFile(join(place, 'host_device.cc'), source.replaceAll('"HOST_DEVICE"', '"GPU"'));
  await copyFile(here('kernels.cc'), join(place, 'kernels.cc'));
  const plugin = await compile(join(place, 'kernels.cc'), place, await framework());
  await mkdir(join(place, 'bin'));
  await writeFile(join(place, 'bin/nvidia-smi'), SMI);
  await chmod(join(place, 'bin/nvidia-smi'), 0o755);
  const names = [...HOLD, ...FAIL].flatMap((name) => ['--only', name]);
  const args = [
    '--quick',
    '--no-bench',
    '--library',
    tensorflow.path,
    '--out',
    join(place, 'report'),
    ...names,
  ];
  const { status, stdout, stderr } = await run(args, {
    PATH: [join(place, 'bin'), process.env.PATH].join(delimiter),
    NODE_OPTIONS: `--import ${here('load.mjs')}`,
    STAND_IN: plugin,
    TF_SESSION_LIBRARY: tensorflow.path,
  });
  expect(status, stderr).toBe(1);
  expect(stdout).not.toMatch(/rehears/i);
  expect(stdout).toContain('Stand-in, 24564 MiB, driver 570.1');
  const { rehearsal, results } = JSON.parse(await readFile(join(place, 'report/report.json'), 'utf8'));
  expect(rehearsal).toBe(false);
  const failed = (results as Result[]).filter(
    ({ expectations, failure }) => failure !== undefined || expectations.some(({ holds }) => !holds),
  );
  expect(
    failed.map(({ name }) => name),
    stdout,
  ).toEqual(FAIL);
  expect(await readFile(join(place, 'report/report.md'), 'utf8')).toMatch(/^# What was checked on a GPU\n/);
});

/**
 * What a process has settled of devices other than CPUs, on real ones: a plug-in's, which TensorFlow keeps as it keeps GPUs. Each
 * case in a process of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import { expectCleanEnd, runChild } from '../process/child.js';
import { compile, framework, HOST_DEVICE, needCompiler } from './plugin/compile.js';

let folder: string;
let built: Promise<string> | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tf-session-plugin-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Step = [what: string, config: object];

async function run(context: Pick<TestContext, 'skip'>, steps: readonly Step[]): Promise<string[]> {
  await needCompiler(context);
  built ??= framework().then((link) => compile(HOST_DEVICE, folder, link));
  const all = [['plugin', await built], ...steps];
  const flags = ['--no-warnings'];
  const ended = await runChild('process-config.mjs', ['main', JSON.stringify(all)], { flags });
  expectCleanEnd(ended, 0, ended.stdout.trim());
  return ended.stdout.trim().split('\n').slice(0, -1);
}

const order = (visibleDeviceList: string, more = {}) => ({
  pluggableDeviceOptions: { visibleDeviceList, ...more },
});

it('another order of devices is refused, as TensorFlow itself does', async (context) => {
  const lines = await run(context, [
    ['devices', order('1')],
    ['devices', order('0')],
    ['unchecked', order('0')],
    ['devices', {}],
    ['unchecked', {}],
  ]);
  expect(lines).toEqual([
    expect.stringMatching(
      /^FAILED_PRECONDITION .*config\.pluggableDeviceOptions\.visibleDeviceList is "1", since tensorflow\.devices\(\); asked for: "0"\./,
    ),
    expect.stringMatching(/^ALREADY_EXISTS .*is being mapped to multiple devices/),
    expect.stringMatching(/^FAILED_PRECONDITION .*asked for: all in their order\./),
    expect.stringMatching(/^ALREADY_EXISTS .*is being mapped to multiple devices/),
  ]);
});

it('more devices in the same order are taken, as TensorFlow itself does', async (context) => {
  const lines = await run(context, [
    ['load', order('1')],
    ['load', order('1,0')],
    ['unchecked', order('1')],
  ]);
  expect(lines).toEqual([]);
});

it('the memory of a device stays what its first session gave it', async (context) => {
  const share = (perProcessGpuMemoryFraction: number) => order('', { perProcessGpuMemoryFraction });
  const lines = await run(context, [
    ['memory', { deviceCount: { HOST_DEVICE: 1 }, ...share(0.1) }],
    ['memory', share(0.2)],
    ['memory', { ...share(0.1), deviceCount: { HOST_DEVICE: 1 } }],
  ]);
  const [first, warning, both, again] = lines;
  const [mine, others] = both!.split(' ');
  expect(mine).toBe(first);
  expect(Number(others)).toBeGreaterThan(Number(first));
  expect(warning).toMatch(
    /perProcessGpuMemoryFraction is 0\.1, since tensorflow\.devices\(\); asked for: 0\.2\./,
  );
  expect(again).toBe(first);
  expect(lines).toHaveLength(4);
});

it('a session that cannot be made has settled threads all the same', async (context) => {
  const lines = await run(context, [
    ['devices', { ...order('7'), intraOpParallelismThreads: 3, interOpParallelismThreads: 3 }],
    ['threads', {}],
    ['devices', { intraOpParallelismThreads: 4, interOpParallelismThreads: 4 }],
    ['threads', {}],
  ]);
  expect(lines).toEqual([
    expect.stringMatching(/^(?!FAILED_PRECONDITION)\w+ /),
    'intra 3 inter 0',
    expect.stringMatching(/intraOpParallelismThreads is 3, since/),
    expect.stringMatching(/ inter 4$/), // the plug-in has threads of its own
  ]);
  expect(lines[2]).not.toContain('interOp');
});

import { describe, expect, it } from 'vitest';
import { expectCleanEnd, runChild } from './child.js';

const PROMPT_MS = 15_000;
const flags = ['--expose-gc'];

describe('worker threads', () => {
  it.each(['1', '2', '4', '16'])('four at once have the right values, with %s threads', async (threads) => {
    const ended = await runChild('workers.mjs', ['four'], { env: { UV_THREADPOOL_SIZE: threads } });
    expectCleanEnd(ended, 0, '50 50 50 50 0 0 0 0');
  });

  it('four at once and the main thread do not disturb each other', async () => {
    expectCleanEnd(await runChild('workers.mjs', ['four-and-main']), 0, '50 50 50 50');
  });

  it.each([
    ['opens the library before the main thread does', 'worker-first', 'ran 0 0.25'],
    ['ends with its session open', 'worker-open', 'ran 0 0.25'],
    ['ends by process.exit() in the midst of runs that never end', 'worker-exits', '3 0.25'],
    ['ends by an error in the midst of a run that never ends', 'worker-throws', 'thrown by the test 1 0.25'],
  ])('one that %s leaves the others alone', async (_, name, stdout) => {
    expectCleanEnd(await runChild('workers.mjs', [name]), 0, stdout);
  });

  it.each([
    ['throw', 1],
    ['exit', 3],
    ['terminate', 1],
  ])('end while all of theirs waits for the main thread (%s)', async (end, status) => {
    const ended = await runChild('workers.mjs', ['behind-main', end]);
    expectCleanEnd(ended, 0, `${status}\nCANCELLED`);
  });

  it('take turns with the main thread, however many runs wait there', async () => {
    expectCleanEnd(await runChild('workers.mjs', ['turns']), 0, 'between');
  });

  it('run while a thread that has runs waiting stands still', async () => {
    const ended = await runChild('workers.mjs', ['blocked-main']);
    // Atomics.wait says not-equal where the answer came before it.
    expect(ended.stdout.trim()).toMatch(/^(ok|not-equal) 3$/);
    expect(ended.status).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('that was the last to use the addon leaves it loaded', async () => {
    expectCleanEnd(await runChild('workers.mjs', ['worker-unloads']), 0, 'stays');
  });
});

describe('process.exit() of the main thread, while runs of workers never end,', () => {
  it.each([
    ['ends the process', 'main-exits'],
    ['ends the process while they start new ones', 'main-exits-anew'],
    ['ends the process, also where it has never used the package', 'main-unaware-exits'],
    ['ends the process while runs of theirs wait', 'main-unaware-exits-waiting'],
  ])('%s', async (_, name) => {
    const ended = await runChild('workers.mjs', [name], { limit: 40_000 });
    expectCleanEnd(ended, 5);
    expect(ended.milliseconds).toBeLessThan(PROMPT_MS);
  });
});

describe('terminate()', () => {
  it.each([
    ['in the midst of a run', 'long', '3', '30'],
    ['while runs wait', 'waiting', '3', '30'],
    ['while models are loading', 'loading', '16', '15'],
    ['while a close waits for a run', 'closing', '4', '40'],
    ['while a close is at work', 'cancelling', '10', '4'],
    ['while outputs come in', 'outputs', '16', '3'],
    ['while devices are listed', 'devices', '6', '3'],
  ])('%s ends the worker, frees what was its own and gives its slots back', async (_, job, rounds, step) => {
    const ended = await runChild('terminate.mjs', [job, 'run', rounds, step], { flags });
    expectCleanEnd(ended, 0, 'ran 0 0 0');
  });

  it('ends a run that never ends', async () => {
    expectCleanEnd(await runChild('terminate.mjs', ['endless', 'run'], { flags }), 0, 'ran 0 0 0');
  });

  it('does not run first what waits', async () => {
    expectCleanEnd(await runChild('terminate.mjs', ['waiting', 'soon']), 0, 'soon');
  });

  it('in the midst of a run that never ends does not hold the process', async () => {
    const ended = await runChild('terminate.mjs', ['endless', 'exit']);
    expectCleanEnd(ended, 5);
    expect(ended.milliseconds).toBeLessThan(PROMPT_MS);
  });
});

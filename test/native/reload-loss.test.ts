/** No run is lost over a reload, and a bad version takes over from none. */
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type LoadOptions, SavedModel } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import {
  addVersion,
  cool,
  layOut,
  liveSessions,
  load,
  untilLive,
  versionIn,
  versionOf,
  warmUpFile,
} from '../helpers/versions.js';
import { fixture, fixtureCopy } from '../saved-model/models.js';

describe('runs that were accepted before', () => {
  it('end on the old version, which is closed then', async () => {
    const [slow, endless] = [fixture('slow'), fixture('endless')];
    const model = await load(endless);
    const { session } = model;
    const forever = failure(model.run({ n: -1 }));
    const counts = Array.from({ length: 20 }, () => model.run({ n: 1000 }));
    expect(await model.reload(slow)).toBe(true);
    expect(liveSessions()).toBe(2);
    // The new one runs, while the old one has a run that never ends.
    await model.run({ n: 4, k: 3 });
    for (const { steps } of await Promise.all(counts)) expect(steps!.data[0]).toBe(1000);
    expect(liveSessions()).toBe(2);
    await session.close({ cancel: true });
    expect((await forever).code).toBe('CANCELLED');
    await untilLive(1);
  });

  it('are waited for by close, and ended with cancel', async () => {
    const model = await load(fixture('endless'));
    const forever = failure(model.run({ n: -1 }));
    await model.reload(fixture('counter'));
    let isClosed = false;
    const closing = model.close().then(() => {
      isClosed = true;
    });
    await sleep(50);
    expect(isClosed).toBe(false);
    await model.close({ cancel: true });
    await closing;
    expect((await forever).code).toBe('CANCELLED');
    expect(liveSessions()).toBe(0);
  });

  it('are those that wait for a device as well, and traced ones', async () => {
    const home = await layOut(1);
    const model = await load(home, { config: { deviceCount: { CPU: 3 } } });
    await addVersion(home, 2);
    const runs: Promise<number>[] = [];
    const traceLevel = 'SOFTWARE_TRACE';
    let isOver = false;
    const asking = (async () => {
      for (; !isOver; await sleep(1)) {
        runs.push(model.run({ x: [1] }, { device: '/CPU:1' }).then(versionIn));
        if (runs.length > 10) continue;
        const traced = model.trace({ x: [1] }, { device: '/CPU:2', traceLevel });
        runs.push(traced.then(({ outputs }) => versionIn(outputs)));
      }
    })();
    await model.reload();
    isOver = true;
    await asking;
    for (const version of await Promise.all(runs)) expect([1, 2]).toContain(version);
    expect(versionIn(await model.run({ x: [1] }, { device: '/CPU:1' }))).toBe(2);
  });

  it('are not the rows that wait in a batcher: they go with their batch, to the version that serves when it begins', async () => {
    const home = await layOut(1);
    const model = await load(home);
    const batcher = model.batcher({ batchTimeoutMicros: 600e6 });
    const row = batcher.run({ x: [1] });
    await addVersion(home, 2);
    await model.reload();
    await Promise.all([batcher.close(), model.close()]);
    expect(versionIn(await row)).toBe(2);
  });
});

describe('no run is lost', () => {
  it('64 callers over many reloads: each answer is whole, and of the version that served', async () => {
    const home = await layOut(1);
    const model = await load(home);
    const call = model.prepare();
    const batcher = model.batcher();
    const ways = [
      (x: number[]) => model.run({ x }),
      (x: number[]) => call.run({ x }),
      (x: number[]) => batcher.run({ x }, {}),
    ];
    let [serving, newest, asked, answered] = [1, 1, 0, 0];
    let isOver = false;
    const caller = async (number: number) => {
      for (let i = 0; !isOver; i++) {
        const [atLeast, value] = [serving, number * 1000 + (i % 1000)];
        asked++;
        const outputs = await ways[(number + i) % ways.length]!([value]);
        answered++;
        expect(outputs.y!.data).toEqual(new Float32Array([2 * value]));
        const version = versionIn(outputs);
        expect(version).toBeGreaterThanOrEqual(atLeast);
        expect(version).toBeLessThanOrEqual(newest);
        // Else calls that are answered in the same turn would keep all others waiting.
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const callers = Array.from({ length: 64 }, (_, number) => caller(number));
    for (let version = 2; version <= 12; version++) {
      await cool(await addVersion(home, version));
      newest = version;
      expect(await model.reload()).toBe(true);
      serving = version;
      expect(await versionOf(model)).toBe(version);
    }
    isOver = true;
    await Promise.all(callers);
    expect(answered).toBe(asked);
    expect(asked).toBeGreaterThan(64 * 12);
    await untilLive(1);
  });
});

describe('a bad new version leaves the old one serving', () => {
  /** The error, which is that of a load; nothing of the new version is left. */
  async function refused(home: string, options: LoadOptions = { warmUp: false }) {
    const model = await load(home, options);
    const live = liveSessions();
    const directory = join(home, '2');
    return {
      model,
      async check(): Promise<void> {
        const error = await failure(model.reload());
        const { code, message } = await failure(SavedModel.load(home, options));
        expect(error).toMatchObject({ code, message });
        expect([model.version, await versionOf(model), liveSessions()]).toEqual(['1', 1, live]);
      },
      directory,
    };
  }

  it('is not there, or empty', async () => {
    const home = await layOut(1);
    const { model, check, directory } = await refused(home);
    expect(await failure(model.reload(join(home, 'nothing')))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('does not exist'),
    });
    await cp(join(home, '1', 'assets'), directory, { recursive: true });
    await check();
  });

  it('is damaged, has no variables, or lacks an asset', async () => {
    const home = await layOut(1);
    const { check, directory } = await refused(home);
    for (const spoil of [
      () => writeFile(join(directory, 'saved_model.pb'), 'garbage'),
      () => rm(join(directory, 'variables'), { recursive: true }),
      () => rm(join(directory, 'assets'), { recursive: true }),
    ]) {
      await addVersion(home, 2);
      await spoil();
      await check();
      await rm(directory, { recursive: true });
    }
  });

  it('has a warm-up that fails', async () => {
    const home = await layOut(1);
    const { check, directory } = await refused(home, { warmUp: true });
    await addVersion(home, 2);
    await writeFile(warmUpFile(directory), 'garbage');
    await check();
  });

  it('has no op that the placement speaks of, or nothing in its saved_model.pb', async () => {
    const home = await layOut(1);
    const { model } = await refused(home, { placement: [{ type: 'ParseExampleV2', device: '/CPU:0' }] });
    const live = liveSessions();
    expect((await failure(model.reload(fixture('counter')))).message).toContain('ParseExampleV2');
    const made = await fixtureCopy('counter');
    await writeFile(join(made, 'saved_model.pb'), new Uint8Array());
    expect((await failure(model.reload(made))).code).toBe('DATA_LOSS');
    expect([await versionOf(model), liveSessions()]).toEqual([1, live]);
  });

  it('has another signature than a batcher needs', async () => {
    const home = await layOut(1);
    const model = await load(home);
    const batcher = model.batcher({ outputs: ['y'] });
    const error = await failure(model.reload(fixture('slow')));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/the input "x" is gone\. A batcher that is open needs it/),
    });
    expect(liveSessions()).toBe(1);
    expect((await batcher.run({ x: [4] })).y!.data).toEqual(new Float32Array([8]));
    await batcher.close();
    expect(await model.reload(fixture('slow'))).toBe(true);
  });

  it('names a device that is not there', async () => {
    const config = { deviceCount: { CPU: 2 } };
    const model = await load(fixture('counter'), { config, devices: ['/CPU:1'], exact: true });
    const before = liveSessions();
    const error = await failure(model.reload(fixture('saved-on-gpu')));
    expect(error.message).toContain('GPU');
    expect(liveSessions()).toBe(before);
    expect((await model.run({ by: 1 }, { device: '/CPU:1' })).count!.data).toEqual(new BigInt64Array([1n]));
  });
});

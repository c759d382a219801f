import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { SavedModel, type Session, Tensor } from '../../lib/index.js';
import { addon } from '../../lib/runtime/addon.js';
import { collectUntil } from '../helpers/collect.js';
import { failure } from '../helpers/failure.js';
import { fixture } from '../saved-model/models.js';

const NOTHING = { graphs: 0, sessions: 0, calls: 0, tensors: 0, memories: 0, runs: 0 };
const LARGE = 100_000;
const counts = () => addon().counts();
const load = (name: string) => SavedModel.load(fixture(name));
const isNothing = () => Object.values(counts()).every((count) => count === 0);

/** Each test drops what it made; nothing of it may be left. */
afterEach(async () => {
  await collectUntil(isNothing);
  expect(counts()).toEqual(NOTHING);
});

describe('the counts', () => {
  it('see sessions, calls, outputs and memory', async () => {
    const model = await load('copies');
    const x = Tensor.allocate('float32', [LARGE]);
    const { y } = await model.run({ x }, { signature: 'plus_one' });
    expect(counts()).toMatchObject({ sessions: 1, calls: 1, tensors: 1, memories: 1, runs: 0 });
    const run = model.run({ x }, { signature: 'plus_one' });
    expect(counts().runs).toBe(1);
    await run;
    expect([x.size, y!.size]).toEqual([LARGE, LARGE]);
    await model.close();
  });
});

describe('what nobody holds is freed:', () => {
  it('a model that was closed', async () => {
    const model = await load('counter');
    await model.run({ by: 1 });
    await model.close();
    expect(counts().sessions).toBeLessThanOrEqual(1);
  });

  it('a model that was never closed', async () => {
    const model = await load('counter');
    await model.run({ by: 1 });
    await model.session.run('StatefulPartitionedCall');
    expect(counts().sessions).toBe(1);
  });

  it('models by the dozen', async () => {
    for (let i = 0; i < 12; i++) await (await load('tf2-functions')).run({ x: new Float32Array(8) });
  });

  it('a model of which runs are in flight, after them', async () => {
    const runs = await (async () => {
      const model = await load('slow');
      return Array.from({ length: 6 }, () => model.run({ n: 256, k: 100 }));
    })();
    const seen: number[] = [];
    await collectUntil(() => {
      const { runs: inFlight, sessions } = counts();
      if (inFlight === 0) return true;
      seen.push(sessions);
      return false;
    });
    expect(seen.length).toBeGreaterThan(2);
    expect(new Set(seen)).toEqual(new Set([1]));
    for (const { mean } of await Promise.all(runs)) expect(mean!.data[0]).toBeCloseTo(1 / 256);
  });

  it('runs and the promises of them', async () => {
    await (async () => {
      const model = await load('slow');
      for (let i = 0; i < 6; i++) void model.run({ n: 64, k: 30 });
      const signal = AbortSignal.timeout(5);
      await Promise.allSettled([
        model.run({ n: 64, k: 30 }, { signal }),
        model.run({ n: 64, k: 30 }, { timeout: 5 }),
      ]);
    })();
    expect(counts().runs).toBeGreaterThan(0);
  });

  it('runs that failed, and those that were cancelled', async () => {
    const failing = await load('errors-at-run');
    for (let i = 0; i < 5; i++) await failure(failing.run({ indices: [9] }, { signature: 'gather' }));
    for (let i = 0; i < 5; i++)
      await failure(() => failing.runSync({ indices: [9] }, { signature: 'gather' }));
    const endless = await load('endless');
    const runs = Array.from({ length: 5 }, () => failure(endless.run({ n: -1 })));
    await endless.close({ cancel: true });
    for (const error of await Promise.all(runs)) expect(error.code).toBe('CANCELLED');
  });

  it('outputs that were handed over, and their model before them', async () => {
    const outputs = await (async () => {
      const model = await load('copies');
      const x = new Float32Array(LARGE).fill(1);
      const runs = Array.from({ length: 10 }, () => model.run({ x }, { signature: 'plus_one' }));
      return (await Promise.all(runs)).map(({ y }) => y!.data as Float32Array);
    })();
    expect(await collectUntil(() => counts().sessions === 0)).toBe(true);
    expect(counts().tensors).toBe(10);
    expect(outputs.every((output) => output.every((value) => value === 2))).toBe(true);
  });

  it('outputs that share memory with the model, copied', async () => {
    const output = await (async () => {
      const model = await load('copies');
      await model.run({ x: new Float32Array(LARGE).fill(5) }, { signature: 'store' });
      return (await model.run({}, { signature: 'load' })).y!.data as Float32Array;
    })();
    expect(await collectUntil(() => counts().sessions === 0)).toBe(true);
    expect(output.every((value) => value === 5)).toBe(true);
  });

  it('memory that was allocated, used or not', async () => {
    for (let i = 0; i < 10; i++) Tensor.allocate('float32', [LARGE]);
    Tensor.allocate('float32', [0]);
    const model = await load('copies');
    await model.run({ x: Tensor.allocate('float32', [LARGE]) }, { signature: 'identity' });
    expect(counts().memories).toBeGreaterThan(0);
  });

  it('memory that only a variable held, with the session', async () => {
    const model = await load('copies');
    await (async () => {
      const x = Tensor.allocate('float32', [LARGE]);
      x.data.fill(3);
      await model.run({ x }, { signature: 'store' });
    })();
    await collectUntil(() => false, 10);
    const { y } = await model.run({}, { signature: 'load' });
    expect((y!.data as Float32Array).every((value) => value === 3)).toBe(true);
  });

  it('memory of which someone awaits the release', async () => {
    const model = await load('copies');
    const x = Tensor.allocate('float32', [LARGE]);
    await model.run({ x }, { signature: 'store' });
    void x.released;
    await model.close();
  });
});

describe('what someone holds stays:', () => {
  it('a session without its model', async () => {
    const session: Session = await (async () => (await load('counter')).session)();
    await collectUntil(() => false, 10);
    const fetch = 'StatefulPartitionedCall_2';
    for (let i = 1; i <= 5; i++) {
      const [count] = await session.run(fetch, { serving_default_by: 1n });
      expect(count!.data[0]).toBe(BigInt(i));
      globalThis.gc!();
    }
  });

  it('the data of a tensor without the tensor', async () => {
    const data = (() => {
      const tensor = Tensor.allocate('float32', [LARGE]);
      return tensor.data.fill(7);
    })();
    await collectUntil(() => false, 10);
    expect(data.every((value) => value === 7)).toBe(true);
    expect(counts().memories).toBe(1);
  });

  it('the allocated input of a run in flight', async () => {
    const model = await load('copies');
    const runs = Array.from({ length: 20 }, (_, i) => {
      const x = Tensor.allocate('float32', [LARGE]);
      x.data.fill(i);
      return model.run({ x }, { signature: 'plus_one' });
    });
    await collectUntil(() => false, 5);
    for (const [i, { y }] of (await Promise.all(runs)).entries()) {
      expect((y!.data as Float32Array).every((value) => value === i + 1)).toBe(true);
    }
  });

  it('the release of a tensor that nobody else holds', async () => {
    const model = await load('endless');
    const released = (() => {
      const n = Tensor.allocate('int32', []);
      n.data[0] = -1;
      model.run({ n }).catch(() => {});
      return n.released;
    })();
    await collectUntil(() => false, 10);
    await model.close({ cancel: true });
    await released;
  });
});

it('memory does not pile up between two collections', async () => {
  const model = await load('copies');
  const x = new Float32Array(1_000_000);
  await model.run({ x }, { signature: 'plus_one' });
  const before = process.memoryUsage().rss;
  let most = before;
  for (let i = 0; i < 300; i++) {
    await model.run({ x }, { signature: 'plus_one' }); // 4 MB each
    Tensor.allocate('float32', [1_000_000]);
    await setTimeout(0);
    most = Math.max(most, process.memoryUsage().rss);
  }
  // All of them together are 2.4 GB.
  expect((most - before) / 2 ** 20).toBeLessThan(1000);
});

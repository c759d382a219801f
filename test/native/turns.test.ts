import { beforeAll, describe, expect, it } from 'vitest';
import { type SavedModel, tensorflow } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';

/** Some milliseconds of products of matrices. */
const SLOW = { n: 128, k: 50 };

beforeAll(() => tensorflow.open({ maxRunsInFlight: 1 }));

/** Takes the one place, until what is returned is called. */
async function blocked(): Promise<() => Promise<void>> {
  const endless = await openFixture('endless');
  const ended = failure(endless.run({ n: -1 }));
  return async () => {
    await endless.close({ cancel: true });
    await ended;
  };
}

describe('sessions with runs that wait', () => {
  it('take turns: one with few does not wait behind one with many', async () => {
    const many = await openFixture('slow');
    const few = await openFixture('slow');
    let ended = 0;
    const runs = Array.from({ length: 1000 }, () => many.run(SLOW).then(() => ended++));
    for (let i = 0; i < 5; i++) {
      const before = ended;
      await few.run(SLOW);
      // The one that is at work, the next one's turn, and those whose ends this thread learns of together.
      expect(ended - before).toBeLessThan(10);
    }
    expect(ended).toBeLessThan(100);
    const all = Promise.allSettled(runs);
    await many.close({ cancel: true });
    expect((await all).length).toBe(1000);
  });

  it('take turns one by one, each in the order of its calls', async () => {
    const models: SavedModel[] = [];
    for (let i = 0; i < 3; i++) models.push(await openFixture('counter', i === 2 ? { concurrency: 1 } : {}));
    const unblock = await blocked();
    const order: string[] = [];
    const counts: Promise<number>[] = [];
    for (const [name, model, runs] of [
      ['a', models[0]!, 6],
      ['b', models[1]!, 2],
      ['c', models[2]!, 3],
    ] as const) {
      for (let i = 0; i < runs; i++) {
        const run = model.run({ by: 1 }).then(({ count }) => {
          order.push(name);
          return Number(count!.data[0]);
        });
        counts.push(run);
      }
    }
    await unblock();
    expect(await Promise.all(counts)).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 1, 2, 3]);
    expect(order.join('')).toBe('abcabcacaaa');
  });

  it('give up their turns where runs are aborted', async () => {
    const [a, b] = [await openFixture('counter'), await openFixture('counter')];
    const unblock = await blocked();
    const controller = new AbortController();
    const order: string[] = [];
    const run = (name: string, model: SavedModel, signal?: AbortSignal) =>
      model.run({ by: 1 }, { signal }).then(
        () => order.push(name),
        () => {},
      );
    const runs = [
      run('a1', a),
      run('a2', a, controller.signal),
      run('b1', b, controller.signal),
      run('a3', a),
      run('b2', b),
    ];
    controller.abort();
    await unblock();
    await Promise.all(runs);
    expect(order).toEqual(['a1', 'b2', 'a3']);
  });
});

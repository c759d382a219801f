import { describe, expect, it } from 'vitest';
import { SavedModel } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';

const FOREVER = { n: -1 };

describe('close', () => {
  it('refuses runs from then on, of every kind', async () => {
    const model = await openFixture('counter');
    const closing = model.close();
    const refusals = [
      failure(model.run({ by: 1 })),
      failure(() => model.runSync({ by: 1 })),
      failure(model.session.run('StatefulPartitionedCall')),
      failure(() => model.session.runSync('StatefulPartitionedCall')),
      failure(model.devices()),
    ];
    for (const error of await Promise.all(refusals)) {
      expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(/closed/) });
    }
    await closing;
    expect((await failure(model.run({ by: 1 }))).code).toBe('FAILED_PRECONDITION');
  });

  it('may be called again and again', async () => {
    const model = await openFixture('counter');
    await Promise.all([model.close(), model.close(), model.session.close(), model.close({ cancel: true })]);
    await model.close();
    await model.close({ cancel: true });
  });

  it('waits for the runs that were accepted', async () => {
    const model = await openFixture('slow');
    const ended: string[] = [];
    const runs = Array.from({ length: 6 }, () => model.run({ n: 128, k: 20 }).then(() => ended.push('run')));
    await model.close().then(() => ended.push('close'));
    expect(ended).toEqual([...Array(6).fill('run'), 'close']);
    await Promise.all(runs);
  });

  it('with cancel ends runs in flight and runs that wait', async () => {
    const model = await openFixture('endless');
    const runs = Array.from({ length: 8 }, () => failure(model.run(FOREVER)));
    await model.close({ cancel: true });
    for (const error of await Promise.all(runs)) expect(error.code).toBe('CANCELLED');
  });

  it('with cancel ends what an earlier close waits for', async () => {
    const model = await openFixture('endless');
    const run = failure(model.run(FOREVER));
    let closed = false;
    const closing = model.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(false);
    await model.close({ cancel: true });
    await closing;
    expect((await run).code).toBe('CANCELLED');
  });

  it('leaves other models alone', async () => {
    const [one, other] = [await openFixture('endless'), await openFixture('endless')];
    const run = failure(one.run(FOREVER));
    await other.close({ cancel: true });
    const again = await openFixture('counter');
    expect((await again.run({ by: 1 })).count!.data).toEqual(new BigInt64Array([1n]));
    await one.close({ cancel: true });
    expect((await run).code).toBe('CANCELLED');
  });

  it('happens at the end of the block with await using', async () => {
    let kept: SavedModel;
    {
      await using model = await SavedModel.load(fixture('counter'));
      await model.run({ by: 1 });
      kept = model;
    }
    expect((await failure(kept.run({ by: 1 }))).code).toBe('FAILED_PRECONDITION');
    {
      await using session = (await SavedModel.load(fixture('counter'))).session;
      expect(await session.devices()).not.toEqual([]);
    }
  });

  it.each([[{ cancle: true }], [{ cancel: 'yes' }], [null], [true]])(
    'refuses the options %j',
    async (options) => {
      const model = await openFixture('counter');
      expect((await failure(model.close(options as object))).code).toBe('INVALID_OPTION');
      expect((await model.run({ by: 1 })).count!.data[0]).toBe(1n);
    },
  );

  it('leaves outputs as they are', async () => {
    const model = await openFixture('copies');
    const { y: variable } = await model.run({}, { signature: 'variable' });
    const { y: large } = await model.run({ x: new Float32Array(100_000) }, { signature: 'plus_one' });
    await model.close();
    globalThis.gc!();
    expect(variable!.data[4]).toBe(1);
    expect((large!.data as Float32Array).every((value) => value === 1)).toBe(true);
  });
});

it('the event loop turns while runs are in flight', async () => {
  const model = await openFixture('endless');
  const run = failure(model.run(FOREVER));
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  await model.close({ cancel: true });
  expect((await run).code).toBe('CANCELLED');
});

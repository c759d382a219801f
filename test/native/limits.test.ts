import { getEventListeners } from 'node:events';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SavedModel, tensorflow } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';

const FOREVER = { n: -1 };

describe('a run in flight', () => {
  let endless: SavedModel;
  beforeEach(async () => {
    endless = await SavedModel.load(fixture('endless'));
    return () => endless.close({ cancel: true });
  });

  it('that takes longer than its timeout rejects, and goes on behind it', async () => {
    const start = performance.now();
    const error = await failure(endless.run(FOREVER, { timeout: 50 }));
    expect(error).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringMatching(/timeout of 50 ms/),
    });
    expect(performance.now() - start).toBeGreaterThan(45);
    let closed = false;
    const closing = endless.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(closed).toBe(false);
    await endless.close({ cancel: true });
    await closing;
  });

  it('rejects with the reason of its signal', async () => {
    const reason = new Error('mine');
    const controller = new AbortController();
    const run = endless.run(FOREVER, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(run).rejects.toBe(reason);
    await expect(endless.run(FOREVER, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const second = new AbortController();
    const byDefault = endless.session.run(
      'PartitionedCall',
      { serving_default_n: -1 },
      { signal: second.signal },
    );
    second.abort();
    await expect(byDefault).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('of which the timeout and the signal come at once rejects once', async () => {
    const controller = new AbortController();
    const run = endless.run(FOREVER, { signal: controller.signal, timeout: 20 });
    setTimeout(() => controller.abort('late'), 40);
    expect((await failure(run)).code).toBe('DEADLINE_EXCEEDED');
    await new Promise((resolve) => setTimeout(resolve, 40));
  });

  it('that ends in time resolves, and its signal does nothing any more', async () => {
    const controller = new AbortController();
    for (const timeout of [60_000, Number.POSITIVE_INFINITY, 2 ** 40]) {
      const { steps } = await endless.run({ n: 3 }, { timeout, signal: controller.signal });
      expect(steps!.data[0]).toBe(3);
    }
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect((await endless.run({ n: 3 })).steps!.data[0]).toBe(3);
  });

  it('never starts with a signal that is aborted', async () => {
    const counter = await openFixture('counter');
    await expect(counter.run({ by: 1 }, { signal: AbortSignal.abort('stop') })).rejects.toBe('stop');
    expect((await counter.run({}, { signature: 'read' })).count!.data).toEqual(new BigInt64Array([0n]));
  });

  it('that fails says so, timeout or not', async () => {
    const failing = await openFixture('errors-at-run');
    const options = { signature: 'gather', timeout: 60_000, signal: new AbortController().signal };
    expect(await failure(failing.run({ indices: [9] }, options))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      op: 'pick_row',
    });
  });
});

describe('a run that waits for its turn', () => {
  beforeAll(() => tensorflow.open({ maxRunsInFlight: 1 }));

  let counter: SavedModel;
  let endless: SavedModel;
  let ended: Promise<unknown>;
  beforeEach(async () => {
    counter = await SavedModel.load(fixture('counter'));
    endless = await SavedModel.load(fixture('endless'));
    ended = failure(endless.run(FOREVER));
    return async () => {
      await endless.close({ cancel: true });
      await ended;
      await counter.close();
    };
  });
  const read = async () => (await counter.run({}, { signature: 'read' })).count!.data[0];

  it('and is aborted or timed out never starts', async () => {
    const controller = new AbortController();
    const aborted = [
      counter.run({ by: 1 }, { signal: controller.signal }),
      counter.run({ by: 10 }, { signal: controller.signal, timeout: 60_000 }),
    ].map((run) => expect(run).rejects.toBe('stop'));
    const late = failure(counter.run({ by: 100 }, { timeout: 20 }));
    const kept = counter.run({ by: 1000 }, { timeout: 60_000 });
    expect((await late).code).toBe('DEADLINE_EXCEEDED');
    controller.abort('stop');
    await Promise.all(aborted);

    await endless.close({ cancel: true });
    expect((await kept).count!.data[0]).toBe(1000n);
    expect(await read()).toBe(1000n);
  });

  it('takes its turn in the order of the calls', async () => {
    const counts = Array.from({ length: 20 }, async (_, i) => (await counter.run({ by: i })).count!.data[0]);
    const controller = new AbortController();
    const withdrawn = counter.run({ by: 1_000_000 }, { signal: controller.signal });
    const last = counter.run({ by: 1000 });
    controller.abort('stop');
    await expect(withdrawn).rejects.toBe('stop');
    await endless.close({ cancel: true });
    expect(await Promise.all(counts)).toEqual(
      Array.from({ length: 20 }, (_, i) => BigInt((i * (i + 1)) / 2)),
    );
    expect((await last).count!.data[0]).toBe(1190n);
  });

  it('is accepted: its model closes after it', async () => {
    const run = counter.run({ by: 5 });
    let closed = false;
    const closing = counter.close().then(() => {
      closed = true;
    });
    expect((await failure(counter.run({ by: 5 }))).code).toBe('FAILED_PRECONDITION');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(closed).toBe(false);
    await endless.close({ cancel: true });
    expect((await run).count!.data[0]).toBe(5n);
    await closing;
  });

  it('is cancelled with its model, while another one holds the turn', async () => {
    const runs = [counter.run({ by: 5 }), counter.run({ by: 5 }, { timeout: 60_000 })].map((run) =>
      failure(run),
    );
    await counter.close({ cancel: true });
    for (const error of await Promise.all(runs)) expect(error.code).toBe('CANCELLED');
  });

  it('has its inputs from the time of the call', async () => {
    const by = new BigInt64Array([7n]);
    const run = counter.run({ by });
    by[0] = 9n;
    await endless.close({ cancel: true });
    expect((await run).count!.data[0]).toBe(7n);
  });

  it('a load waits as well, and its model comes', async () => {
    let loaded = false;
    const loading = SavedModel.load(fixture('counter')).then((model) => {
      loaded = true;
      return model;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(loaded).toBe(false);
    await endless.close({ cancel: true });
    await (await loading).close();
  });

  it('a run that stands still waits for nobody', () => {
    expect(counter.runSync({ by: 2 }).count!.data[0]).toBe(2n);
  });
});

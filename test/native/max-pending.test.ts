import { beforeAll, describe, expect, it } from 'vitest';
import { type SavedModel, Session, Tensor, tensorflow } from '../../lib/index.js';
import { startWorkers } from '../cluster/workers.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';

const FOREVER = { n: -1 };
const x = [[0, 1, 2, 3, 4, 5, 6, 7]];
const refused = (waiting: number, atWork: number) => ({
  code: 'RESOURCE_EXHAUSTED',
  message: expect.stringMatching(
    new RegExp(`${waiting} of its session wait .*\\(maxPending\\).* ${atWork} (is|are) at work.*Try again`),
  ),
});

beforeAll(() => tensorflow.open({ maxRunsInFlight: 2 }));

/** Takes all places, so that nothing begins (nor loads) until what is returned is called. */
async function blocked(): Promise<() => Promise<void>> {
  // Of one model the second would wait for the others' turns.
  const models = [await openFixture('endless'), await openFixture('endless')];
  const ended = models.map((model) => failure(model.run(FOREVER)));
  return async () => {
    await Promise.all(models.map((model) => model.close({ cancel: true })));
    await Promise.all(ended);
  };
}

const count = async (run: Promise<Record<string, Tensor>>) => Number((await run).count!.data[0]);

describe('maxPending', () => {
  it('refuses one more than may wait, and nothing of it happens', async () => {
    const model = await openFixture('counter', { maxPending: 2 });
    const unblock = await blocked();
    const kept = [1, 10].map((by) => count(model.run({ by })));
    expect(await failure(model.run({ by: 100 }))).toMatchObject(refused(2, 0));
    await unblock();
    expect((await Promise.all(kept)).sort((a, b) => a - b).at(-1)).toBe(11);
    expect(await count(model.run({}, { signature: 'read' }))).toBe(11);
  });

  it('counts neither those at work, nor those that can begin, however many are asked for at once', async () => {
    const model = await openFixture('endless', { maxPending: 1 });
    const runs = [1, 2, 3].map(() => failure(model.run(FOREVER)));
    expect(await failure(model.run(FOREVER))).toMatchObject(refused(1, 2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await failure(model.run(FOREVER))).toMatchObject(refused(1, 2));
    await model.close({ cancel: true });
    expect((await Promise.all(runs)).map(({ code }) => code)).toEqual(Array(3).fill('CANCELLED'));
  });

  it('goes with concurrency', async () => {
    const model = await openFixture('endless', { maxPending: 3, concurrency: 1 });
    const runs = [1, 2, 3, 4].map(() => failure(model.run(FOREVER)));
    expect(await failure(model.run(FOREVER))).toMatchObject(refused(3, 1));
    await model.close({ cancel: true });
    for (const { code } of await Promise.all(runs)) expect(code).toBe('CANCELLED');
  });

  it('is of each session: others have room, and what they wait for does not count', async () => {
    const [full, other] = [
      await openFixture('counter', { maxPending: 1 }),
      await openFixture('counter', { maxPending: 1 }),
    ];
    const unblock = await blocked();
    const first = count(full.run({ by: 1 }));
    expect(await failure(full.run({ by: 1 }))).toMatchObject(refused(1, 0));
    const second = count(other.run({ by: 2 }));
    expect(await failure(other.run({ by: 2 }))).toMatchObject(refused(1, 0));
    await unblock();
    expect([await first, await second]).toEqual([1, 2]);
  });

  it('is of each copy', async () => {
    const model = await openFixture('counter', { maxPending: 1, copies: 2 });
    const unblock = await blocked();
    const runs = [1, 2].map(() => count(model.run({ by: 1 })));
    expect(await failure(model.run({ by: 1 }))).toMatchObject(refused(1, 0));
    await unblock();
    expect(await Promise.all(runs)).toEqual([1, 1]);
  });

  it('has room again where a run that waits times out or is aborted', async () => {
    const model = await openFixture('counter', { maxPending: 1 });
    const unblock = await blocked();
    expect(await failure(model.run({ by: 1 }, { timeout: 10 }))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const controller = new AbortController();
    const aborted = model.run({ by: 1 }, { signal: controller.signal });
    expect(await failure(model.run({ by: 1 }))).toMatchObject(refused(1, 0));
    controller.abort('stop');
    await expect(aborted).rejects.toBe('stop');
    const kept = count(model.run({ by: 5 }));
    expect(await failure(model.run({ by: 1 }))).toMatchObject(refused(1, 0));
    await unblock();
    expect(await kept).toBe(5);
  });

  it('refuses before it copies inputs: memory that is lent stays free', async () => {
    const model = await openFixture('copies', { maxPending: 1 });
    const unblock = await blocked();
    const waits = model.run({ x: [1, 2] }, { signature: 'plus_one' });
    const lent = Tensor.allocate('float32', [2]);
    lent.data.set([3, 4]);
    expect(await failure(model.run({ x: lent }, { signature: 'plus_one' }))).toMatchObject(refused(1, 0));
    await lent.released;
    await unblock();
    expect([...(await waits).y!.data]).toEqual([2, 3]);
    expect([...(await model.run({ x: lent }, { signature: 'plus_one' })).y!.data]).toEqual([4, 5]);
  });

  it('does not concern runSync, nor a model that is closed', async () => {
    // TensorFlow's pool has two threads on two cores, in which runs without end may be at work for good.
    const model = await openFixture('counter', { maxPending: 1, executor: 'caller' });
    const unblock = await blocked();
    const waits = count(model.run({ by: 1 }));
    expect(Number(model.runSync({ by: 1 }).count!.data[0])).toBe(1);
    const closed = model.close();
    expect(await failure(model.run({ by: 1 }))).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await failure(model.session.run('x', {}))).toMatchObject({ code: 'FAILED_PRECONDITION' });
    await unblock();
    expect(await waits).toBe(2);
    await closed;
  });

  it('rejects the rows of a batch that is refused, each with that error, and runs none of them', async () => {
    const model = await openFixture('tf2-functions', { maxPending: 1 });
    const batcher = model.batcher({ maxBatchSize: 4 });
    await batcher.run({ x });
    const unblock = await blocked();
    const waits = model.run({ x });
    const rows = [1, 2, 3].map(() => failure(batcher.run({ x })));
    for (const error of await Promise.all(rows)) expect(error).toMatchObject(refused(1, 0));
    expect(batcher.stats).toMatchObject({ batches: 2, reruns: 0 });
    await unblock();
    await waits;
    expect((await batcher.run({ x })).y!.shape).toEqual([1, 4]);
  });

  it('is an option of Session.fromGraphDef, too', async () => {
    const graph = new URL('../fixtures/basic-pitch/none.pb', import.meta.url);
    const wrong = Session.fromGraphDef(graph, { maxPending: 0 });
    expect(await failure(wrong)).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('maxPending'),
    });
    expect(await failure(Session.fromGraphDef(graph, { maxPending: 1 }))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it.each([0, -1, 1.5, '2', Number.NaN])('of %s is an error', async (maxPending) => {
    expect(await failure(openFixture('counter', { maxPending: maxPending as number }))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('maxPending'),
    });
  });

  it('holds on a cluster, where runs are on threads of their own', async () => {
    const all = await startWorkers(1);
    const model: SavedModel = await openFixture('endless', {
      target: all.names[0]!,
      cluster: all.cluster,
      concurrency: 2,
      maxPending: 1,
    });
    const runs = [1, 2, 3].map(() => failure(model.run(FOREVER)));
    expect(await failure(model.run(FOREVER))).toMatchObject(refused(1, 2));
    await model.close({ cancel: true });
    for (const { code } of await Promise.all(runs)) expect(code).toBe('CANCELLED');
  });
});

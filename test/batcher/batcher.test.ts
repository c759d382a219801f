/** Single rows that go together: each caller gets what is his. */
import { describe, expect, it } from 'vitest';
import { type BatcherOptions, SavedModel, Tensor, tensorflow } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { attr, type Node, save, variable } from '../helpers/made-models.js';

const row = (i: number) => Float32Array.from({ length: 8 }, (_, k) => i + k / 8);

describe('a batcher', () => {
  it('gives 64 callers of one row what each alone would get, in few runs', async () => {
    const model = await openFixture('tf2-functions');
    const batcher = model.batcher({ maxBatchSize: 32 });
    const rows = Array.from({ length: 64 }, (_, i) => batcher.run({ x: row(i) }));
    for (const [i, result] of rows.entries()) {
      const { y } = await result;
      expect(y!.shape).toEqual([1, 4]);
      const alone = (await model.run({ x: row(i) })).y!.data as Float32Array;
      for (const [k, value] of alone.entries()) expect(y!.data[k]).toBeCloseTo(value, 4);
    }
    expect(batcher.stats).toEqual({ batches: 2, rows: 64, paddedRows: 0, reruns: 0 });
  });

  it('copies rows at the call, and gives memory of their own', async () => {
    const model = await openFixture('tf2-functions');
    const batcher = model.batcher();
    const x = row(1);
    const first = batcher.run({ x });
    x.set(row(2));
    const second = batcher.run({ x: Tensor.from(x, [1, 8]) });
    x.fill(0);
    const [a, b] = [(await first).y!.data as Float32Array, (await second).y!.data as Float32Array];
    expect(a).toEqual((await model.run({ x: row(1) })).y!.data);
    expect(b).toEqual((await model.run({ x: row(2) })).y!.data);
    expect(a.buffer).not.toBe(b.buffer);
    a.fill(7);
    expect(b).toEqual((await model.run({ x: row(2) })).y!.data);
  });

  it('takes several rows of one caller, and never more than the most', async () => {
    const batcher = (await openFixture('tf2-functions')).batcher({ maxBatchSize: 4 });
    const rows = (count: number) => ({ x: Tensor.from(new Float32Array(8 * count), [count, 8]) });
    const shapes = await Promise.all([3, 3, 1, 4].map((count) => batcher.run(rows(count))));
    expect(shapes.map(({ y }) => y!.shape)).toEqual([
      [3, 4],
      [3, 4],
      [1, 4],
      [4, 4],
    ]);
    expect(batcher.stats).toMatchObject({ batches: 3, rows: 11 });
    expect(await failure(batcher.run(rows(5)))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('from 1 to 4 rows'),
    });
    expect(await failure(batcher.run(rows(0)))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('fills batches up to an allowed size', async () => {
    const model = await openFixture('tf2-functions');
    const batcher = model.batcher({ allowedBatchSizes: [4, 8] });
    expect(batcher.options.maxBatchSize).toBe(8);
    const results = await Promise.all([1, 2, 3, 4, 5].map((i) => batcher.run({ x: row(i) })));
    for (const [i, { y }] of results.entries()) {
      const alone = (await model.run({ x: row(i + 1) })).y!.data as Float32Array;
      for (const [k, value] of alone.entries()) expect(y!.data[k]).toBeCloseTo(value, 4);
    }
    expect(batcher.stats).toMatchObject({ batches: 1, rows: 5, paddedRows: 3 });
  });

  it('keeps strings, and unequal scalars apart', async () => {
    const strings = (await openFixture('strings')).batcher({ signature: 'join' });
    const joined = await Promise.all(
      ['a', 'grün', ''].map((first, i) => strings.run({ first: [first], second: [String(i)] })),
    );
    const alone = await openFixture('strings');
    for (const [i, { text }] of joined.entries()) {
      const inputs = { first: [['a', 'grün', ''][i]!], second: [String(i)] };
      expect(text!.data).toEqual((await alone.run(inputs, { signature: 'join' })).text!.data);
    }
    expect(strings.stats.batches).toBe(1);

    const scale = (await openFixture('several-signatures')).batcher({ signature: 'scale' });
    const scaled = await Promise.all([1, 2, 1, 2, 3].map((by) => scale.run({ by, x: [[1, 2, 3]] })));
    const expected = await openFixture('several-signatures');
    for (const [i, by] of [1, 2, 1, 2, 3].entries()) {
      const run = await expected.run({ by, x: [[1, 2, 3]] }, { signature: 'scale' });
      expect(scaled[i]!.y!.data).toEqual(run.y!.data);
    }
    expect(scale.stats.batches).toBe(3);
  });

  it('keeps rows of unequal inner shape apart, or pads them with their first element', async () => {
    const text = await openFixture('tf1-variables');
    expect(text.batcher().options.padVariableLengthInputs).toBe(false);
    const model = await openFixture('errors-at-run');
    const apart = model.batcher({ signature: 'matmul' });
    const inner = async (size: number) => (await apart.run({ x: [Array(size).fill(1)] })).y!.shape;
    const sizes = await Promise.allSettled([1, 2, 3, 2].map(inner));
    // The model takes one inner size alone: only those rows fail that have another.
    expect(sizes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    expect(sizes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    const size = 1 + sizes.findIndex(({ status }) => status === 'fulfilled');
    const padded = model.batcher({ signature: 'matmul', padVariableLengthInputs: true });
    const [short, long] = await Promise.all([
      padded.run({ x: [Array(size - 1).fill(5)] }),
      padded.run({ x: [Array(size).fill(5)] }),
    ]);
    expect(padded.stats.batches).toBe(1);
    expect(short!.y!.data).toEqual(long!.y!.data);
  });

  it('runs a failed batch again, so that only those fail who are at fault', async () => {
    const batcher = (await openFixture('errors-at-run')).batcher({ signature: 'gather' });
    const ended = await Promise.all(
      [3, 4, 0, 99].map((index) =>
        batcher.run({ indices: [index] }).then(
          ({ y }) => y!.data[0],
          (error) => error.code,
        ),
      ),
    );
    expect(ended).toEqual([40, 'INVALID_ARGUMENT', 10, 'INVALID_ARGUMENT']);
    expect(batcher.stats).toMatchObject({ batches: 1, reruns: 4 });
  });

  it('runs none again of a signature that changes variables', async () => {
    // count += 1, and then x + count, or an error where x is no number.
    const type = { T: attr.type };
    const counter = variable('count');
    const nodes: Node[] = [
      { name: 'x', op: 'Placeholder', attr: { dtype: attr.type, shape: attr.shape(-1) } },
      { name: 'one', op: 'Const', attr: { dtype: attr.type, value: attr.tensor([], [1]) } },
      ...counter.filter(({ op }) => op !== 'ReadVariableOp'),
      { name: 'more', op: 'AssignAddVariableOp', input: ['count', 'one'], attr: { dtype: attr.type } },
      { name: 'read', op: 'ReadVariableOp', input: ['count', '^more'], attr: { dtype: attr.type } },
      {
        name: 'checked',
        op: 'CheckNumerics',
        input: ['x', '^more'],
        attr: { ...type, message: attr.text('no number') },
      },
      { name: 'y', op: 'AddV2', input: ['checked', 'read'], attr: type },
    ];
    await using model = await SavedModel.load(save(nodes, [-1], [-1]));
    const batcher = model.batcher({ maxBatchSize: 2, batchTimeoutMicros: 1_000_000 });
    const [before] = (await model.run({ x: Tensor.from(Float32Array.of(0)) })).y!.toNumbers();
    const rows = [1, Number.NaN].map((value) => batcher.run({ x: Tensor.from(Float32Array.of(value)) }));
    const ends = await Promise.allSettled(rows);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    // One run for both, and this one.
    const [after] = (await model.run({ x: Tensor.from(Float32Array.of(0)) })).y!.toNumbers();
    expect(after! - before!).toBeCloseTo(2, 5);
  });

  it('waits for others as long as it is told', async () => {
    const batcher = (await openFixture('tf2-functions')).batcher({
      batchTimeoutMicros: 200_000,
      maxBatchSize: 2,
    });
    const first = batcher.run({ x: row(1) });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(batcher.stats.batches).toBe(0);
    // The batch is full: it waits no longer.
    await Promise.all([first, batcher.run({ x: row(2) })]);
    expect(batcher.stats).toMatchObject({ batches: 1, rows: 2 });
    await batcher.run({ x: row(3) });
    expect(batcher.stats).toMatchObject({ batches: 2, rows: 3 });
  });

  it('takes out rows that are given up on before their batch begins', async () => {
    const batcher = (await openFixture('tf2-functions')).batcher({ batchTimeoutMicros: 100_000 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = batcher.run({ x: row(1) }, { signal: controller.signal });
    const late = batcher.run({ x: row(2) }, { timeout: 10 });
    const kept = batcher.run({ x: row(3) });
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(await failure(late)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await kept;
    expect(batcher.stats).toMatchObject({ batches: 1, rows: 1 });
    await expect(batcher.run({ x: row(1) }, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('leaves rows that are given up on later where they are: the others keep their answers', async () => {
    const model = await openFixture('tf2-functions');
    const endless = await openFixture('endless');
    const batcher = model.batcher();
    const shown = ({ y }: Record<string, Tensor>) =>
      Array.from(y!.data as Float32Array, (value) => value.toFixed(3));
    const alone = await Promise.all([2, 3].map(async (i) => shown(await model.run({ x: row(i) }))));
    await tensorflow.open({ maxRunsInFlight: 1 });
    const ended = failure(endless.run({ n: -1 }));
    const controller = new AbortController();
    const aborted = batcher.run({ x: row(1) }, { signal: controller.signal });
    const kept = [2, 3].map((i) => batcher.run({ x: row(i) }));
    while (batcher.stats.batches === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    await endless.close({ cancel: true });
    await ended;
    expect((await Promise.all(kept)).map(shown)).toEqual(alone);
    expect(batcher.stats).toMatchObject({ batches: 1, rows: 3 });
  });

  it('refuses rows where too many batches wait', async () => {
    const batcher = (await openFixture('tf2-functions')).batcher({ maxBatchSize: 1, maxEnqueuedBatches: 2 });
    const runs = Array.from({ length: 3 }, (_, i) => batcher.run({ x: row(i) }));
    expect(await failure(runs[2]!)).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('maxEnqueuedBatches'),
    });
    await Promise.all(runs.slice(0, 2));
    await batcher.run({ x: row(1) });
  });
});

describe('closing', () => {
  it('ends what waits first, then refuses', async () => {
    const model = await openFixture('tf2-functions');
    const batcher = model.batcher({ batchTimeoutMicros: 60_000_000, maxBatchSize: 2 });
    const runs = [1, 2, 3, 4, 5].map((i) => batcher.run({ x: row(i) }));
    await batcher.close();
    expect((await Promise.all(runs)).length).toBe(5);
    expect(await failure(batcher.run({ x: row(1) }))).toMatchObject({ code: 'FAILED_PRECONDITION' });
    await batcher.close();
  });

  it('of the model ends rows that wait, and refuses other runs meanwhile', async () => {
    const model = await openFixture('tf2-functions');
    const batcher = model.batcher({ batchTimeoutMicros: 60_000_000 });
    const waiting = batcher.run({ x: row(1) });
    const closed = model.close();
    expect(await failure(model.run({ x: row(1) }))).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect((await waiting).y!.shape).toEqual([1, 4]);
    await closed;
  });

  it('with cancel rejects what waits', async () => {
    const model = await openFixture('tf2-functions');
    const batcher = model.batcher({ batchTimeoutMicros: 60_000_000 });
    const waiting = failure(batcher.run({ x: row(1) }));
    await model.close({ cancel: true });
    expect(await waiting).toMatchObject({ code: 'CANCELLED' });
  });
});

describe('what cannot be batched', () => {
  it.each([
    ['counter', undefined, /no input with an open first dimension/],
    ['dims', undefined, /"(fixed|rank5|free)".*first dimension must be open/s],
    ['strings', 'upper', undefined],
    ['strings', 'length', /input "text" is string \[of any rank\]/],
    ['strings', 'greet', /no input/],
  ])('%s %s', async (name, signature, message) => {
    const model = await openFixture(name);
    if (message === undefined) expect(() => model.batcher({ signature })).not.toThrow();
    else expect(() => model.batcher({ signature })).toThrow(message);
  });

  it.each([
    [{ maxBatchSize: 0 }, 'maxBatchSize'],
    [{ batchTimeoutMicros: -1 }, 'batchTimeoutMicros'],
    [{ maxEnqueuedBatches: 1.5 }, 'maxEnqueuedBatches'],
    [{ allowedBatchSizes: [4, 2] }, 'allowedBatchSizes'],
    [{ allowedBatchSizes: [2, 4], maxBatchSize: 8 }, 'allowedBatchSizes'],
    [{ padVariableLengthInputs: 1 }, 'padVariableLengthInputs'],
    [{ maxBatchsize: 1 }, 'maxBatchSize'],
  ])('options %o', async (options, key) => {
    const wrong = { code: 'INVALID_OPTION', message: expect.stringContaining(key) };
    const model = await openFixture('tf2-functions');
    expect(() => model.batcher(options as BatcherOptions)).toThrow(expect.objectContaining(wrong));
    const load = openFixture('tf2-functions', { batcher: options as BatcherOptions });
    expect(await failure(load)).toMatchObject(wrong);
  });

  it('a model is loaded with are its defaults', async () => {
    const model = await openFixture('tf2-functions', { batcher: { maxBatchSize: 3, numBatchThreads: 2 } });
    expect(model.batcher({ maxBatchSize: 5 }).options).toMatchObject({ maxBatchSize: 5, numBatchThreads: 2 });
  });
});

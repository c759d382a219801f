/** Freezing as the built package does it: planned in a thread of its own, which ends with the load. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attr, both, type Node, save, variable } from '../helpers/made-models.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';

type Library = typeof import('../../lib/index.js');
const { SavedModel, TensorFlowError }: Library = await import(
  String(new URL('../../dist/index.js', import.meta.url))
);

const threads: Worker[] = [];
const note = (worker: Worker) => threads.push(worker);

beforeEach(() => {
  threads.length = 0;
  process.on('worker', note);
});
afterEach(() => {
  process.off('worker', note);
});

/** The error of a frozen load, of the class that users import. */
async function failure(folder: string): Promise<unknown> {
  const error = await SavedModel.load(folder, { freeze: true }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TensorFlowError);
  return error;
}

const MODEL = fixture('tf2-functions');
const x = [[1, 2, 3, 4, 5, 6, 7, 8]];

/** x -> MatMul -> Mul by channel -> y; the init op assigns the variables, so no checkpoint has their values. */
const product: Node[] = [
  { name: 'x', op: 'Placeholder', attr: { dtype: attr.type, shape: attr.shape(-1, 2) } },
  ...variable('filter', 2, 3),
  ...variable('scale', 3),
  { name: 'product', op: 'MatMul', input: ['x', 'filter/read'], attr: { T: attr.type } },
  { name: 'y', op: 'Mul', input: ['product', 'scale/read'], attr: { T: attr.type } },
  { name: 'z', op: 'Identity', input: ['y'], attr: { T: attr.type } },
];

describe('a frozen load', () => {
  it('plans in one thread, which is gone after it', async () => {
    await using plain = await SavedModel.load(MODEL);
    expect(threads).toEqual([]);
    await using frozen = await SavedModel.load(MODEL, { freeze: true });
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1]);
    expect((await frozen.run({ x })).y!.data).toEqual((await plain.run({ x })).y!.data);
  });

  it('asks a session for the values that no checkpoint has, and folds them', async () => {
    const { difference, types } = await both(
      save(product, [-1, 2], [-1, 3]),
      [[1, 2]],
      undefined,
      SavedModel,
    );
    expect(difference).toBeLessThan(1e-5);
    expect(types).not.toContain('ReadVariableOp');
    expect(types).not.toContain('Mul');
    expect(threads.length).toBe(1);
  });

  it('is checked against outputs of the model as saved', async () => {
    await using model = await SavedModel.load(MODEL, { freeze: { verify: { x } } });
    expect((await model.run({ x })).y!.shape[0]).toBe(1);
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1]);
  });

  it('goes beside others', async () => {
    const loads = Array.from({ length: 6 }, () => SavedModel.load(MODEL, { freeze: true, copies: 2 }));
    const models = await Promise.all(loads);
    const results = await Promise.all(models.map((model) => model.run({ x })));
    for (const { y } of results) expect(y!.data).toEqual(results[0]!.y!.data);
    await Promise.all(models.map((model) => model.close()));
    expect(threads.map(({ threadId }) => threadId)).toEqual(Array.from({ length: 12 }, () => -1));
  });

  it('says what is wrong with the checkpoint', async () => {
    const folder = join(await temporaryDirectory(), 'model');
    cpSync(MODEL, folder, { recursive: true });
    const data = join(folder, 'variables', 'variables.data-00000-of-00001');
    writeFileSync(
      data,
      readFileSync(data).map((byte) => ~byte),
    );
    const error = await failure(folder);
    expect(error).toMatchObject({ code: 'DATA_LOSS', message: expect.stringContaining(data) });
  });

  it('says so where the thread is ended', async () => {
    process.once('worker', (worker) => void worker.terminate());
    expect(await failure(MODEL)).toMatchObject({
      code: 'ABORTED',
      message: expect.stringContaining('without freeze'),
    });
  });
});

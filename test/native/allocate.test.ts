import { beforeAll, describe, expect, it } from 'vitest';
import { SavedModel, Tensor } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';

let model: SavedModel;
beforeAll(async () => {
  model = await SavedModel.load(fixture('copies'));
  return () => model.close();
});

/** Whether `released` has resolved by the end of this turn of the event loop. */
async function isReleased(tensor: Tensor): Promise<boolean> {
  let released = false;
  tensor.released.then(() => {
    released = true;
  });
  await new Promise(setImmediate);
  return released;
}

function counting(count: number): Tensor<'float32'> {
  const tensor = Tensor.allocate('float32', [count]);
  for (let i = 0; i < count; i++) tensor.data[i] = i;
  return tensor;
}

describe('Tensor.allocate', () => {
  it('gives zeros that can be written to and read', () => {
    const tensor = Tensor.allocate('int64', [2, 3]);
    expect(tensor).toMatchObject({ dtype: 'int64', shape: [2, 3], size: 6 });
    expect(tensor.data).toEqual(new BigInt64Array(6));
    expect(Tensor.allocate('complex64', [2]).data).toEqual(new Float32Array(4));
    expect(Tensor.allocate('float32', [0, 3]).data).toEqual(new Float32Array(0));
    expect(Tensor.allocate('bool', []).data).toEqual(new Uint8Array(1));
  });

  it.each([1, 5, 100_000])('feeds a run, again and again, %i values', async (count) => {
    const tensor = counting(count);
    for (let round = 0; round < 3; round++) {
      tensor.data[0] = round;
      const { y } = await model.run({ x: tensor }, { signature: 'plus_one' });
      await tensor.released;
      const { y: sync } = model.runSync({ x: tensor }, { signature: 'plus_one' });
      for (const { data, shape } of [y!, sync!]) {
        expect(shape).toEqual([count]);
        expect(tensor.data.findIndex((value, i) => data[i] !== value + 1)).toBe(-1);
      }
      expect(await isReleased(tensor)).toBe(true);
    }
  });

  it('feeds runs with no value', async () => {
    const tensor = Tensor.allocate('float32', [2, 0, 3]);
    const { y } = await model.run({ x: tensor }, { signature: 'identity' });
    expect(y!.shape).toEqual([2, 0, 3]);
    await tensor.released;
  });

  it('feeds several runs, and two inputs of one', async () => {
    const tensor = counting(1000);
    const runs = Array.from({ length: 8 }, () => model.run({ x: tensor }, { signature: 'plus_one' }));
    for (const { y } of await Promise.all(runs)) expect(y!.data[999]).toBe(1000);
    await tensor.released;
    const strings = await openFixture('several-signatures');
    const one = Tensor.allocate('float32', []);
    one.data[0] = 2;
    const [weighted, by] = await strings.session.run(['weighted', 'by'], {
      x: Tensor.from([[1, 1, 1]]),
      by: one,
    });
    expect(weighted!.data).toEqual(new Float32Array([1, 10, 100]));
    expect(by!.data).toEqual(new Float32Array([2]));
  });

  it('is in use while a run is in flight, and until the last one has ended', async () => {
    const endless = await openFixture('endless');
    const n = Tensor.allocate('int32', []);
    expect(await isReleased(n)).toBe(true);
    n.data[0] = -1;
    const runs = [endless.run({ n }), endless.run({ n })].map((run) => failure(run));
    expect(await isReleased(n)).toBe(false);
    const released = n.released;
    await endless.close({ cancel: true });
    for (const error of await Promise.all(runs)) expect(error.code).toBe('CANCELLED');
    await released;
    expect(await isReleased(n)).toBe(true);
  });

  it('is in use behind a run whose promise has timed out', async () => {
    const endless = await openFixture('endless');
    const n = Tensor.allocate('int32', []);
    n.data[0] = -1;
    expect((await failure(endless.run({ n }, { timeout: 20 }))).code).toBe('DEADLINE_EXCEEDED');
    expect(await isReleased(n)).toBe(false);
    const released = n.released;
    await endless.close({ cancel: true });
    await released;
  });

  it('is in use while a variable holds it', async () => {
    const first = counting(1000);
    await model.run({ x: first }, { signature: 'store' });
    expect(await isReleased(first)).toBe(false);
    const { y } = await model.run({}, { signature: 'load' });
    expect(y!.data).toEqual(first.data);
    const released = first.released;
    await model.run({ x: [1] }, { signature: 'store' });
    await released;
    expect(await isReleased(first)).toBe(true);
  });

  it('is let go of when the model is closed', async () => {
    const other = await openFixture('copies');
    const tensor = counting(1000);
    await other.run({ x: tensor }, { signature: 'store' });
    const released = tensor.released;
    expect(await isReleased(tensor)).toBe(false);
    await other.close();
    await released;
  });

  it('is let go of when the run fails', async () => {
    const failing = await openFixture('errors-at-run');
    const indices = Tensor.allocate('int32', [1]);
    indices.data[0] = 100;
    await failure(failing.run({ indices }, { signature: 'gather' }));
    await indices.released;
    await failure(() => failing.runSync({ indices }, { signature: 'gather' }));
    expect(await isReleased(indices)).toBe(true);
    await failure(failing.run({ indices: [indices] as never }, { signature: 'gather' }));
    expect(await isReleased(indices)).toBe(true);
  });

  it('refuses strings, handles and more than there is', async () => {
    for (const dtype of ['string', 'resource'] as const) {
      expect((await failure(() => Tensor.allocate(dtype, [1]))).code).toBe('UNIMPLEMENTED');
    }
    expect((await failure(() => Tensor.allocate('float32', [-1]))).code).toBe('INVALID_ARGUMENT');
    expect((await failure(() => Tensor.allocate('float64', [2 ** 45]))).code).toBe('RESOURCE_EXHAUSTED');
  });

  it('stays there for its run when its memory is moved away', async () => {
    const tensor = counting(100_000);
    const run = model.run({ x: tensor }, { signature: 'plus_one' });
    const moved = move(tensor.data as Float32Array);
    expect((await run).y!.data[99_999]).toBe(100_000);
    expect(moved[99_999]).toBe(99_999);
  });
});

/** Node 20 copies on a transfer of memory from outside of its heap; later ones refuse that, and can move it otherwise. */
function move(array: Float32Array): Float32Array {
  const buffer = array.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer };
  return buffer.transfer
    ? new Float32Array(buffer.transfer())
    : structuredClone(array, { transfer: [buffer] });
}

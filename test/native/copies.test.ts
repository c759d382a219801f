import { beforeAll, describe, expect, it } from 'vitest';
import { type ModelRunOptions, SavedModel, Tensor, type TensorLike } from '../../lib/index.js';
import { fixture } from '../saved-model/models.js';

const floats = (tensor: Tensor | undefined) => (tensor as Tensor<'float32'>).data;
/** Above this many bytes outputs are handed over rather than copied. */
const LARGE = 16_384;

describe.each(['copies', 'copies-functions'])('%s:', (name) => {
  let model: SavedModel;
  beforeAll(async () => {
    model = await SavedModel.load(fixture(name));
    return () => model.close();
  });

  const run = async (
    signature: string,
    inputs: Record<string, TensorLike> = {},
    options: ModelRunOptions = {},
  ) => floats((await model.run(inputs, { ...options, signature })).y);

  const kept =
    name === 'copies' ? ['variable', 'constant', 'ref_variable', 'load'] : ['variable', 'constant', 'load'];
  it.each(kept)('writing into the output %s does not reach the next run', async (signature) => {
    const first = await run(signature);
    const values = [...first];
    first.fill(42);
    const sync = floats(model.runSync({}, { signature }).y);
    expect([...sync]).toEqual(values);
    sync.fill(43);
    expect([...(await run(signature))]).toEqual(values);
    expect([...(await run(signature, {}, { outputs: 'copy' })).fill(44)]).not.toEqual(values);
    expect([...(await run(signature))]).toEqual(values);
  });

  const passed = name === 'copies' ? ['identity', 'reshape', 'input_as_output'] : ['identity', 'reshape'];
  describe.each(passed)('%s', (signature) => {
    it.each([8, LARGE])('has memory of its own, %i values', async (count) => {
      const shape = [count / 4, 4];
      const input = Float32Array.from({ length: count }, (_, i) => i);
      const output = await run(signature, { x: Tensor.from(input, shape) });
      expect(output).toEqual(input);
      output.fill(42);
      expect(input[3]).toBe(3);
      const borrowed = Tensor.allocate('float32', shape);
      borrowed.data.set(input);
      const second = await run(signature, { x: borrowed });
      second.fill(43);
      expect(borrowed.data).toEqual(input);
      borrowed.data.fill(44);
      expect(second.every((value) => value === 43)).toBe(true);
      expect(await run(signature, { x: Tensor.from(input, shape) })).toEqual(input);
    });
  });

  it.each([1, LARGE])(
    'one tensor under two keys gives memory of its own to both, %i values',
    async (count) => {
      const inputs = { x: Tensor.from(new Float32Array(count).fill(1), [count]) };
      for (const outputs of [undefined, 'copy'] as const) {
        const { a, b } = await model.run(inputs, { signature: 'twice', outputs });
        expect(floats(a)[0]).toBe(2);
        floats(a).fill(9);
        expect(floats(b)[count - 1]).toBe(2);
        expect(floats(a).buffer).not.toBe(floats(b).buffer);
      }
      const { a, b } = model.runSync(inputs, { signature: 'twice' });
      floats(b).fill(9);
      expect(floats(a)[0]).toBe(2);
    },
  );

  it.each([2, LARGE])('an input may be written to right after the call, %i values', async (count) => {
    const input = new Float32Array(count).fill(1);
    const runs = Array.from({ length: 10 }, (_, i) => {
      input.fill(i);
      return run('plus_one', { x: Tensor.from(input, [count]) });
    });
    input.fill(-1);
    for (const [i, output] of (await Promise.all(runs)).entries()) {
      expect(output.every((value) => value === i + 1)).toBe(true);
    }
  });

  it('an input whose memory is moved away right after the call is still there for the run', async () => {
    const input = new Float32Array(LARGE).fill(1);
    const output = run('plus_one', { x: Tensor.from(input) });
    structuredClone(input, { transfer: [input.buffer] });
    expect(input.length).toBe(0);
    expect((await output).every((value) => value === 2)).toBe(true);
  });

  it('what a variable was given is a copy, and what it gives too', async () => {
    const given = new Float32Array(LARGE).fill(5);
    await model.run({ x: given }, { signature: 'store' });
    given.fill(6);
    const first = await run('load');
    expect(first.every((value) => value === 5)).toBe(true);
    first.fill(7);
    expect((await run('load')).every((value) => value === 5)).toBe(true);
  });

  it("outputs: 'copy' gives ordinary buffers, which can be moved", async () => {
    for (const output of [
      await run('variable', {}, { outputs: 'copy' }),
      floats(model.runSync({}, { signature: 'variable', outputs: 'copy' }).y),
      await run('plus_one', { x: new Float32Array(LARGE) }, { outputs: 'copy' }),
    ]) {
      const wanted = [...output];
      const moved = structuredClone(output, { transfer: [output.buffer] });
      expect([...moved]).toEqual(wanted);
      expect(output.length).toBe(0);
    }
  });

  it("outputs: 'copy' may be the model's default", async () => {
    await using copying = await SavedModel.load(fixture(name), { outputs: 'copy' });
    for (const { y } of [
      await copying.run({ x: new Float32Array(LARGE) }, { signature: 'plus_one' }),
      await copying.run({ x: new Float32Array(LARGE) }, { signature: 'plus_one', outputs: ['y'] }),
    ]) {
      const output = floats(y);
      structuredClone(output, { transfer: [output.buffer] });
      expect(output.length).toBe(0);
    }
  });
});

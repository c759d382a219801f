import { beforeAll, describe, expect, it } from 'vitest';
import { type ModelRunOptions, SavedModel, Tensor, type TensorLike } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { fixtureJson, openFixture } from '../helpers/fixtures.js';
import { fromJson, type JsonTensor } from '../helpers/json-tensor.js';
import { fixture } from '../saved-model/models.js';

let model: SavedModel;
beforeAll(async () => {
  model = await SavedModel.load(fixture('several-signatures'));
  return () => model.close();
});

const X = { x: [[1, 2, 3]] };
/** The same error of both ways to run. */
async function refused(inputs: unknown, options: unknown = {}): Promise<string> {
  const args = [inputs as Record<string, TensorLike>, options as ModelRunOptions] as const;
  const error = await failure(model.run(...args));
  expect(error.code).toMatch(/^INVALID_/);
  expect((await failure(() => model.runSync(...args))).message).toBe(error.message);
  return error.message;
}

describe('signatures', () => {
  it('say what they take and give', () => {
    expect(Object.keys(model.signatures)).toEqual(['measure', 'scale', 'serving_default']);
    expect(model.signatures.scale).toMatchObject({
      inputs: {
        by: { name: 'by:0', dtype: 'float32', shape: [] },
        x: { name: 'x:0', dtype: 'float32', shape: [-1, 3] },
      },
      outputs: { y: { name: 'scaled:0', dtype: 'float32', shape: [-1, 3] } },
    });
    expect(model).toMatchObject({ directory: fixture('several-signatures'), tags: ['serve'] });
  });

  it('serving_default is the default, else the only one', async () => {
    expect((await model.run(X)).sum!.data).toEqual(new Float32Array([321]));
    const predicting = await openFixture('one-signature-other-name');
    expect((await predicting.run({ x: [1] })).y!.data).toEqual(new Float32Array([3]));
  });

  it('of a model with several and no default must be named', async () => {
    const strings = await openFixture('strings');
    const error = await failure(strings.run({ text: 'a' }));
    expect(error.message).toMatch(/no signature serving_default\. Name one of: greet, join, length/);
  });

  it('that are not there are refused with near names', async () => {
    expect(await refused(X, { signature: 'scales' })).toMatch(
      /no signature "scales"\. Did you mean "scale"\?/,
    );
    for (const signature of ['__proto__', 'toString', '__saved_model_init_op', '']) {
      expect(await refused(X, { signature })).toMatch(/no signature/);
    }
  });
});

describe('outputs', () => {
  it('may be chosen', async () => {
    for (const outputs of [['sum'], ['weighted', 'sum'], ['largest', 'largest']]) {
      const given = await model.run(X, { outputs });
      expect(Object.keys(given)).toEqual([...new Set(outputs)]);
      expect(Object.keys(model.runSync(X, { outputs }))).toEqual([...new Set(outputs)]);
      if (given.sum) expect(given.sum.data).toEqual(new Float32Array([321]));
    }
  });

  it('that are not there are refused with near names', async () => {
    expect(await refused(X, { outputs: ['sums'] })).toBe(
      'The signature "serving_default" has no output "sums". Did you mean "sum"? It has: largest, sum, weighted.',
    );
    expect(await refused(X, { outputs: [] })).toMatch(/outputs is empty/);
    expect(await refused(X, { outputs: 'sum' })).toMatch(/outputs must be an array of strings/);
    expect(await refused(X, { outputs: ['toString'] })).toMatch(/no output "toString"/);
  });
});

describe('inputs', () => {
  it('may be typed arrays, nested arrays, tensors and memory of TensorFlow', async () => {
    const allocated = Tensor.allocate('float32', [1, 3]);
    allocated.data.set([1, 2, 3]);
    for (const x of [new Float32Array([1, 2, 3]), [[1, 2, 3]], Tensor.from([[1, 2, 3]]), allocated]) {
      expect((await model.run({ x })).sum!.data).toEqual(new Float32Array([321]));
    }
    expect((await model.run({ ...X, by: 2 }, { signature: 'scale' })).y!.data).toEqual(
      new Float32Array([2, 40, 600]),
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['missing', {}, /The input "x" of signature "serving_default" is missing\. The signature takes: x\./],
    ['undefined', { x: undefined }, /takes float32 \[-1, 3\]\. It was given undefined\./],
    ['too many', { ...X, y: 1 }, /There is no input "y"\. Did you mean "x"\? The signature takes: x\./],
    ['misnamed', { X: [[1, 2, 3]] }, /There is no input "X"\. Did you mean "x"\? The signature takes: x\./],
    [
      'of another type',
      { x: Tensor.from([[1n, 2n, 3n]]) },
      /takes float32 \[-1, 3\]\. It was given int64 \[1, 3\]\./,
    ],
    [
      'of another shape',
      { x: Tensor.from([1, 2, 3]) },
      /takes float32 \[-1, 3\]\. It was given float32 \[3\]\./,
    ],
    [
      'another typed array',
      { x: new Float64Array(3) },
      /a Float64Array, where that type is held by a Float32Array/,
    ],
    ['of a size that does not go', { x: new Float32Array(4) }, /It was given 4 values\./],
    ['ragged', { x: [[1, 2, 3], [4]] }, /ragged/],
    ['words', { x: 'abc' }, /"abc" is no float32/],
    ['no object', null, /inputs must be an object/],
    ['inherited', Object.create(X), /is missing/],
  ])('%s are refused, with what the signature takes', async (_, inputs, message) => {
    expect(await refused(inputs)).toMatch(message);
  });

  it('are checked one by one in a signature of many', async () => {
    const dims = await openFixture('dims');
    const { cases } = fixtureJson<{ cases: { inputs: Record<string, JsonTensor> }[] }>('dims');
    const inputs = Object.fromEntries(
      Object.entries(cases[0]!.inputs).map(([key, json]) => [key, fromJson(json)]),
    );
    const wrong: Record<string, TensorLike> = {
      fixed: Tensor.from(new Float32Array(6), [3, 2]),
      scalar: [1],
      batch: Tensor.from(new Float32Array(6), [2, 3]),
      mixed: Tensor.from(new Float32Array(6), [6]),
      rank5: new Float32Array(7),
      free: Tensor.from(1, [], 'float64'),
      flag: 2,
      ids: [2n ** 63n],
      text: [1],
    };
    expect(Object.keys(wrong).sort()).toEqual(Object.keys(dims.signatures.serving_default!.inputs));
    await dims.run(inputs, { signature: 'serving_default' });
    for (const [key, value] of Object.entries(wrong)) {
      const error = await failure(dims.run({ ...inputs, [key]: value }, { signature: 'serving_default' }));
      expect(error.message).toContain(`The input "${key}" of signature "serving_default" takes `);
    }
  });
});

describe('an output that is its input', () => {
  it("gives the input's values back, in memory of their own", async () => {
    const copies = await openFixture('copies');
    const signature = 'input_as_output';
    const x = new Float32Array([1, 2]);
    for (const { y } of [await copies.run({ x }, { signature }), copies.runSync({ x }, { signature })]) {
      expect(y).toMatchObject({ dtype: 'float32', shape: [2] });
      expect(y!.data).toEqual(x);
      expect(y!.data).not.toBe(x);
      y!.data.fill(7 as never);
      expect([...x]).toEqual([1, 2]);
    }
    const [fed, plusOne] = await copies.session.run(['x', 'plus_one'], { 'x:0': [5] });
    expect([fed!.data[0], plusOne!.data[0]]).toEqual([5, 6]);
  });

  it('takes part in time limits, aborts and closing', async () => {
    const copies = await openFixture('copies');
    const run = (options: ModelRunOptions) =>
      copies.run({ x: [1] }, { signature: 'input_as_output', ...options });
    await expect(run({ signal: AbortSignal.abort('stop') })).rejects.toBe('stop');
    expect((await failure(run({ timeout: -1 }))).code).toBe('INVALID_OPTION');
    expect((await run({ timeout: 60_000 })).y!.data[0]).toBe(1);
    await copies.close();
    expect((await failure(run({}))).code).toBe('FAILED_PRECONDITION');
  });
});

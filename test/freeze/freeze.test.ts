/** Frozen models: the same outputs, without variables. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkBytes } from '../../lib/freeze/freeze.js';
import { checkOutputs, type FreezeOptions, largestDifference } from '../../lib/freeze/options.js';
import { Tensor } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { casesByTags, openFixture } from '../helpers/fixtures.js';
import { expectTensor, fromJson } from '../helpers/json-tensor.js';

const FIXTURES = readdirSync(new URL('../fixtures/', import.meta.url)).filter(
  (name) => !name.endsWith('.md') && !['endless', 'slow', 'wordpiece', 'basic-pitch'].includes(name),
);

const x = [[1, 2, 3, 4, 5, 6, 7, 8]];

describe.each(FIXTURES)('%s, frozen', (name) => {
  it('computes what Python does', async () => {
    for (const [tags, cases] of casesByTags(name)) {
      const model = await openFixture(name, { tags: tags.split(','), freeze: true }).catch((error) => error);
      if (model instanceof Error) {
        // What does not load frozen must not load otherwise either.
        expect((await failure(openFixture(name, { tags: tags.split(',') }))).message).toBe(model.message);
        continue;
      }
      for (const { signature, inputs, outputs } of cases) {
        if (outputs === undefined) continue;
        const given = Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
        const results = await model.run(given, { signature });
        for (const [key, json] of Object.entries(outputs))
          expectTensor(results[key]!, json, `${name}, ${signature}, ${key}`);
      }
    }
  });
});

describe('freeze', () => {
  const types = async (options: object, by: object = {}) => {
    const model = await openFixture('tf2-functions', options);
    const { ops } = await model.explain({ x }, by);
    return ops.filter(({ type }) => type === 'ReadVariableOp');
  };

  it('leaves no read of a variable', async () => {
    expect((await types({})).some(({ actual }) => actual !== null)).toBe(true);
    // The report has the ops of the model; frozen reads are constants that were folded into what takes them, or stand there.
    expect((await types({ freeze: true })).length).toBeGreaterThan(0);
  });

  it('goes with rules, exact placement and the device of a run', async () => {
    const expected = (await (await openFixture('tf2-functions')).run({ x })).y!.data;
    const config = { deviceCount: { CPU: 3 } };
    const placement = [{ type: 'MatMul', device: '/CPU:1' }];
    for (const exact of [false, true]) {
      const model = await openFixture('tf2-functions', { freeze: true, config, placement, exact });
      expect((await model.run({ x })).y!.data).toEqual(expected);
      expect((await model.run({ x }, { device: '/CPU:2' })).y!.data).toEqual(expected);
      const report = await model.explain({ x });
      const [product] = report.ops.filter(({ type }) => type === 'MatMul');
      expect(product!.actual).toMatch(/CPU:1$/);
    }
  });

  it('goes with copies, and runs that stand still', async () => {
    const model = await openFixture('tf2-functions', { freeze: true, copies: 2 });
    const expected = (await (await openFixture('tf2-functions')).run({ x })).y!.data;
    for (let i = 0; i < 4; i++) expect(model.runSync({ x }).y!.data).toEqual(expected);
  });

  it('leaves variables that a signature assigns', async () => {
    const model = await openFixture('counter', { freeze: true });
    const counts = [];
    for (let i = 0; i < 3; i++) counts.push((await model.run({ by: 2 })).count!.data[0]);
    expect(counts).toEqual([2n, 4n, 6n]);
    expect((await model.run({}, { signature: 'read' })).count!.data[0]).toBe(6n);
  });

  it('verifies when asked', async () => {
    const model = await openFixture('tf2-functions', { freeze: { verify: { x } } });
    expect((await model.run({ x })).y!.shape).toEqual([1, 4]);
    const wrong = await failure(openFixture('tf2-functions', { freeze: { verify: { z: x } } }));
    expect(wrong).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('"z"') });
  });

  it('says by how much outputs differ', () => {
    const tensor = (...values: number[]) => Tensor.from(Float32Array.from(values));
    expect(largestDifference(tensor(1, 100), tensor(1, 101))).toBeCloseTo(0.01);
    expect(largestDifference(tensor(1, Number.NaN), tensor(1, Number.NaN))).toBe(0);
    expect(largestDifference(tensor(1), tensor(Number.NaN))).toBe(Number.POSITIVE_INFINITY);
    expect(largestDifference(tensor(1, 2), tensor(1))).toBe(Number.POSITIVE_INFINITY);
    expect(largestDifference(Tensor.from(['a']), Tensor.from(['b']))).toBe(Number.POSITIVE_INFINITY);
    expect(() => checkOutputs({ y: tensor(1) }, { y: tensor(1.001) }, {})).toThrow(/"y".*differs/);
    expect(() => checkOutputs({ y: tensor(1) }, { y: tensor(1.001) }, { tolerance: 0.01 })).not.toThrow();
  });

  it('says why not above what a graph can hold', () => {
    expect(() => checkBytes(2 ** 31, 12)).toThrow(/12 variables are 2\.0 GiB.*without freeze/s);
    expect(() => checkBytes(2 ** 30, 12)).not.toThrow();
  });

  it.each([1, 'yes', { verfy: {} }, { tolerance: -1 }, { verify: 3 }, { signature: 1 }])(
    'of %o is an error',
    async (freeze) => {
      const load = openFixture('tf2-functions', { freeze: freeze as FreezeOptions });
      expect(await failure(load)).toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('freeze'),
      });
    },
  );
});

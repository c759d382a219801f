/** Every kind of rule on every kind of model: the values stay, and with `exact` each op runs where it was asked. */
import { describe, expect, it } from 'vitest';
import { type LoadOptions, type PlacementRule, SavedModel, Tensor } from '../../lib/index.js';
import { deviceMatches } from '../../lib/placement/device.js';
import { type Case, fixtureJson, openFixture } from '../helpers/fixtures.js';
import { expectTensor, fromJson } from '../helpers/json-tensor.js';
import { readNpy } from '../helpers/npy.js';

const FOUR = { deviceCount: { CPU: 4 } };
const MODELS = [
  'tf2-functions',
  'keras-nested',
  'chain',
  'assets-tables',
  'control-flow-v1',
  'control-flow-v2',
  'tf1-variables',
  'tf1-main-op',
  'saved-on-gpu',
  'saved-on-gpu-tf1',
];

/** Rules that name ops of the model, of each kind, from one report of it. */
async function rulesFor(name: string, options: LoadOptions): Promise<Record<string, PlacementRule[]>> {
  await using model = await SavedModel.load(...load(name, options));
  const { ops } = await model.explain(casesOf(name)[0]!.inputs);
  // Variables, and what works on them, stay together: they go as one group by themselves.
  const moved = ops.filter(({ type }) =>
    /^(MatMul|_?Fused.*|BiasAdd|AddV2|Add|Relu|Mul|Sub|Conv2D|Softmax)$/.test(type),
  );
  expect(moved.length, `${name} has ops to move`).toBeGreaterThan(0);
  const one = moved.find(({ actual }) => actual !== null) ?? moved[0]!;
  const scope = moved.find((op) => op.name.includes('/'))?.name.split('/')[0];
  return {
    'a name': [{ op: one.name, device: '/CPU:1' }],
    'a name with :0': [{ op: `${one.name}:0`, device: '/cpu:1' }],
    'a glob': [{ op: `**${one.name.slice(-3)}`, type: one.type, device: '/device:CPU:2' }],
    'a RegExp': [{ op: new RegExp(`${one.name.replace(/\W/g, '.')}$`), type: one.type, device: '/CPU:3' }],
    'a type': [{ type: one.type, device: '/CPU:1' }],
    'several types': [...new Set(moved.map(({ type }) => type))].map((type, i) => ({
      type,
      device: `/CPU:${i % 4}`,
    })),
    ...(scope === undefined
      ? {}
      : {
          'a scope': [{ scope, type: /^(MatMul|Relu|AddV2|BiasAdd|Mul|Conv2D|Softmax)$/, device: '/CPU:2' }],
        }),
    ...(one.function === ''
      ? {}
      : { 'a function': [{ function: one.function, type: one.type, device: '/CPU:3' }] }),
    'every op': [{ op: '**', device: '/CPU:1' }],
  };
}

interface Prepared {
  inputs: Record<string, Tensor>;
  signature: string;
  outputs: Case['outputs'];
}

function casesOf(name: string): Prepared[] {
  return fixtureJson<{ cases: Case[] }>(name)
    .cases.filter(({ error }) => error === undefined)
    .map(({ signature, inputs, outputs }) => ({
      signature,
      outputs,
      inputs: Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)])),
    }));
}

function load(name: string, options: LoadOptions): [URL, LoadOptions] {
  return [new URL(`../fixtures/${name}/saved_model`, import.meta.url), { config: FOUR, ...options }];
}

describe.each(MODELS)('the model %s', (name) => {
  // Its saved device is not here: forgotten, so that it can be exact.
  const saved: LoadOptions = name.startsWith('saved-on-gpu') ? { clearDevices: true } : {};

  it('gives the same values under rules of every kind, exact or not', async () => {
    for (const [kind, placement] of Object.entries(await rulesFor(name, saved))) {
      for (const exact of [false, true]) {
        const what = `${name}, ${kind}${exact ? ', exact' : ''}`;
        await using model = await SavedModel.load(...load(name, { ...saved, placement, exact }));
        for (const { inputs, outputs, signature } of casesOf(name)) {
          const given = await model.run(inputs, { signature });
          for (const [key, json] of Object.entries(outputs!))
            expectTensor(given[key]!, json, `${what}, ${key}`);
          const report = await model.explain(inputs, { signature });
          const asked = report.ops.filter(({ requested }) => requested !== '');
          expect(asked.length, what).toBeGreaterThan(0);
          if (!exact) continue;
          const elsewhere = asked.filter(
            ({ requested, actual }) => actual !== null && !deviceMatches(requested, actual),
          );
          expect(elsewhere, what).toEqual([]);
          expect(report.exact, what).toBe(true);
        }
      }
    }
  }, 120_000);
});

it('splits a model of the wild by rule, exactly, and gives the same values', async () => {
  const helper = new URL('../../scripts/models/basic-pitch.mjs', import.meta.url);
  const { basicPitch } = (await import(helper.href)) as { basicPitch(): Promise<string> };
  const folder = new URL('../fixtures/basic-pitch/', import.meta.url);
  const expected = fixtureJson<{ input: { key: string; file: string; divideBy: number; shape: number[] } }>(
    'basic-pitch',
  );
  const { key, file, divideBy, shape } = expected.input;
  const audio = Float32Array.from(readNpy(new URL(file, folder)).data, (sample) => sample / divideBy);
  const inputs = { [key]: Tensor.from(audio, shape) };
  await using plain = await SavedModel.load(await basicPitch(), { config: FOUR });
  const wanted = await plain.run(inputs);
  for (const placement of [
    [{ type: 'Conv2D', device: '/CPU:1' }],
    [
      { type: /Conv2D|BiasAdd/, device: '/CPU:2' },
      { type: 'Relu', device: '/CPU:3' },
    ],
  ]) {
    for (const exact of [false, true]) {
      await using model = await SavedModel.load(await basicPitch(), { config: FOUR, placement, exact });
      const given = await model.run(inputs);
      for (const [name, tensor] of Object.entries(wanted)) {
        const data = given[name]!.data as Float32Array;
        const worst = (tensor.data as Float32Array).reduce(
          (most, value, i) => Math.max(most, Math.abs(value - data[i]!)),
          0,
        );
        expect(worst, name).toBeLessThan(1e-5);
      }
      const report = await model.explain(inputs);
      const asked = report.ops.filter(({ requested, actual }) => requested !== '' && actual !== null);
      expect(asked.length).toBeGreaterThan(5);
      if (exact) {
        expect(asked.filter(({ requested, actual }) => !deviceMatches(requested, actual!))).toEqual([]);
        expect(report.exact).toBe(true);
        expect(report.transfers.length).toBeGreaterThan(0);
      }
    }
  }
}, 300_000);

it('alternates devices from run to run, each shown where it ran', async () => {
  const model = await openFixture('tf2-functions', { config: FOUR, devices: ['/CPU:1', '/CPU:2'] });
  const { inputs, outputs } = casesOf('tf2-functions')[0]!;
  for (let i = 0; i < 10; i++) {
    const device = i % 2 === 0 ? '/CPU:1' : '/CPU:2';
    expectTensor((await model.run(inputs, { device })).y!, outputs!.y!, device);
    const { ops } = await model.explain(inputs, { device });
    const ran = ops.filter(({ actual, type }) => actual !== null && type !== 'StatefulPartitionedCall');
    expect(ran.length).toBeGreaterThan(4);
    for (const { name, actual } of ran)
      expect(`${name} ${deviceMatches(device, actual!)}`).toBe(`${name} true`);
  }
});

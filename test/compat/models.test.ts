/** Models made by old TensorFlows, with rules and ConfigProto, on a library of any later version. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel, type Tensor } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { casesByTags } from '../helpers/fixtures.js';
import { expectTensor, fromJson } from '../helpers/json-tensor.js';
import { fixture } from '../saved-model/models.js';
import { isBefore, MODELS, VERSION } from './library.js';

const FOUR = { deviceCount: { CPU: 4 } };
const RULES = [
  { type: 'MatMul', device: '/CPU:1' },
  { op: '**/BiasAdd', device: '/CPU:2' },
];
const device = (index: number) => `/job:localhost/replica:0/task:0/device:CPU:${index}`;

const cases = (name: string) => casesByTags(name).get('serve')!;

function firstInputs(name: string): Record<string, Tensor> {
  const { inputs } = cases(name)[0]!;
  return Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
}

async function open(name: string, options?: LoadOptions): Promise<SavedModel> {
  const model = await SavedModel.load(fixture(name), options);
  onTestFinished(() => model.close());
  return model;
}

/** Every case gives what the library that made the model gave. */
async function expectValues(model: SavedModel, name: string, options: { device?: string } = {}) {
  for (const [i, { inputs, outputs }] of cases(name).entries()) {
    const feeds = Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
    const given = await model.run(feeds, options);
    for (const [key, json] of Object.entries(outputs!)) expectTensor(given[key]!, json, `case ${i}, ${key}`);
  }
}

describe.each(MODELS)(`on TensorFlow ${VERSION}, %s`, (name) => {
  it('loads as it is', async () => {
    await expectValues(await open(name), name);
  });

  it('loads with a ConfigProto', async () => {
    const model = await open(name, {
      config: { ...FOUR, allowSoftPlacement: true, intraOpParallelismThreads: 2 },
    });
    const devices = await model.session.devices();
    expect(devices.filter(({ type }) => type === 'CPU')).toHaveLength(4);
    await expectValues(model, name);
  });

  it('runs where rules say, or the report says why not', async () => {
    const model = await open(name, { config: FOUR, placement: RULES });
    await expectValues(model, name);
    const { ops, transfers } = await model.explain(firstInputs(name));
    const asked = ops.filter(({ requested }) => requested !== '');
    const ran = asked.filter(({ actual }) => actual !== null);
    expect(ran.length).toBeGreaterThan(1);
    for (const { name: op, requested, actual, reason } of ran) {
      const isHonoured = actual === device(Number(requested.at(-1)));
      expect(reason, op).toMatch(isHonoured ? /^(as requested$|fused into)/ : /^(fused into|folded)/);
    }
    expect(ran.some(({ actual }) => actual === device(1))).toBe(true);
    expect(transfers.length).toBeGreaterThan(0);
  });

  it('runs exactly where rules say with exact', async () => {
    const model = await open(name, { config: FOUR, placement: RULES, exact: true });
    await expectValues(model, name);
    const report = await model.explain(firstInputs(name));
    expect(report.exact).toBe(true);
    const asked = report.ops.filter(({ requested }) => requested !== '');
    const wrong = asked.filter(({ actual, requested }) => actual !== device(Number(requested.at(-1))));
    expect(wrong).toEqual([]);
    expect(asked.length).toBeGreaterThan(1);
  });

  it('runs on a device of the run', async () => {
    const model = await open(name, { config: FOUR });
    await expectValues(model, name, { device: '/CPU:2' });
    const { ops } = await model.explain(firstInputs(name), { device: '/CPU:2' });
    const ran = ops.filter(({ actual }) => actual !== null);
    expect(ran.length).toBeGreaterThan(3);
    expect(ran.filter(({ actual }) => actual !== device(2))).toEqual([]);
  });

  it('asked onto a device that is not there is an error, or reported with soft placement', async () => {
    const placement = [{ type: 'MatMul', device: '/GPU:7' }];
    const error = await failure(open(name, { placement }));
    expect(error.message).toContain('/GPU:7');
    const model = await open(name, { placement, config: { allowSoftPlacement: true } });
    await expectValues(model, name);
    const { ops } = await model.explain(firstInputs(name));
    const reasons = ops.filter(({ requested }) => requested !== '').map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(['no such device']));
  });
});

it('a model of a later TensorFlow loads, or the error says of which', async () => {
  const error = await open('tf2-functions').then(
    () => undefined,
    (reason: Error) => reason,
  );
  if (error === undefined) return;
  expect(isBefore('2.21')).toBe(true);
  expect(error.message).toContain('TensorFlow 2.21.0');
  expect(error.message).toContain(VERSION);
});

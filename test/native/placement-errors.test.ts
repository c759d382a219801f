/** Placements that cannot be: an error before the first run that names ops and ways out, or a reason in the report. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel, Session } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';

const FOUR = { deviceCount: { CPU: 4 } };
const SOFT = { ...FOUR, allowSoftPlacement: true };
const X8 = { x: [[0, 1, 2, 3, 4, 5, 6, 7]] };

const load = (name: string, options: LoadOptions) =>
  failure(SavedModel.load(fixture(name), { config: FOUR, ...options }));

describe('a device that the session does not have', () => {
  it.each([false, true])('is an error that names ops and devices; exact %s', async (exact) => {
    const error = await load('tf2-functions', { exact, placement: [{ type: 'MatMul', device: '/GPU:0' }] });
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/\/GPU:0/);
    expect(error.message).toContain('MatMul');
    expect(error.message).toMatch(/__inference_/);
    expect(error.message).toContain('/CPU:0, /CPU:1, /CPU:2, /CPU:3');
    expect(error.op).toMatch(/MatMul/);
  });

  it('is reported under soft placement, op for op', async () => {
    const model = await openFixture('tf2-functions', {
      config: SOFT,
      placement: [{ type: 'MatMul', device: '/GPU:0' }],
    });
    const report = await model.explain(X8);
    const asked = report.ops.filter(({ requested }) => requested === '/GPU:0');
    expect(asked).not.toEqual([]);
    for (const { reason, actual } of asked) {
      expect(reason).toMatch(actual === null ? /not run/ : /no such device/);
    }
    expect(asked.some(({ actual }) => actual?.endsWith('/device:CPU:0'))).toBe(true);
    expect(report.exact).toBe(false);
  });

  it('is an error of a run, and the model runs on', async () => {
    const model = await openFixture('tf2-functions', { config: FOUR });
    const { y } = await model.run(X8);
    const error = await failure(model.run(X8, { device: '/GPU:0' }));
    expect(error.message).toMatch(/no device "\/GPU:0".*\/CPU:3/s);
    expect((await failure(model.run(X8, { device: '/CPU:7' }))).message).toMatch(/no device "\/CPU:7"/);
    expect((await model.run(X8, { device: '/CPU:3' })).y!.data).toEqual(y!.data);
  });
});

describe('exact', () => {
  it('contradicts soft placement, and says so', async () => {
    const error = await load('tf2-functions', { config: SOFT, exact: true });
    expect(error.code).toBe('INVALID_OPTION');
    expect(error.message).toMatch(/exact.*allowSoftPlacement/);
  });

  it('names ops that rules tear apart from what they are tied to, and ignoreColocation unties them', async () => {
    const placement = [
      { op: 'a', device: '/CPU:1' },
      { op: 'b', device: '/CPU:2' },
    ];
    const error = await load('colocated', { exact: true, placement });
    expect(error.message).toMatch(/\ba on \/CPU:1/);
    expect(error.message).toMatch(/\bb on \/CPU:2/);
    expect(error.message).toContain('ignoreColocation');
    const model = await openFixture('colocated', {
      config: FOUR,
      exact: true,
      placement,
      ignoreColocation: true,
    });
    const { ops, exact } = await model.explain({ x: [[1, 2, 3]] });
    const at = (name: string) => ops.find((op) => op.name === name && op.function === '')!.actual;
    expect(at('a')).toMatch(/CPU:1$/);
    expect(at('b')).toMatch(/CPU:2$/);
    expect(exact).toBe(true);
  });

  it('names an op that is asked away from its variable, and the rule that mends it', async () => {
    const error = await load('tf2-functions', {
      exact: true,
      placement: [{ function: '__inference_**', type: 'ReadVariableOp', device: '/CPU:1' }],
    });
    expect(error.message).toMatch(/ReadVariableOp/);
    expect(error.message).toMatch(/kernel_0|bias_0/);
    await openFixture('tf2-functions', {
      config: FOUR,
      exact: true,
      placement: [{ type: /^(ReadVariableOp|VarHandleOp)$/, device: '/CPU:1' }],
    });
  });

  it('without it, the report says why an op was moved', async () => {
    const tied = await openFixture('colocated', {
      config: SOFT,
      placement: [
        { op: 'a', device: '/CPU:1' },
        { op: 'b', device: '/CPU:2' },
      ],
    });
    const report = await tied.explain({ x: [[1, 2, 3]] });
    expect(report.exact).toBe(false);
    expect(report.ops.filter(({ reason }) => reason.startsWith('colocated with '))).not.toEqual([]);
    const away = await openFixture('tf2-functions', {
      config: FOUR,
      placement: [{ function: '__inference_**', type: 'ReadVariableOp', device: '/CPU:1' }],
    });
    const { ops } = await away.explain(X8);
    expect(ops.filter(({ reason }) => reason.startsWith('resource of '))).not.toEqual([]);
  });

  it('without it, the report says what was fused into what', async () => {
    const model = await openFixture('chain', {
      config: FOUR,
      placement: [
        { type: 'MatMul', device: '/CPU:1' },
        { type: 'BiasAdd', device: '/CPU:2' },
        { type: 'Relu', device: '/CPU:3' },
      ],
    });
    const { ops, exact } = await model.explain({ x: [Array(16).fill(0.5)] });
    expect(exact).toBe(false);
    expect(ops.filter(({ reason }) => reason.startsWith('fused into '))).not.toEqual([]);
  });
});

describe.each(['saved-on-gpu', 'saved-on-gpu-tf1'])(
  '%s, a model saved on a device that is not here',
  (name) => {
    const x = { x: [[1, 2, 3, 4]] };

    it.each<[string, LoadOptions]>([
      ['loaded as it is', {}],
      [
        'loaded with rules for other ops',
        { placement: [{ type: 'Identity', device: '/CPU:1', optional: true }] },
      ],
      ['loaded with exact', { exact: true }],
    ])('%s, fails with ops and remedies', async (_, options) => {
      const error = await load(name, options);
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('GPU:0');
      expect(error.message).toMatch(/MatMul|kernel/);
      expect(error.message).toContain('clearDevices');
    });

    it('runs with allowSoftPlacement, with clearDevices, and with rules for those ops; the values are the same', async () => {
      const values: unknown[] = [];
      for (const options of [{ config: SOFT }, { clearDevices: true }] satisfies LoadOptions[]) {
        const model = await openFixture(name, { config: FOUR, ...options });
        values.push((await model.run(x)).y!.data);
      }
      expect(values[0]).toEqual(values[1]);
    });
  },
);

describe('rules', () => {
  it.each<[string, unknown, RegExp]>([
    ['no array', { op: 'a' }, /placement must be an array/],
    ['a wrong key', [{ ops: 'a', device: '/CPU:0' }], /placement\[0\] has no key "ops".*"op"/],
    ['no device', [{ op: 'a' }], /placement\[0\] says no device/],
    ['no op', [{ device: '/CPU:0' }], /placement\[0\] says no op/],
    ['a malformed device', [{ op: 'a', device: 'CPU:1' }], /placement\[0\]\.device.*"\/CPU:1"/],
    ['a bad regular expression', [{ op: { regex: '(' }, device: '/CPU:0' }], /placement\[0\]\.op\.regex/],
  ])('with %s are refused before the library is asked', async (_, placement, message) => {
    const error = await load('tf2-functions', { placement: placement as never });
    expect(error.code).toBe('INVALID_OPTION');
    expect(error.message).toMatch(message);
  });

  it('that match nothing are an error with the near names, unless they are optional', async () => {
    const placement = [
      { op: 'kernel_O', device: '/CPU:1' },
      { type: 'Matmul', device: '/CPU:1' },
    ];
    const error = await load('tf2-functions', { placement });
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/kernel_O.*kernel_/s);
    expect(error.message).toMatch(/Matmul.*MatMul/s);
    await openFixture('tf2-functions', {
      config: FOUR,
      placement: placement.map((rule) => ({ ...rule, optional: true })),
    });
  });
});

describe('Session.fromGraphDef', () => {
  it('refuses what is no graph, and what is not there', async () => {
    expect((await failure(Session.fromGraphDef(Uint8Array.of(10, 200, 1, 2, 3)))).code).toBe('DATA_LOSS');
    expect((await failure(Session.fromGraphDef('/no/such/graph.pb'))).code).toBe('NOT_FOUND');
    expect((await failure(Session.fromGraphDef(5 as never))).code).toBe('INVALID_OPTION');
  });
});

it('a folder as a file:// string is placed as any other', async () => {
  const model = await SavedModel.load(`file://${fixture('tf2-functions')}`, {
    config: FOUR,
    placement: [{ type: 'MatMul', device: '/CPU:1' }],
  });
  onTestFinished(() => model.close());
  expect((await model.run(X8)).y!.shape).toEqual([1, 4]);
});

describe('a model in text form', () => {
  const TEXT = `saved_model_schema_version: 1
meta_graphs {
  meta_info_def { tags: "serve" }
  graph_def {
    versions { producer: 27 }
    node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { unknown_rank: true } } } }
    node { name: "y" op: "Neg" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
  }
  signature_def {
    key: "serving_default"
    value {
      inputs { key: "x" value { name: "x:0" dtype: DT_FLOAT tensor_shape { unknown_rank: true } } }
      outputs { key: "y" value { name: "y:0" dtype: DT_FLOAT tensor_shape { unknown_rank: true } } }
    }
  }
}`;

  it('is loaded by TensorFlow, and cannot be placed, which is said', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tf-session-text-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'saved_model.pbtxt'), TEXT);
    await using model = await SavedModel.load(folder);
    expect([...((await model.run({ x: [1, 2] })).y!.data as Float32Array)]).toEqual([-1, -2]);
    const error = await failure(SavedModel.load(folder, { placement: [{ op: 'y', device: '/CPU:0' }] }));
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toMatch(/saved_model\.pbtxt/);
  });
});

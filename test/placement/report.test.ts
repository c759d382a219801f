/** The placement report, of runs on four CPU devices. */
import { describe, expect, it } from 'vitest';
import type { LoadOptions } from '../../lib/index.js';
import type { PlacedOp, PlacementReport } from '../../lib/placement/report/report.js';
import { openFixture } from '../helpers/fixtures.js';
import { body, call, condition, load, op } from './report-graphs.js';

const CPU = (i: number) => `/job:localhost/replica:0/task:0/device:CPU:${i}`;
const config = { deviceCount: { CPU: 4 } };
const ROW = { x: [[1, 2, 3, 4, 5, 6, 7, 8]] };
const SQUARE = { x: [[1, 2], [3, 4]], flag: true }; // biome-ignore format: a matrix

/** One op by its name, with the functions that it stands in. */
function find(report: PlacementReport, name: string, scope = /^/): PlacedOp {
  const found = report.ops.filter((each) => each.name === name && scope.test(each.function));
  expect(found, name).toHaveLength(1);
  return found[0]!;
}

function outcome(report: PlacementReport, name: string, scope?: RegExp) {
  const { actual, reason } = find(report, name, scope);
  return [actual, reason];
}

/** Ops of the same name in the bodies that ran. */
function outcomes(report: PlacementReport, name: string) {
  return report.ops
    .filter((each) => each.name === name && each.reason !== 'not run')
    .map(({ actual, reason }) => [actual, reason]);
}

async function explain(name: string, options: LoadOptions, inputs: object, signature?: string) {
  const model = await openFixture(name, { config, ...options });
  return model.explain(inputs as never, { signature });
}

const LAYERS = [
  { op: '**/MatMul', device: '/CPU:1' },
  { type: 'BiasAdd', device: '/CPU:2' },
  { type: 'Relu', device: '/CPU:3' },
];

describe('ops in functions', () => {
  it('that TensorFlow inlined and fused are reported under their own names', async () => {
    const report = await explain('tf2-functions', { placement: LAYERS }, ROW);
    expect(outcomes(report, 'MatMul')).toEqual([
      [CPU(1), 'as requested'],
      [CPU(1), 'as requested'],
    ]);
    expect(outcomes(report, 'BiasAdd')).toEqual([
      [CPU(1), 'fused into MatMul'],
      [CPU(1), 'fused into MatMul'],
    ]);
    expect(outcomes(report, 'encoder/Relu')).toEqual([[CPU(3), 'as requested']]);
    expect(outcomes(report, 'head/Softmax')).toEqual([[CPU(0), 'default']]);
    expect(outcomes(report, 'NoOp').every(([actual, reason]) => actual === null && reason === 'folded')).toBe(
      true,
    );
    expect(report.exact).toBe(false);
  });

  it('that were called, with exact, ran where they were asked', async () => {
    const report = await explain('tf2-functions', { placement: LAYERS, exact: true }, ROW);
    expect(outcomes(report, 'MatMul')).toEqual([
      [CPU(1), 'as requested'],
      [CPU(1), 'as requested'],
    ]);
    expect(outcomes(report, 'BiasAdd')).toEqual([
      [CPU(2), 'as requested'],
      [CPU(2), 'as requested'],
    ]);
    expect(outcomes(report, 'encoder/Relu')).toEqual([[CPU(3), 'as requested']]);
    // Six bodies of equal names ran: each has its own.
    expect(outcomes(report, 'Identity')).toHaveLength(6);
    expect(outcomes(report, 'Identity').every(([actual]) => actual === CPU(0))).toBe(true);
    expect(report.exact).toBe(true);
  });

  it('that a fused kernel took along are named after the one that is left', async () => {
    const placement = [{ op: '**', device: '/CPU:2' }];
    const report = await explain('tf2-functions', { placement }, ROW);
    expect(outcomes(report, 'MatMul')[0]).toEqual([CPU(2), 'fused into BiasAdd']);
    expect(outcomes(report, 'BiasAdd')[0]).toEqual([CPU(2), 'as requested']);
    expect(report.exact).toBe(true);
  });

  it('of a loop, however TensorFlow names its rounds', async () => {
    const placement = [
      { type: 'MatMul', device: '/CPU:1' },
      { op: '**', device: '/CPU:2' },
    ];
    for (const exact of [false, true]) {
      const report = await explain('slow', { placement, exact }, { n: 4, k: 3 });
      expect(outcome(report, 'while/MatMul')).toEqual([CPU(1), 'as requested']);
      expect(outcome(report, 'while/add')).toEqual([CPU(2), 'as requested']);
      expect(outcome(report, 'while/Less')).toEqual([CPU(2), 'as requested']);
      expect(outcome(report, 'while')).toEqual([CPU(2), 'as requested']);
      expect(report.exact).toBe(true);
      // Three products of 4 x 4, each sent back.
      expect(report.transfers).toContainEqual({
        tensor: 'while/MatMul:0',
        from: CPU(1),
        to: CPU(2),
        bytes: 192,
      });
    }
  });

  it('of a loop without rounds did not run', async () => {
    const report = await explain(
      'slow',
      { placement: [{ type: 'MatMul', device: '/CPU:1' }] },
      { n: 4, k: 0 },
    );
    expect(outcome(report, 'while/MatMul')).toEqual([null, 'not run']);
    expect(outcome(report, 'while/Less')).toEqual([CPU(0), 'default']);
    expect(report.exact).toBe(true);
  });

  it('of a branch that was not taken, and of other signatures, did not run', async () => {
    const placement = [{ type: 'Log', device: '/CPU:1' }];
    const report = await explain('errors-at-run', { placement }, { x: [1, 2] }, 'assert');
    expect(report.ops.filter(({ type }) => type === 'Assert').map(({ reason }) => reason)).toEqual([
      'not run',
    ]);
    expect(outcome(report, 'log_of_x')).toEqual([CPU(1), 'as requested']);
    expect(outcome(report, 'pick_row')).toEqual([null, 'not run']);
    expect(outcome(report, 'assert_x')).toEqual([null, 'not run']);
  });
});

describe('bodies that look the same', () => {
  const nodes = [call('left', 'f', 'x'), call('right', 'g', 'x'), op('y', 'AddV2', 'left', 'right')];
  const product = () => [op('product', 'MatMul', 'x', 'x')];
  const functions = [body('f', product(), 'product:product:0'), body('g', product(), 'product:product:0')];
  const placement = [
    { function: 'f', type: 'MatMul', device: '/CPU:1' },
    { function: 'g', type: 'MatMul', device: '/CPU:2' },
  ];

  it.each([false, true])('are told apart, exact %s', async (exact) => {
    const model = await load(nodes, functions, { config, placement, exact });
    const report = await model.explain(SQUARE);
    expect(outcome(report, 'product', /^f$/)).toEqual([CPU(1), 'as requested']);
    expect(outcome(report, 'product', /^g$/)).toEqual([CPU(2), 'as requested']);
    expect(report.exact).toBe(true);
  });

  it.each([false, true])('as the main graph, in a name of three readings, exact %s', async (exact) => {
    const same = [call('a/a', 'f', 'x'), op('a', 'MatMul', 'a/a', 'x'), op('y', 'Identity', 'a')];
    const own = [body('f', [op('a', 'MatMul', 'x', 'x')], 'a:product:0')];
    const rules = [
      { function: 'f', op: 'a', device: '/CPU:1' },
      { op: 'a', device: '/CPU:2' },
    ];
    const model = await load(same, own, { config, placement: rules, exact });
    const report = await model.explain(SQUARE);
    expect(outcome(report, 'a', /^f$/)).toEqual([CPU(1), 'as requested']);
    expect(outcome(report, 'a', /^$/)).toEqual([CPU(2), 'as requested']);
  });

  it('of one function called twice: the first device that was not asked for', async () => {
    const twice = [call('left', 'f', 'x'), call('right', 'f', 'left'), op('y', 'Identity', 'right')];
    const rules = [
      { op: 'left', device: '/CPU:1' },
      { op: 'right', device: '/CPU:2' },
    ];
    const model = await load(twice, functions.slice(0, 1), { config, placement: rules, exact: true });
    const report = await model.explain(SQUARE);
    expect([CPU(1), CPU(2)]).toContain(find(report, 'product').actual);
    expect(find(report, 'product').reason).toBe('default');
  });

  it('a condition that stays one op runs one of its branches, on its own device', async () => {
    const branching = [condition('choice', ['f', 'g'], 'flag', 'x'), op('y', 'Identity', 'choice')];
    const rules = [...placement, { op: 'choice', device: '/CPU:2' }];
    // Arguments of other names tell the branches apart.
    const other = body('g', [op('product', 'MatMul', 'z', 'z')], 'product:product:0', 'z');
    const model = await load(branching, [functions[0]!, other], { config, placement: rules });
    const taken = await model.explain(SQUARE);
    expect(outcome(taken, 'product', /^f$/)).toEqual([CPU(2), 'colocated with choice']);
    expect(outcome(taken, 'product', /^g$/)).toEqual([null, 'not run']);
    expect(taken.exact).toBe(false);
    const second = await model.explain({ ...SQUARE, flag: false });
    expect(outcome(second, 'product', /^f$/)).toEqual([null, 'not run']);
    expect(outcome(second, 'product', /^g$/)).toEqual([CPU(2), 'as requested']);
    expect(second.exact).toBe(true);
  });
});

describe('reasons', () => {
  it('a resource is where it is', async () => {
    const placement = [
      { type: 'HashTableV2', device: '/CPU:1' },
      { type: 'LookupTableFindV2', device: '/CPU:2' },
    ];
    const report = await explain('assets-tables', { placement }, { tokens: ['fox'] });
    const find = report.ops.filter(({ type, actual }) => type === 'LookupTableFindV2' && actual !== null);
    expect(find.map(({ actual, reason }) => [actual, reason])).toEqual([
      [CPU(1), expect.stringMatching(/^resource of hash_table/)],
    ]);
    expect(report.exact).toBe(false);
  });

  it('soft placement moves what has no such device', async () => {
    const placement = [{ type: 'MatMul', device: '/GPU:0' }];
    const options = { placement, config: { ...config, allowSoftPlacement: true } };
    const report = await explain('tf2-functions', options, ROW);
    expect(outcomes(report, 'MatMul')[0]).toEqual([CPU(0), 'no such device']);
    expect(report.exact).toBe(false);
  });

  it("a run's own device is a request", async () => {
    const model = await openFixture('tf2-functions', { config });
    const report = await model.explain(ROW as never, { device: '/CPU:3' });
    expect(find(report, 'encoder/Relu', /encoder_34/)).toMatchObject({
      requested: '/CPU:3',
      actual: CPU(3),
      reason: 'as requested',
    });
    expect(find(report, 'kernel_0')).toMatchObject({ actual: CPU(3) });
    expect(report.exact).toBe(true);
  });

  it('ops that save, restore and initialise are not listed', async () => {
    const report = await explain(
      'tf1-variables',
      { placement: [{ type: 'MatMul', device: '/CPU:1' }] },
      { x: [[1, 2, 3]] },
    );
    expect(report.ops.map(({ type }) => type)).not.toContain('SaveV2');
    expect(report.ops.map(({ type }) => type)).not.toContain('RestoreV2');
    expect(outcome(report, 'MatMul')).toEqual([CPU(1), 'fused into add']);
  });
});

describe('transfers', () => {
  const variables = [
    ['kernel_0', 512],
    ['kernel_1', 256],
    ['bias_0', 64],
    ['bias_1', 16],
  ] as const;

  it.each([false, true])('name the variables behind what crosses, exact %s', async (exact) => {
    const report = await explain('tf2-functions', { placement: LAYERS, exact }, ROW);
    for (const [variable, bytes] of variables) {
      const found = report.transfers.filter((each) => each.variable === variable);
      expect(
        found.map((each) => [each.from, each.bytes]),
        variable,
      ).toEqual([[CPU(0), bytes]]);
    }
    const sizes = report.transfers.map(({ bytes }) => bytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(report.transfers).toContainEqual({
      tensor: 'encoder/Relu:0',
      from: CPU(3),
      to: CPU(0),
      bytes: 64,
    });
  });

  it('name what was fed, and variables of the first kind', async () => {
    const report = await explain(
      'tf1-variables',
      { placement: [{ type: 'MatMul', device: '/CPU:1' }] },
      { x: [[1, 2, 3]] },
    );
    expect(report.transfers).toEqual([
      { tensor: 'kernel/read:0', variable: 'kernel', from: CPU(0), to: CPU(1), bytes: 24 },
      { tensor: 'x:0', from: CPU(0), to: CPU(1), bytes: 12 },
      expect.objectContaining({ bytes: 8 }),
      expect.objectContaining({ bytes: 8 }),
    ]);
  });

  it('are none on one device', async () => {
    const report = await explain('tf2-functions', {}, ROW);
    expect(report.transfers).toEqual([]);
    expect(report.exact).toBe(true);
  });
});

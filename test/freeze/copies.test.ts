/** Functions that are called with different variables: each call gets a copy with constants of its own. */
import { describe, expect, it } from 'vitest';
import { decodeRunMetadata, SavedModel, Tensor } from '../../lib/index.js';
import { attr, both, config, FLOAT, inlining, type Node, save, variable } from '../helpers/made-models.js';

const RESOURCE = 20;
const INT = 3;
const x = Tensor.from(Float32Array.of(1, 2, 3), [3]);
const types = (...type: number[]) => ({ value: { case: 'list', value: { type } } });
const func = (name: string) => ({ value: { case: 'func', value: { name } } });

/** (x, v) -> x * v. */
const times = (name: string) => ({
  signature: {
    name,
    inputArg: [
      { name: 'x', type: FLOAT },
      { name: 'v', type: RESOURCE },
    ],
    outputArg: [{ name: 'r', type: FLOAT }],
    isStateful: true,
  },
  nodeDef: [
    { name: 'read', op: 'ReadVariableOp', input: ['v'], attr: { dtype: attr.type } },
    { name: 'product', op: 'Mul', input: ['x', 'read:value:0'], attr: { T: attr.type } },
  ],
  ret: { r: 'product:z:0' },
});

/** (x, v, w) -> times(times(x, v), w). */
const twice = {
  signature: {
    name: 'twice',
    inputArg: [
      { name: 'x', type: FLOAT },
      { name: 'v', type: RESOURCE },
      { name: 'w', type: RESOURCE },
    ],
    outputArg: [{ name: 'r', type: FLOAT }],
    isStateful: true,
  },
  nodeDef: [call('one', ['x', 'v'], 'times'), call('two', ['one:output:0', 'w'], 'times')],
  ret: { r: 'two:output:0' },
};

function call(name: string, input: string[], of: string): Node {
  const handles = input.length - 1;
  const Tin = types(FLOAT, ...Array.from({ length: handles }, () => RESOURCE));
  return { name, op: 'StatefulPartitionedCall', input, attr: { Tin, Tout: types(FLOAT), f: func(of) } };
}

function model(calls: Node[], functions: object[], last: string): string {
  const nodes: Node[] = [
    { name: 'x', op: 'Placeholder', attr: { dtype: attr.type, shape: attr.shape(-1) } },
    ...['a', 'b', 'c'].flatMap((name) => variable(name)),
    ...calls,
    { name: 'y', op: 'Identity', input: [last], attr: { T: attr.type } },
  ];
  return save(nodes, [-1], [-1], functions);
}

describe('a function called with different variables', () => {
  it('is frozen for each of them', async () => {
    const calls = [
      call('one', ['x', 'a'], 'times'),
      call('two', ['one', 'b'], 'times'),
      call('three', ['two', 'c'], 'times'),
    ];
    const { difference, types: ran } = await both(model(calls, [times('times')], 'three'), x, inlining);
    expect(difference).toBeLessThan(1e-6);
    expect(ran).not.toContain('ReadVariableOp');
    expect(ran.filter((type) => type === 'Mul' || type === 'AddV2').length).toBeGreaterThan(1);
  });

  it('is so through calls of calls, each way once', async () => {
    const calls = [
      call('one', ['x', 'a', 'b'], 'twice'),
      call('two', ['one', 'b', 'a'], 'twice'),
      call('three', ['two', 'c', 'c'], 'twice'),
      call('four', ['three', 'a', 'b'], 'twice'),
    ];
    const { difference, types: ran } = await both(model(calls, [twice, times('times')], 'four'), x, inlining);
    expect(difference).toBeLessThan(1e-6);
    expect(ran).not.toContain('ReadVariableOp');
    expect(ran.filter((type) => type === 'Mul' || type === 'AddV2').length).toBeGreaterThan(1);
  });

  it('is so where the op is the function itself', async () => {
    const calls = ['a', 'b'].map((name, i) => ({
      name: `call_${i}`,
      op: 'times',
      input: [i === 0 ? 'x' : 'call_0', name],
      attr: {},
    }));
    const { difference, types: ran } = await both(model(calls, [times('times')], 'call_1'), x, inlining);
    expect(difference).toBeLessThan(1e-6);
    expect(ran).not.toContain('ReadVariableOp');
    expect(ran.filter((type) => type === 'Mul' || type === 'AddV2').length).toBeGreaterThan(1);
  });

  it('is so in the branches of a condition', async () => {
    const which: Node[] = [
      {
        name: 'first',
        op: 'Const',
        attr: { dtype: { value: { case: 'type', value: INT } }, value: scalar(0) },
      },
      {
        name: 'second',
        op: 'Const',
        attr: { dtype: { value: { case: 'type', value: INT } }, value: scalar(1) },
      },
    ];
    const branches = { value: { case: 'list', value: { func: [{ name: 'times' }, { name: 'plus' }] } } };
    const cases = [
      ['first', 'a'],
      ['second', 'b'],
      ['first', 'c'],
    ].map(([index, name], i) => ({
      name: `case_${i}`,
      op: 'Case',
      input: [index!, i === 0 ? 'x' : `case_${i - 1}`, name!],
      attr: { Tin: types(FLOAT, RESOURCE), Tout: types(FLOAT), branches, output_shapes: types() },
    }));
    const plus = times('plus');
    plus.nodeDef[1]!.op = 'AddV2';
    const { difference, types: ran } = await both(
      model([...which, ...cases], [times('times'), plus], 'case_2'),
      x,
    );
    expect(difference).toBeLessThan(1e-6);
    expect(ran).not.toContain('ReadVariableOp');
    expect(ran.filter((type) => type === 'Mul' || type === 'AddV2').length).toBeGreaterThan(1);
  });

  it('keeps the devices that rules ask for', async () => {
    const calls = [call('one', ['x', 'a'], 'times'), call('two', ['one', 'b'], 'times')];
    const folder = model(calls, [times('times')], 'two');
    await using frozen = await SavedModel.load(folder, {
      ...inlining,
      freeze: true,
      placement: [{ function: 'times', type: 'Mul', device: '/CPU:1' }],
    });
    const devices: string[] = [];
    await frozen.run(
      { x },
      {
        runOptions: { traceLevel: 'SOFTWARE_TRACE', outputPartitionGraphs: true },
        onRunMetadata: (bytes) => {
          const nodes = decodeRunMetadata(bytes).partitionGraphs.flatMap(({ node }) => node);
          devices.push(...nodes.filter(({ op }) => op === 'Mul').map(({ device }) => device.slice(-5)));
        },
      },
    );
    expect(devices).toEqual(['CPU:1', 'CPU:1']);
    const { ops } = await frozen.explain({ x });
    expect(ops.filter(({ type }) => type === 'Mul').map(({ requested }) => requested)).toEqual(['/CPU:1']);
  });

  it('stays a reader of a variable that something assigns', async () => {
    const add: Node = {
      name: 'more',
      op: 'AssignAddVariableOp',
      input: ['b', 'one_more'],
      attr: { dtype: attr.type },
    };
    const calls: Node[] = [
      { name: 'one_more', op: 'Const', attr: { dtype: attr.type, value: attr.tensor([], [1]) } },
      add,
      call('one', ['x', 'a'], 'times'),
      { ...call('two', ['one', 'b'], 'times'), input: ['one', 'b', '^more'] },
    ];
    const folder = model(calls, [times('times')], 'two');
    await using plain = await SavedModel.load(folder, { config });
    await using frozen = await SavedModel.load(folder, { config, freeze: true });
    for (let i = 0; i < 3; i++) {
      expect((await frozen.run({ x })).y!.data).toEqual((await plain.run({ x })).y!.data);
    }
  });
});

function scalar(value: number) {
  return { value: { case: 'tensor', value: { dtype: INT, tensorShape: { dim: [] }, intVal: [value] } } };
}

import { describe, expect, it } from 'vitest';
import { type AssignOptions, NO_RULE, RUN_DEVICE, toNative } from '../../lib/placement/assign.js';
import { compileGlob } from '../../lib/placement/glob.js';
import type { GraphIndex } from '../../lib/placement/graph-index.js';
import type { PlacementRule } from '../../lib/placement/rules.js';
import { failure } from '../helpers/failure.js';
import { turnsDuring } from '../helpers/turns.js';
import { deciders, ENCODER, INDEX, ROWS, run, table } from './node-table.js';

const _ = NO_RULE;

describe('which rule decides', () => {
  it('is the first that matches', async () => {
    const rules = [
      { op: 'tower_1/dense/MatMul:0', device: '/cpu:1' },
      { type: 'MatMul', device: '/CPU:2' },
      { scope: 'tower_1', device: '/CPU:3' },
    ];
    const assignment = await run(rules);
    expect([...assignment.rule]).toEqual([_, 0, 2, _, _, 1, _]);
    expect(assignment.requested).toEqual(['', '/cpu:1', '/CPU:3', '', '', '/CPU:2', '']);
    expect(await deciders([...rules].reverse())).toEqual([_, 0, 0, _, _, 1, _]);
  });

  it('does not depend on how a rule says it', async () => {
    // An exact name is looked up, a glob is tried: their order stays that of the array.
    const wide = { op: '**', device: '/CPU:1' };
    const type = { type: 'Relu', device: '/CPU:2' };
    const name = { op: 'Relu', device: '/CPU:3' };
    const body = { function: ENCODER, device: '/CPU:4' };
    expect(await deciders([wide, name, type, body])).toEqual([0, 0, 0, _, _, 0, 0]);
    expect(await deciders([name, type, body, wide])).toEqual([3, 3, 1, _, _, 2, 0]);
    expect(await deciders([body, name, type, wide])).toEqual([3, 3, 2, _, _, 0, 0]);
    expect(await deciders([type, wide, body, name])).toEqual([1, 1, 0, _, _, 1, 0]);
  });

  it('holds only where all it says does', async () => {
    expect(await deciders([{ type: 'MatMul', function: '**encoder**', device: '/CPU:1' }])).toEqual([
      _,
      _,
      _,
      _,
      _,
      0,
      _,
    ]);
    expect(await deciders([{ op: '**', function: '**', device: '/CPU:1' }])).toEqual([_, _, _, _, _, 0, 0]);
    expect(await deciders([{ op: 'Relu', type: /Re/, function: ENCODER, device: '/CPU:1' }])).toEqual([
      _,
      _,
      _,
      _,
      _,
      _,
      0,
    ]);
  });

  it('is the main graph where its function is the one without a name', async () => {
    const main = { op: '**', function: '', device: '/CPU:1' };
    expect(await deciders([main])).toEqual([0, 0, 0, _, _, _, _]);
  });

  it('meets the main graph and all functions where it names none', async () => {
    expect(await deciders([{ type: 'Relu', device: '/CPU:1' }])).toEqual([_, _, 0, _, _, _, 0]);
  });

  it('is none for ops that save, restore or initialise', async () => {
    expect(
      await deciders([{ op: '**', device: '/CPU:1' }], { device: '/CPU:2', clearDevices: true }),
    ).toEqual([0, 0, 0, _, _, 0, 0]);
  });

  it('is the run’s device for ops with neither a rule nor a saved device', async () => {
    const rules = [{ type: 'MatMul', device: '/CPU:1' }];
    const assignment = await run(rules, { device: '/CPU:2' });
    expect([...assignment.rule]).toEqual([RUN_DEVICE, 0, RUN_DEVICE, _, _, 0, _]);
    expect(assignment.requested[0]).toBe('/CPU:2');
    expect(await deciders(rules, { device: '/CPU:2', clearDevices: true })).toEqual([
      RUN_DEVICE,
      0,
      RUN_DEVICE,
      _,
      _,
      0,
      RUN_DEVICE,
    ]);
    expect(await deciders([])).toEqual(ROWS.map(() => _));
  });

  it('agrees with a plain trial of rule after rule, on random rules', async () => {
    let state = 3;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const pick = (values: readonly string[]) => values[random(values.length)]!;
    const index = table(
      Array.from({ length: 300 }, () => ({
        name: `${pick(['a', 'b'])}/${pick(['c', 'd'])}${pick(['', '/e', '/f'])}`,
        type: pick(['MatMul', 'Relu', 'Add']),
        function: pick(['', 'f', 'g']),
        isHousekeeping: random(8) === 0,
      })),
    );
    for (let k = 0; k < 200; k++) {
      const rules = Array.from({ length: 1 + random(6) }, (): PlacementRule => {
        const rule: PlacementRule = { device: '/CPU:0', optional: true };
        if (random(2) === 0) rule.op = pick(['a/c', 'b/d/e', 'a/**', '*/c', '**/e', 'zzz']);
        if (random(3) === 0) rule.type = pick(['MatMul', 'Relu', '*u*', 'Zzz']);
        if (random(4) === 0) rule.function = pick(['f', 'g', '*']);
        if (Object.keys(rule).length === 2) rule.op = pick(['a/d', 'b/*/f']);
        return rule;
      });
      const plain = (i: number) =>
        rules.findIndex(
          ({ op = '**', type = '**', function: body }) =>
            compileGlob(op as string)(index.name(i)) &&
            compileGlob(type as string)(index.type(i)) &&
            (body === undefined ||
              (index.function(i) !== '' && compileGlob(body as string)(index.function(i)))),
        );
      const expected = Array.from({ length: 300 }, (__, i) => (index.isHousekeeping(i) ? _ : plain(i)));
      expect(await deciders(rules, {}, index), JSON.stringify(rules)).toEqual(expected);
    }
  });
});

describe('what the addon takes', () => {
  const written = async (rules: readonly PlacementRule[], options: Partial<AssignOptions> = {}) => {
    const { codes, table: devices } = toNative(
      await run(rules, options),
      INDEX,
      options.clearDevices === true,
    );
    return [...codes].map((code) => (code === 0 ? undefined : devices[code - 1]));
  };

  it('is the device in its one spelling, nothing where nothing changes', async () => {
    const rules = [
      { type: 'MatMul', device: '/cpu:1' },
      { op: 'x', device: '/job:worker/task:1/gpu:0' },
      { op: '**', function: '**', device: '' },
    ];
    const worker = '/job:worker/task:1/device:GPU:0';
    const cpu = '/device:CPU:1';
    expect(await written(rules)).toEqual([worker, cpu, undefined, undefined, undefined, cpu, '']);
    expect(await written([])).toEqual(ROWS.map(() => undefined));
    expect((await written([], { device: '/cpu:2' }))[0]).toBe('/device:CPU:2');
  });

  it('forgets saved devices, but for those of saving and restoring on the CPU', async () => {
    expect(await written([{ op: 'x', device: '/cpu:1' }], { clearDevices: true })).toEqual([
      '/device:CPU:1',
      '',
      undefined,
      undefined,
      '',
      undefined,
      '',
    ]);
  });
});

describe('a large graph', () => {
  const LENGTH = 200_000;
  const TYPES = ['MatMul', 'AddV2', 'Relu', 'Const'];
  const name = (i: number) => `model/layer_${i % 24}/block_${i % 97}/${TYPES[i % 4]}_${i}`;
  const index: GraphIndex = {
    length: LENGTH,
    name,
    type: (i) => TYPES[i % 4]!,
    function: (i) => (i < 1000 ? '' : `__inference_fn_${i % 50}`),
    device: () => '',
    isHousekeeping: (i) => i % 100 === 99,
  };

  it('is assigned in slices, as a small one is', async () => {
    const rules = [
      ...Array.from({ length: 8 }, (__, i) => ({
        op: `**/layer_${i}/**/Relu_*7`,
        device: '/CPU:1',
        optional: true,
      })),
      { op: name(LENGTH - 3), device: '/CPU:2' },
      { function: '**_fn_7', device: '/CPU:3' },
    ];
    const work = run(rules, {}, index);
    expect((await turnsDuring(work)).turns).toBeGreaterThan(2);
    const { rule } = await work;
    const wrong: number[] = [];
    for (let i = 0; i < LENGTH; i++) {
      let expected = _;
      if (i % 100 === 99) expected = _;
      else if (i % 24 < 8 && i % 4 === 2 && i % 10 === 7) expected = i % 24;
      else if (i === LENGTH - 3) expected = 8;
      else if (i >= 1000 && i % 50 === 7) expected = 9;
      if (rule[i] !== expected) wrong.push(i);
    }
    expect(wrong).toEqual([]);
  });

  it('finds near names in slices, too', async () => {
    // Wrong in several places far from each other; other names begin with more of it.
    const work = run([{ op: 'model/layer_1/block_95/MatMull_1', device: '/CPU:1' }], {}, index);
    expect((await turnsDuring(work)).turns).toBeGreaterThan(2);
    expect((await failure(work)).message).toContain('Did you mean "model/layer_0/block_95/MatMul_192"');
  });
});

import { describe, expect, it } from 'vitest';
import { type AssignOptions, assign, NO_RULE, RUN_DEVICE, toNative } from '../../lib/placement/assign.js';
import { compileGlob } from '../../lib/placement/glob.js';
import type { GraphIndex } from '../../lib/placement/graph-index.js';
import { compileRules, type PlacementRule } from '../../lib/placement/rules.js';
import { failure } from '../helpers/failure.js';

interface Row {
  name: string;
  type?: string;
  function?: string;
  device?: string;
  isHousekeeping?: boolean;
}

const table = (rows: readonly Row[]): GraphIndex => ({
  length: rows.length,
  name: (i) => rows[i]!.name,
  type: (i) => rows[i]!.type ?? 'NoOp',
  function: (i) => rows[i]!.function ?? '',
  device: (i) => rows[i]!.device ?? '',
  isHousekeeping: (i) => rows[i]!.isHousekeeping ?? false,
});

const ENCODER = '__inference_encoder_12';
const ROWS: readonly Row[] = [
  { name: 'x', type: 'Placeholder' },
  { name: 'tower_1/dense/MatMul', type: 'MatMul', device: '/device:GPU:0' },
  { name: 'tower_1/dense/Relu', type: 'Relu' },
  { name: 'save/restore_all', type: 'NoOp', device: '/device:CPU:0', isHousekeeping: true },
  { name: 'save/Assign', type: 'AssignVariableOp', device: '/device:GPU:0', isHousekeeping: true },
  { name: 'dense/MatMul', type: 'MatMul', function: ENCODER },
  { name: 'Relu', type: 'Relu', function: ENCODER, device: '/job:localhost/replica:0/task:0/device:CPU:0' },
];
const INDEX = table(ROWS);

const run = (rules: readonly PlacementRule[], options: Partial<AssignOptions> = {}, index = INDEX) =>
  assign(index, compileRules(rules), { clearDevices: false, ...options });

/** By node the rule that decided. */
const deciders = async (...args: Parameters<typeof run>) => [...(await run(...args)).rule];
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

describe('a rule that meets no op', () => {
  const message = async (...rules: PlacementRule[]) => {
    const error = await failure(run(rules));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/\nA rule that may match nothing says `optional: true`\.$/);
    return error.message;
  };
  const device = '/CPU:1';

  it('is an error, with near names', async () => {
    expect(await message({ op: 'tower_1/dense/MatMull:0', device })).toContain(
      'placement[0] { op: "tower_1/dense/MatMull:0" } matches no op. Did you mean "tower_1/dense/MatMul"',
    );
    expect(await message({ type: 'matmul', device })).toContain('Did you mean "MatMul"?');
    expect(await message({ scope: 'tower1', device })).toContain('Did you mean "tower_1"');
    expect(await message({ function: '__inference_encoder_13', device })).toContain(
      `Did you mean "${ENCODER}"?`,
    );
  });

  it('may be optional', async () => {
    expect(await deciders([{ op: 'nothing', device, optional: true }])).toEqual(ROWS.map(() => _));
  });

  it('is no error where earlier rules took its ops', async () => {
    const rules = [
      { op: '**', device },
      { type: 'MatMul', device },
      { scope: '**', device },
    ];
    expect(await deciders(rules)).toEqual([0, 0, 0, _, _, 0, 0]);
  });

  it('says when only ops that save, restore or initialise meet it', async () => {
    expect(await message({ scope: 'save', device })).toContain(
      'Only ops that save, restore or initialise match it; they keep their devices.',
    );
    expect(await message({ op: 'save/Assign', device })).toContain('Only ops that save');
    expect(await message({ op: 'save/Asign', device })).not.toContain('Did you mean');
  });

  it('says when its parts hold, but not for one op', async () => {
    expect(await message({ scope: 'tower_1', function: '**', device })).toContain(
      'Each part of it holds for some op, but all of them for none.',
    );
    expect(await message({ scope: 'tower_1', type: 'Rellu', device })).toContain(
      'Nothing has the type "Rellu". Did you mean "Relu"?',
    );
  });

  it('says when a name is there, as something else', async () => {
    expect(await message({ op: 'MatMul', device })).toContain(
      'There is an op type of that name: type: "MatMul".',
    );
    expect(await message({ op: 'tower_1', device })).toContain(
      'There is a scope of that name: scope: "tower_1".',
    );
    expect(await message({ op: ENCODER, device })).toContain('There is a function of that name');
    expect(await message({ scope: 'x', device })).toContain('There is an op of that name: op: "x".');
  });

  it('says when its stars stay within a scope', async () => {
    expect(await message({ op: '*dense*', device })).toContain('"**dense**" crosses scopes and would match.');
    expect(await message({ op: '*nothing*', device })).not.toContain('crosses');
  });

  it('is named along with all others', async () => {
    const text = await message(
      { op: 'a1', device },
      { op: 'x', device },
      ...Array.from({ length: 9 }, (__, i) => ({ op: `none_${i}`, device })),
      { op: /nope/, device },
    );
    const lines = text.split('\n');
    expect(lines).toHaveLength(12);
    expect(lines.map((line) => /^placement\[(\d+)\]/.exec(line)?.[1]).slice(0, -1)).toEqual([
      '0',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
      '10',
      '11',
    ]);
    expect(lines[10]).toContain('{ op: /nope/ } matches no op.');
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

  /** The turns that the event loop had meanwhile. */
  async function countTurns(work: Promise<unknown>): Promise<number> {
    let turns = 0;
    let isOn = true;
    const next = () => {
      turns++;
      if (isOn) setImmediate(next);
    };
    setImmediate(next);
    await work.catch(() => undefined);
    isOn = false;
    return turns;
  }

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
    expect(await countTurns(work)).toBeGreaterThan(2);
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
    expect(await countTurns(work)).toBeGreaterThan(2);
    expect((await failure(work)).message).toContain('Did you mean "model/layer_0/block_95/MatMul_192"');
  });
});

import { describe, expect, it } from 'vitest';
import type { Tried } from '../../lib/cli/place/try.js';
import type { PlacedOp, PlacementReport } from '../../lib/placement/report/report.js';
import type { TensorJson } from '../../lib/tensor-json.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';
import { command, commandJson, expectFailure, hasLibrary, temporaryFile } from './command.js';

const CPU = (i: number) => `/job:localhost/replica:0/task:0/device:CPU:${i}`;
const MODEL = fixture('tf2-functions');
const TF1 = fixture('tf1-variables');
/** Grappler fuses MatMul and BiasAdd, and so moves one of them. */
const LAYERS = [
  { op: '**/MatMul', device: '/CPU:1' },
  { type: 'BiasAdd', device: '/CPU:2' },
];

const json = (value: unknown) => temporaryFile('file.json', JSON.stringify(value));
const cpus = async () => ['--config', await json({ deviceCount: { CPU: 4 } })];
const rules = async (value: unknown) => ['--rules', await json(value)];

/** Ops of this type that ran. */
function ranOf({ ops }: PlacementReport, type: string): PlacedOp[] {
  const found = ops.filter((op) => op.type === type && op.actual !== null);
  expect(found.length, type).toBeGreaterThan(0);
  return found;
}

describe.skipIf(!(await hasLibrary()))('place', () => {
  it('--try measures the first finding, and writes its rules', async () => {
    const better = `${await temporaryDirectory()}/better.json`;
    const matMul = await rules([{ type: 'MatMul', device: '/CPU:1' }]);
    const args = ['place', fixture('chain'), ...(await cpus()), ...matMul];
    const { tried, lint } = await commandJson<PlacementReport & { tried: Tried }>([
      ...args,
      '--try',
      '--try-rules',
      better,
    ]);
    expect(tried).toMatchObject({
      bytesBefore: 3392,
      predictedBytes: 128,
      bytes: 128,
      rules: lint[0]!.rules,
    });
    const again = await commandJson<PlacementReport>([
      'place',
      fixture('chain'),
      ...(await cpus()),
      '--rules',
      better,
    ]);
    expect(again.transfers.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(128);
    const { stdout } = await command([...args, '--try']);
    expect(stdout).toMatch(
      /\n {2}1\. 6 weights .* put their 6 variables on \/CPU:1\. 3\.39 kB in every run become 128 B\.\n/,
    );
    expect(stdout).toMatch(/\nTried: 3\.39 kB in every run became 128 B \(128 B were predicted\)/);
  });

  it('--try says where there is nothing to try', async () => {
    const { status, stderr } = await command(['place', MODEL, '--try']);
    expect([status, stderr]).toEqual([0, expect.stringContaining('nothing was found to cross in vain')]);
  });

  it('--json prints the report', async () => {
    const args = ['place', MODEL, ...(await cpus()), ...(await rules(LAYERS))];
    const report = await commandJson<PlacementReport>(args);
    expect(Object.keys(report)).toEqual(['ops', 'transfers', 'exact', 'partitions', 'criticalPath', 'lint']);
    expect(Object.keys(report.ops[0]!)).toEqual([
      'name',
      'type',
      'function',
      'requested',
      'saved',
      'actual',
      'reason',
    ]);
    for (const op of ranOf(report, 'MatMul')) {
      expect(op).toMatchObject({ requested: '/CPU:1', actual: CPU(1), reason: 'as requested' });
      expect(op.function).toMatch(/^__inference_dense_/);
    }
    expect(report.exact).toBe(false);
    expect(report.transfers.length).toBeGreaterThan(0);
    for (const { from, to, bytes } of report.transfers) {
      expect([CPU(0), CPU(1), CPU(2)]).toEqual(expect.arrayContaining([from, to]));
      expect(bytes).toBeGreaterThan(0);
    }
  });

  it('tells people first what was not honoured', async () => {
    const ended = await command(['place', MODEL, ...(await cpus()), ...(await rules(LAYERS))]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stdout).toContain(`${MODEL} [serve], signature serving_default`);
    expect(ended.stdout).toMatch(/^exact +no$/m);
    expect(ended.stdout).toMatch(
      /^ {2}BiasAdd +__inference_dense_\d+ +\/CPU:2 +\/CPU:1 +fused into MatMul$/m,
    );
    const titles = ['ops  ', 'Not honoured (2)', 'By scope (', 'Transfers in each run ('];
    const places = titles.map((title) => ended.stdout.indexOf(`\n${title}`));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(ended.stdout).toMatch(/ 512 B +kernel_0$/m);
    expect(ended.stderr).toMatch('input x was left out');
  });

  it('--check fails where a request was not honoured, with the report on stdout all the same', async () => {
    const args = ['place', MODEL, ...(await cpus()), ...(await rules(LAYERS)), '--check'];
    for (const form of [[], ['--json']]) {
      const ended = await command([...args, ...form]);
      expect(ended.status).toBe(1);
      const said = ended.stderr.split('\n').filter((line) => line.startsWith('tf-session: '));
      expect(said).toEqual([
        'tf-session: 2 of 4 ops that were asked onto a device and ran, ran elsewhere. The first is BiasAdd: ' +
          'asked for /CPU:2, ran on /CPU:1 (fused into MatMul).',
      ]);
      expect(ended.stderr).not.toMatch(/^\s+at /m);
      if (form.length === 0) expect(ended.stdout).toMatch(/^exact +no$/m);
      else expect(JSON.parse(ended.stdout)).toMatchObject({ exact: false });
    }
  });

  it('--check with --exact is content', async () => {
    const args = ['place', MODEL, ...(await cpus()), ...(await rules(LAYERS)), '--check', '--exact'];
    const report = await commandJson<PlacementReport>(args);
    expect(report.exact).toBe(true);
    for (const { actual } of ranOf(report, 'BiasAdd')) expect(actual).toBe(CPU(2));
  });

  it('--check says where nothing was asked', async () => {
    const ended = await command(['place', TF1, '--check']);
    expect(ended.status).toBe(0);
    expect(ended.stdout).toMatch(/^requested +nothing$/m);
    expect(ended.stderr).toMatch(/nothing to check.*--rules/);
  });

  it('--device is for ops that no rule speaks of', async () => {
    const args = ['place', TF1, ...(await cpus()), '--device', '/CPU:2'];
    const report = await commandJson<PlacementReport>([
      ...args,
      ...(await rules([{ type: 'AddV2', device: '/CPU:1' }])),
    ]);
    for (const op of ranOf(report, 'AddV2')) expect(op.requested).toBe('/CPU:1');
    for (const op of ranOf(report, 'MatMul'))
      expect(op).toMatchObject({ requested: '/CPU:2', actual: CPU(2) });
  });

  it('--rules goes before the placement of --options, which counts otherwise', async () => {
    const options = await json({
      config: { deviceCount: { CPU: 4 } },
      placement: [{ type: 'MatMul', device: '/CPU:3' }],
    });
    const args = ['place', TF1, '--options', options];
    const [own] = ranOf(await commandJson<PlacementReport>(args), 'MatMul');
    expect(own).toMatchObject({ requested: '/CPU:3', actual: CPU(3) });
    const [given] = ranOf(
      await commandJson<PlacementReport>([...args, ...(await rules([{ op: 'MatMul', device: '/CPU:1' }]))]),
      'MatMul',
    );
    expect(given).toMatchObject({ requested: '/CPU:1', actual: CPU(1) });
  });

  it('takes the signature and the tags that are named', async () => {
    const tags = ['--tags', 'serve,gpu', '--signature', 'no such'];
    expectFailure(await command(['place', fixture('several-signatures'), ...tags]), 1, /no such/);
  });
});

describe.skipIf(!(await hasLibrary()))('run', () => {
  it.each([
    ['--device', ['--device', '/CPU:1']],
    ['--exact', ['--exact', '--device', '/CPU:1']],
    ['--clear-devices', ['--clear-devices']],
  ])('computes the same with %s', async (_, flags) => {
    const args = ['run', TF1, '--input', 'x=[[1, 2, 3]]', ...(await cpus())];
    const plain = await commandJson<{ outputs: Record<string, TensorJson> }>(args);
    expect(await commandJson([...args, ...flags])).toEqual(plain);
  });

  it('goes where --device says', async () => {
    const config = await json({ deviceCount: { CPU: 4 }, logDevicePlacement: true });
    const ended = await command(['run', TF1, '--config', config, '--device', '/CPU:3'], {
      env: { TF_CPP_MIN_LOG_LEVEL: '0' },
    });
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stdout + ended.stderr).toMatch(/MatMul: \(MatMul\):? .*device:CPU:3/);
  });

  it.each<[string, string[], RegExp]>([
    ['a device that is not there', ['--device', '/CPU:9'], /INVALID_ARGUMENT: .*"\/CPU:9".*\/CPU:0/],
    ['no device either', ['--device', '/GPU:7', '--exact'], /INVALID_ARGUMENT: .*\/GPU:7/s],
  ])('fails with exit status 1 for %s', async (_, flags, message) => {
    expectFailure(await command(['run', MODEL, ...flags, '--json']), 1, message);
  });

  it('fails for a rule that matches nothing', async () => {
    const flags = await rules([{ op: 'MatMull', device: '/CPU:0' }]);
    expectFailure(await command(['run', MODEL, ...flags, '--json']), 1, /MatMull/);
  });

  it.each<[string, unknown, RegExp]>([
    ['rules that are no array', { op: 'x', device: '/CPU:0' }, /INVALID_OPTION: --rules must be an array/],
    [
      'a rule with an unknown key',
      [{ ops: 'x', device: '/CPU:0' }],
      /INVALID_OPTION: --rules\[0\].*"ops".*op/,
    ],
    ['a rule without a device', [{ op: 'x' }], /INVALID_OPTION: --rules\[0\]/],
  ])('has exit status 2 for %s', async (_, value, message) => {
    expectFailure(await command(['run', MODEL, ...(await rules(value)), '--json']), 2, message);
  });

  it('has exit status 2 for what is no device, and for exact with soft placement', async () => {
    expectFailure(await command(['run', MODEL, '--device', 'CPU:1']), 2, /Did you mean "\/CPU:1"/);
    const config = await json({ allowSoftPlacement: true });
    const both = await command(['place', MODEL, '--exact', '--config', config, '--json']);
    expectFailure(both, 2, /exact.*allowSoftPlacement/);
    expectFailure(await command(['run', MODEL, '--rules', 'no.json']), 2, /--rules: no\.json does not exist/);
  });
});

describe('help of place', () => {
  it('has its options and examples', async () => {
    const ended = await command(['place', '--help']);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    for (const part of ['--check', '--all', '--rules <FILE>', '--device <D>', '--exact', '--clear-devices']) {
      expect(ended.stdout).toContain(part);
    }
    expect(ended.stdout).toMatch(/\$ tf-session place .*--check/);
  });
});

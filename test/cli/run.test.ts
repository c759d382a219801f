import { describe, expect, it } from 'vitest';
import { jsonText } from '../../lib/cli/output/json-text.js';
import type { DType } from '../../lib/index.js';
import { type TensorJson, valueFromJson } from '../../lib/tensor-json.js';
import { type Case, fixtureJson } from '../helpers/fixtures.js';
import { expectTensor, type JsonTensor } from '../helpers/json-tensor.js';
import { fixture } from '../saved-model/models.js';
import { command, commandJson, expectFailure, hasLibrary, temporaryFile } from './command.js';
import { npyFile, numbers } from './npy-file.js';

interface Ran {
  outputs: Record<string, TensorJson>;
}

const MODEL = fixture('tf2-functions');

/** A fixture's case as the command line has it, each input in a file. */
async function runCase(name: string, { signature, inputs, outputs, tags }: Case): Promise<void> {
  const args = ['run', fixture(name), '--signature', signature];
  if (tags !== undefined) args.push('--tags', tags.join());
  for (const [key, { bits: _bits, ...json }] of Object.entries(inputs)) {
    args.push('--input', `${key}=${await temporaryFile('x.json', [...jsonText(json)].join(''))}`);
  }
  const ran = await commandJson<Ran>(args);
  expect(Object.keys(ran)).toEqual(['outputs']);
  for (const [key, wanted] of Object.entries(outputs!)) {
    const given = ran.outputs[key]!;
    expect(Object.keys(given)).toEqual(['dtype', 'shape', 'data']);
    if (wanted.bits !== undefined) {
      // Of a NaN's bits JSON keeps nothing.
      const { bits: _bits, ...plain } = wanted;
      expect(given).toEqual(plain);
      continue;
    }
    expectTensor(
      valueFromJson(given, { dtype: wanted.dtype as DType, shape: null }),
      wanted as JsonTensor,
      key,
    );
  }
}

describe.skipIf(!(await hasLibrary()))('run', () => {
  describe('computes what Python does', () => {
    const { cases } = fixtureJson<{ cases: Case[] }>('every-dtype');
    const some = ['float16', 'bfloat16', 'int64', 'uint64', 'bool', 'complex64', 'string', 'float8_e5m2'];
    const ofType = (dtype: string) => cases.find(({ signature }) => signature === `identity_${dtype}`)!;
    it.each(some)('of type %s', (dtype) => runCase('every-dtype', ofType(dtype)));

    it.each(['tf2-functions', 'tf1-variables', 'assets-tables', 'strings'])('in %s', async (name) => {
      await runCase(name, fixtureJson<{ cases: Case[] }>(name).cases[0]!);
    });

    it('in a MetaGraph of other tags', async () => {
      const several = fixtureJson<{ cases: Case[] }>('several-signatures').cases;
      await runCase('several-signatures', several.find(({ tags }) => tags?.includes('gpu'))!);
    });
  });

  it('keeps stdout clean while TensorFlow prints', async () => {
    const config = await temporaryFile('config.json', '{"logDevicePlacement":true}');
    const ended = await command(['run', MODEL, '--config', config, '--json'], {
      env: { TF_CPP_MIN_LOG_LEVEL: '0' },
    });
    expect(ended.status).toBe(0);
    expect(ended.stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(ended.stdout)).toHaveProperty('outputs.y.dtype', 'float32');
    expect(ended.stderr).toMatch(/device:CPU:0/);
  });

  it('fills what is left out with zeros, and says so', async () => {
    const zeros = JSON.stringify([new Array(8).fill(0)]);
    const filled = await command(['run', MODEL, '--json']);
    expect(filled.stderr).toMatch('input x was left out: filled with zeros, float32 [1, 8]');
    expect(JSON.parse(filled.stdout)).toEqual(await commandJson(['run', MODEL, '--input', `x=${zeros}`]));
    const dims = await command(['run', fixture('dims'), '--json']);
    expect(dims.status, dims.stderr).toBe(0);
    for (const note of [
      'input free was left out: filled with zeros, float32 scalar.',
      'input mixed was left out: filled with zeros, float32 [1, 3, 1].',
      'input text was left out: filled with empty strings, string [1].',
      'input flag was left out: filled with zeros, bool scalar.',
    ]) {
      expect(dims.stderr).toContain(note);
    }
  });

  it('takes arrays of NumPy, and says what it converts', async () => {
    const values = Array.from({ length: 16 }, (_, i) => i / 8);
    const columns = Array.from({ length: 16 }, (_, i) => values[(i % 2) * 8 + (i >> 1)]!);
    const file = npyFile('>f8', [2, 8], numbers('writeDoubleBE', 8, columns), { fortran: true });
    const ended = await command([
      'run',
      MODEL,
      '--json',
      '--input',
      `x=${await temporaryFile('x.npy', file)}`,
    ]);
    expect(ended.stderr).toMatch('x.npy converted from float64 to float32');
    const rows = JSON.stringify([values.slice(0, 8), values.slice(8)]);
    expect(JSON.parse(ended.stdout)).toEqual(await commandJson(['run', MODEL, '--input', `x=${rows}`]));
  });

  it('takes back what it printed', async () => {
    const args = ['run', fixture('every-dtype'), '--signature', 'identity_float64', '--input'];
    const first = await commandJson<Ran>([...args, 'x=[[-0, 0.1, "NaN"]]']);
    expect(first.outputs.y).toEqual({ dtype: 'float64', shape: [1, 3], data: [-0, 0.1, 'NaN'] });
    const file = await temporaryFile('x.json', JSON.stringify(first.outputs.y));
    const second = await commandJson<Ran>([...args, `x=${file}`]);
    expect(second.outputs.y).toMatchObject({ shape: [1, 3] });
  });

  it('takes the options of load, and computes the outputs that are named', async () => {
    const options = await temporaryFile(
      'options.json',
      '{"tags":["serve","gpu"],"config":{"deviceCount":{"CPU":2}}}',
    );
    const model = fixture('several-signatures');
    const several = fixtureJson<{ cases: Case[] }>('several-signatures').cases;
    const { signature, outputs } = several.find((entry) => Object.keys(entry.outputs ?? {}).length > 1)!;
    const [name] = Object.keys(outputs!);
    const args = ['run', model, '--signature', signature, '--output', name!];
    expect(Object.keys((await commandJson<Ran>(args)).outputs)).toEqual([name]);
    const ended = await command(['run', model, '--options', options]);
    expect(ended.stdout).toMatch('[serve, gpu]');
    const bad = await temporaryFile('options.json', '{"tag":["serve"]}');
    expectFailure(await command(['run', model, '--options', bad]), 2, /"tag".*tags/);
  });

  it('prints a table for people', async () => {
    const { stdout, status } = await command(['run', MODEL]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/signature serving_default\nloaded in [\d.]+ ms, ran in [\d.]+ ms/);
    expect(stdout).toMatch(/^y +float32 +\[1, 4\] +[\d.]+ +[\d.]+ +[\d.]+( +[\d.]+){4}$/m);
  });

  it('leaves quietly with its reader, however much there is to say', async () => {
    const file = await temporaryFile('x.npy', npyFile('<f4', [500_000], Buffer.alloc(2_000_000)));
    const args = [
      'run',
      fixture('every-dtype'),
      '--signature',
      'identity_float32',
      '--input',
      `x=${file}`,
      '--json',
    ];
    const ended = await command(args, {
      onStart: (child) => child.stdout?.once('data', () => child.stdout?.destroy()),
    });
    expect(ended.status).toBe(0);
    expect(ended.stderr).not.toMatch(/EPIPE|^\s+at /m);
  });

  it.each<[string, string[], RegExp]>([
    ['an input that is not there', [MODEL, '--input', 'xs=1'], /INVALID_ARGUMENT: .*"xs".*x/],
    ['another shape', [MODEL, '--input', 'x=[1]'], /INVALID_ARGUMENT: .*float32 \[-1, 8\].*\[1\]/],
    ['another type', [MODEL, '--input', 'x=[["a"]]'], /INVALID_ARGUMENT: .*"a"/],
    ['an output that is not there', [MODEL, '--output', 'z'], /INVALID_ARGUMENT: .*"z".*y/],
    ['a signature that is not there', [MODEL, '--signature', 'serve'], /INVALID_ARGUMENT: .*serving_default/],
    ['no signature', [fixture('no-signature')], /INVALID_ARGUMENT: /],
    ['a model that is not there', ['/no/such/model'], /NOT_FOUND: /],
  ])('fails with exit status 1 for %s', async (_, args, message) => {
    expectFailure(await command(['run', ...args, '--json']), 1, message);
  });

  it('fails with the op that failed', async () => {
    const { cases } = fixtureJson<{ cases: Case[] }>('errors-at-run');
    const { signature, inputs, error } = cases.find((entry) => entry.error !== undefined)!;
    const given = Object.entries(inputs).flatMap(([key, json]) => [
      '--input',
      `${key}=${JSON.stringify(json)}`,
    ]);
    const ended = await command([
      'run',
      fixture('errors-at-run'),
      '--signature',
      signature,
      ...given,
      '--json',
    ]);
    expectFailure(ended, 1, new RegExp(`^tf-session: ${error!.code}: `, 'm'));
  });
});

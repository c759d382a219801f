import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, describe, expect, it } from 'vitest';
import { type LoadOptions, SavedModel } from '../../lib/index.js';
import { SavedModelSchema } from '../../lib/proto/tensorflow/core/protobuf/saved_model_pb.js';
import type { SavedObjectGraph } from '../../lib/proto/tensorflow/core/protobuf/saved_object_graph_pb.js';
import { expectCases } from '../helpers/cases.js';
import { failure } from '../helpers/failure.js';
import { type Case, casesByTags, openFixture } from '../helpers/fixtures.js';
import { fixtureCopy } from '../saved-model/models.js';

const NAME = 'keras-in-module';
const CASES = casesByTags(NAME).get('serve')!;
const FOUR = { deviceCount: { CPU: 4 } };

describe("a model whose restore op leaves out what its signatures read gives Python's values", () => {
  it.each<[string, LoadOptions]>([
    ['as it is', {}],
    ['with rules', { config: FOUR, placement: [{ type: 'Conv2D', device: '/CPU:2' }] }],
    [
      'exact, its variables elsewhere',
      { config: FOUR, placement: [{ op: '**', device: '/CPU:3' }], exact: true },
    ],
    ['with soft placement', { config: { allowSoftPlacement: true } }],
    ['on devices that are prepared', { config: FOUR, devices: ['/CPU:1'] }],
    ['in copies', { copies: 2 }],
  ])('%s', async (_, options) => {
    const model = await openFixture(NAME, options);
    await expectCases(model, CASES, NAME);
    await expectCases(model, CASES, NAME, options.devices && { device: options.devices[0]! });
    expect(model.repaired).toHaveLength(14);
    expect(model.repaired).toContainEqual({
      variable: 'norm0/gamma',
      key: expect.stringMatching(/^net\/.*\/gamma\/\.ATTRIBUTES\/VARIABLE_VALUE$/),
    });
  });

  it('frozen, with a check', async () => {
    const [{ inputs }] = CASES as [Case];
    const picture = inputs.picture!.data as number[];
    const model = await openFixture(NAME, { freeze: { verify: { picture: new Float32Array(picture) } } });
    expect(model.repaired).toHaveLength(14);
    const { scores } = await model.run({ picture: new Float32Array(picture) });
    const expected = CASES[0]!.outputs!.scores!.data as number[];
    expected.forEach((value, i) => void expect(scores!.data[i]).toBeCloseTo(value, 6));
  });
});

it('another model needs no repair', async () => {
  for (const name of ['tf2-functions', 'keras-nested', 'tf1-variables', 'assets-tables'])
    expect((await openFixture(name)).repaired).toEqual([]);
});

/** A copy whose graph of objects was changed. */
async function changed(change: (objects: SavedObjectGraph) => void): Promise<string> {
  const directory = await fixtureCopy(NAME);
  const file = join(directory, 'saved_model.pb');
  const model = fromBinary(SavedModelSchema, await readFile(file));
  change(model.metaGraphs[0]!.objectGraphDef!);
  await writeFile(file, toBinary(SavedModelSchema, model));
  return directory;
}

describe('where a variable cannot be repaired, the error names it and says why', () => {
  const picture = new Float32Array(CASES[0]!.inputs.picture!.data as number[]);
  it.each<[string, (objects: SavedObjectGraph) => void, LoadOptions, RegExp]>([
    ['asked not to', () => {}, { repair: false }, /and the option repair is false\. So it is with 13 more/],
    [
      'no function is given it',
      (objects) => {
        objects.concreteFunctions = {};
      },
      {},
      /no function of the graph of objects is given it/,
    ],
    [
      'it was not saved',
      (objects) => {
        for (const each of Object.values(objects.concreteFunctions)) each.boundInputs.fill(0);
      },
      {},
      /the checkpoint has no value for it \(object 0\)/,
    ],
    [
      'its number is none',
      (objects) => {
        for (const each of Object.values(objects.concreteFunctions)) each.boundInputs.fill(-7);
      },
      {},
      /the checkpoint has no value for it \(object -7\)/,
    ],
  ])('%s', async (_, change, options, why) => {
    await using model = await SavedModel.load(await changed(change), options);
    expect(model.repaired).toEqual([]);
    for (const run of [model.run({ picture }), async () => model.runSync({ picture })]) {
      const error = await failure(run as Promise<unknown>);
      expect(error.code).toBe('FAILED_PRECONDITION');
      expect(error.message).toMatch(
        /^The variable "[\w/]+" has no value: the model's restore op leaves it out/,
      );
      expect(error.message).toMatch(why);
    }
  });

  it('and a checkpoint without its data is an error of the load', async () => {
    const directory = await fixtureCopy(NAME);
    await rm(join(directory, 'variables', 'variables.data-00000-of-00001'));
    const error = await failure(SavedModel.load(directory));
    expect([error.code, error.message]).toEqual(['NOT_FOUND', expect.stringContaining('variables.data')]);
  });
});

describe('a MobileNetV2 in a tf.Module', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tf-session-mobilenet-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tf-session');
  const python = join(cache, 'fixtures-venv/bin/python');

  it("gives Python's values", { timeout: 300_000 }, async (context) => {
    if (!existsSync(python))
      context.skip('There is no Python environment of the fixtures: npm run fixtures makes it.');
    const script = fileURLToPath(new URL('../../scripts/fixtures/make.mjs', import.meta.url));
    await promisify(execFile)(process.execPath, [script, '--mobilenet', folder]);
    const at = join(folder, 'mobilenet-in-module');
    const { cases } = JSON.parse(readFileSync(join(at, 'expected.json'), 'utf8')) as { cases: Case[] };
    await using model = await SavedModel.load(join(at, 'saved_model'));
    await expectCases(model, cases, 'mobilenet-in-module');
    expect(model.repaired).toHaveLength(262);
    const data = cases[0]!.outputs!.scores!.data as number[];
    const [least, most] = [Math.min(...data), Math.max(...data)];
    // Else equal values would say nothing.
    expect(most / least).toBeGreaterThan(2);
  });
});

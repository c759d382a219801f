/** What placed models, sessions a device and loads that fail hold, and what is left of them. */
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LoadOptions, SavedModel, Session } from '../../lib/index.js';
import { SavedModelSchema } from '../../lib/proto/tensorflow/core/protobuf/saved_model_pb.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { failure } from '../helpers/failure.js';
import { graphBytes } from '../placement/graphs.js';
import { fixtureCopy } from '../saved-model/models.js';
import {
  collected,
  counts,
  DEVICES,
  FOUR,
  load,
  NOTHING,
  ON_ONE,
  TRIPLE,
  triple,
  X,
} from './placed-sessions.js';

beforeAll(() => openLibrary());

/** Each test drops what it made; nothing of it may be left. */
afterEach(async () => {
  await collected(NOTHING);
  expect(counts()).toEqual(NOTHING);
});

describe('what nobody holds is freed:', () => {
  it.each<[string, LoadOptions]>([
    ['by a rule', ON_ONE],
    ['exactly', { ...ON_ONE, exact: true }],
    ['without colocation', { ...ON_ONE, ignoreColocation: true }],
  ])('a model that was placed %s', async (_, options) => {
    const model = await load('tf2-functions', options);
    await model.run(X);
    await model.explain(X);
    expect(counts()).toMatchObject({ graphs: 1, sessions: 1 });
    await model.close();
  });

  it('a model that was placed, and never closed', async () => {
    const model = await load('tf2-functions', ON_ONE);
    await model.run(X);
    await model.run(X, { device: '/CPU:2' });
  });

  it('a model with sessions for devices, listed or made by runs', async () => {
    const model = await load('tf2-functions', { ...FOUR, devices: ['/CPU:1'] });
    await collected({ graphs: 1 });
    expect(counts()).toMatchObject({ graphs: 1, sessions: 2 });
    for (const device of DEVICES) await model.run(X, { device });
    await collected({ graphs: 1, sessions: 5 });
    expect(counts()).toMatchObject({ graphs: 1, sessions: 5 });
    await model.close();
  });

  it('the graph of a closed model that is still held, and of one loaded without a placement', async () => {
    const model = await load('tf2-functions');
    await collected({ graphs: 0 });
    expect(counts()).toMatchObject({ graphs: 0, sessions: 1 });
    await model.run(X, { device: '/CPU:1' });
    await model.close();
    await collected({ graphs: 0 });
    expect(counts().graphs).toBe(0);
    expect((await failure(model.run(X))).code).toBe('FAILED_PRECONDITION');
  });

  it('sessions on bare graphs, closed or not', async () => {
    for (let i = 0; i < 5; i++) {
      const session = await triple(ON_ONE);
      expect((await session.run('y', { x: [2] }))[0]!.data).toEqual(new Float32Array([6]));
      if (i % 2 === 0) await session.close();
    }
  });

  it('bytes that a caller changes after the call', async () => {
    const bytes = new Uint8Array(TRIPLE);
    const opening = Session.fromGraphDef(bytes, FOUR);
    bytes.fill(255);
    await using session = await opening;
    expect((await session.run('y', { x: [2] }))[0]!.data).toEqual(new Float32Array([6]));
  });

  it('a Buffer that a caller changes after the call', async () => {
    const bytes = Buffer.from(TRIPLE);
    const opening = Session.fromGraphDef(bytes, FOUR);
    bytes.fill(255);
    await using session = await opening;
    expect((await session.run('y', { x: [2] }))[0]!.data).toEqual(new Float32Array([6]));
  });
});

describe('a load that fails leaves nothing:', () => {
  it.each<[string, LoadOptions, string]>([
    ['a rule that matches nothing', { placement: [{ op: 'nowhere', device: '/CPU:1' }] }, 'INVALID_ARGUMENT'],
    ['a malformed rule', { placement: [{ op: '(', device: 'CPU' }] }, 'INVALID_OPTION'],
    ['a missing device', { placement: [{ op: '**', device: '/GPU:0' }] }, 'INVALID_ARGUMENT'],
    [
      'a missing device, exact',
      { exact: true, placement: [{ op: '**', device: '/GPU:0' }] },
      'INVALID_ARGUMENT',
    ],
    ['a missing second device', { devices: ['/CPU:1', '/GPU:0'] }, 'INVALID_ARGUMENT'],
  ])('%s', async (_, options, code) => {
    for (let i = 0; i < 3; i++) {
      expect((await failure(load('tf2-functions', { ...FOUR, ...options }))).code).toBe(code);
    }
  });

  it('a graph cut short, within a model and bare', async () => {
    const directory = await fixtureCopy('tf2-functions');
    await truncate(join(directory, 'saved_model.pb'), 9000);
    expect((await failure(SavedModel.load(directory, ON_ONE))).code).toBe('DATA_LOSS');
    const cut = TRIPLE.subarray(0, TRIPLE.length - 9);
    expect((await failure(Session.fromGraphDef(cut, ON_ONE))).code).toBe('DATA_LOSS');
  });

  it('a graph that TensorFlow does not take', async () => {
    const unknown = graphBytes([{ name: 'a', op: 'NoSuchOp' }]);
    for (const options of [FOUR, ON_ONE]) await failure(Session.fromGraphDef(unknown, options));
  });

  it.each<[string, LoadOptions]>([
    ['placed', ON_ONE],
    ['for a device', { ...FOUR, devices: ['/CPU:1'] }],
  ])('variables that are cut short, %s', async (_, options) => {
    const directory = await fixtureCopy('tf2-functions');
    await truncate(join(directory, 'variables', 'variables.data-00000-of-00001'), 10);
    expect((await failure(SavedModel.load(directory, options))).code).toBe('DATA_LOSS');
  });

  it.each([FOUR, ON_ONE])('two ops that initialise, as TensorFlow refuses them too; %j', async (options) => {
    const directory = await fixtureCopy('tf1-legacy-init');
    const file = join(directory, 'saved_model.pb');
    const model = fromBinary(SavedModelSchema, await readFile(file));
    const { kind } = model.metaGraphs[0]!.collectionDef.legacy_init_op!;
    if (kind.case === 'nodeList') kind.value.value.push('init_all_tables');
    await writeFile(file, toBinary(SavedModelSchema, model));
    const error = await failure(SavedModel.load(directory, options));
    expect(error.code).toBe('FAILED_PRECONDITION');
    expect(error.message).toMatch(/exactly one/);
  });
});

/** What TensorFlow's own loader runs, and in which order: `lib/saved-model/restore.ts` does the same by itself. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Session, type Tensor } from '../../lib/index.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import {
  AssetFileDefSchema,
  type MetaGraphDef,
} from '../../lib/proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { addon } from '../../lib/runtime/addon.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { decodeMetaGraph, readMetaGraphBytes } from '../../lib/saved-model/reader.js';
import { restoreSteps } from '../../lib/saved-model/restore.js';
import { failure } from '../helpers/failure.js';
import { casesByTags } from '../helpers/fixtures.js';
import { expectTensor, fromJson } from '../helpers/json-tensor.js';
import * as g from '../placement/graphs.js';
import { type MetaGraphInit, modelBytes, modelDirectory } from '../saved-model/models.js';
import { rawModel, rawSession, restoredSession, served } from './raw-session.js';

type Attr = NonNullable<g.Node['attr']>[string];
/** Without what is a message already. */
type Parts = Exclude<MetaGraphInit, MetaGraphDef>;

beforeAll(() => openLibrary());

const STRING = g.type(DataType.DT_STRING);

function text(name: string, op: string, value: string): g.Node {
  const tensor = { dtype: DataType.DT_STRING, tensorShape: {}, stringVal: [Buffer.from(value)] };
  const attr: Record<string, Attr> = { dtype: STRING };
  if (op === 'Const') attr.value = { value: { case: 'tensor', value: tensor } };
  return { name, op, attr };
}

/** `to` gets what `from` is, after what it had and a comma. */
function append(name: string, from: string): g.Node[] {
  const attr: Record<string, Attr> = { N: { value: { case: 'i', value: 3n } } };
  return [
    { name: `${name}/joined`, op: 'StringJoin', input: ['read', 'comma', from], attr },
    { name, op: 'AssignVariableOp', input: ['log', `${name}/joined`], attr: { dtype: STRING } },
  ];
}

/** A variable `log`, and ops that write to it what is named like them: its value tells what the loader ran. */
function graph(): g.Node[] {
  const shape: Attr = { value: { case: 'shape', value: {} } };
  const shared: Attr = { value: { case: 's', value: Buffer.from('log') } };
  return [
    { name: 'log', op: 'VarHandleOp', attr: { dtype: STRING, shape, shared_name: shared } },
    { name: 'read', op: 'ReadVariableOp', input: ['log'], attr: { dtype: STRING } },
    text('comma', 'Const', ','),
    text('start/value', 'Const', 'start'),
    { name: 'start', op: 'AssignVariableOp', input: ['log', 'start/value'], attr: { dtype: STRING } },
    text('file', 'Placeholder', ''),
    text('asset', 'Placeholder', ''),
    { name: 'restore', op: 'AssignVariableOp', input: ['log', 'file'], attr: { dtype: STRING } },
    ...['one', 'two'].flatMap((name) => [
      text(`${name}/value`, 'Const', name),
      ...append(name, `${name}/value`),
    ]),
    ...append('useAsset', 'asset'),
    { name: 'keepAsset', op: 'AssignVariableOp', input: ['log', 'asset'], attr: { dtype: STRING } },
  ];
}

const info = (name: string) => ({ encoding: { case: 'name' as const, value: name } });
const list = (...value: string[]) => ({ kind: { case: 'nodeList' as const, value: { value } } });
const INIT = '__saved_model_init_op';
const SAVER = { restoreOpName: 'restore', filenameTensorName: 'file:0' };

/** A model of it. With an index, empty as it is, it counts as one that has variables. */
async function model(init: Parts, hasIndex = true): Promise<string> {
  const directory = await modelDirectory(
    modelBytes({
      metaInfoDef: { tags: ['serve'] },
      graphDef: { node: graph(), versions: { producer: 1882 } },
      ...init,
    }),
  );
  if (hasIndex) {
    await mkdir(join(directory, 'variables'));
    await writeFile(join(directory, 'variables', 'variables.index'), '');
  }
  return directory;
}

async function logOf(session: Session): Promise<unknown> {
  return ((await session.run('read'))[0] as Tensor).data[0];
}

/** The log after TensorFlow's loader, and after this library's own steps. */
async function logs(directory: string): Promise<unknown[]> {
  const { session: native } = await addon().loadSavedModel(directory, ['serve'], undefined, undefined);
  const loaded = new Session(native, { outputs: 'copy', config: undefined });
  onTestFinished(() => loaded.close());
  const metaGraph = decodeMetaGraph(await readMetaGraphBytes(directory, ['serve']));
  const stepped = await rawSession(g.graphBytes(graph()));
  for (const { target, feeds } of await restoreSteps(directory, metaGraph)) {
    await stepped.run([], feeds, { targets: [target] });
  }
  return [await logOf(loaded), await logOf(stepped)];
}

describe("TensorFlow's loader", () => {
  it('restores from the path of the variables, then initialises', async () => {
    const directory = await model({ saverDef: SAVER, collectionDef: { saved_model_main_op: list('one') } });
    const expected = `${join(directory, 'variables', 'variables')},one`;
    expect(await logs(directory)).toEqual([expected, expected]);
  });

  it('restores only where there is an index of variables', async () => {
    const directory = await model({ saverDef: SAVER }, false);
    expect((await failure(logs(directory))).code).toBe('FAILED_PRECONDITION');
    const initialised = { saverDef: SAVER, collectionDef: { saved_model_main_op: list('start') } };
    expect(await logs(await model(initialised, false))).toEqual(['start', 'start']);
  });

  const signatureDef = { [INIT]: { outputs: { [INIT]: info('two:0') } } };
  it.each<[string, Parts, string]>([
    ['the signature', { signatureDef, collectionDef: { saved_model_main_op: list('one') } }, 'two'],
    [
      'the main op',
      { collectionDef: { saved_model_main_op: list('one'), legacy_init_op: list('two') } },
      'one',
    ],
    ['the legacy op', { collectionDef: { legacy_init_op: list('two') } }, 'two'],
  ])('initialises by one op alone: %s goes first', async (_, init, expected) => {
    const directory = await model({ saverDef: SAVER, ...init });
    const log = `${join(directory, 'variables', 'variables')},${expected}`;
    expect(await logs(directory)).toEqual([log, log]);
  });

  it.each(['saved_model_main_op', 'legacy_init_op'])('refuses two ops in %s', async (key) => {
    const directory = await model({ saverDef: SAVER, collectionDef: { [key]: list('one', 'two') } });
    const theirs = await failure(addon().loadSavedModel(directory, ['serve'], undefined, undefined));
    expect(theirs.code).toBe('FAILED_PRECONDITION');
    expect(theirs.message).toMatch(/Expected exactly one main op/);
    const metaGraph = decodeMetaGraph(await readMetaGraphBytes(directory, ['serve']));
    expect((await failure(restoreSteps(directory, metaGraph))).message).toMatch(/exactly one op/);
  });

  const asset = (filename: string) => ({ filename, tensorInfo: info('asset:0') });
  const packed = (filename: string) => ({
    kind: {
      case: 'anyList' as const,
      value: {
        value: [
          {
            typeUrl: 'type.googleapis.com/tensorflow.AssetFileDef',
            value: toBinary(AssetFileDefSchema, create(AssetFileDefSchema, asset(filename))),
          },
        ],
      },
    },
  });
  it.each<[string, Parts]>([
    ['its list', { assetFileDef: [asset('words.txt')] }],
    [
      'the collection, where there is no list',
      { collectionDef: { saved_model_assets: packed('words.txt') } },
    ],
    [
      'its list, though there is a collection',
      {
        assetFileDef: [asset('words.txt')],
        collectionDef: { saved_model_assets: packed('other.txt') },
      },
    ],
  ])('feeds the assets of %s to both runs', async (_, init) => {
    const directory = await model({
      ...init,
      saverDef: { ...SAVER, restoreOpName: 'keepAsset' },
      signatureDef: { [INIT]: { outputs: { [INIT]: info('useAsset') } } },
    });
    const path = join(directory, 'assets', 'words.txt');
    expect(await logs(directory)).toEqual([`${path},${path}`, `${path},${path}`]);
  });

  it.each(['tf1-variables', 'tf1-main-op', 'tf1-legacy-init', 'assets-tables'])(
    'leaves %s as the same steps on a session of its graph do; without the last it fails',
    async (name) => {
      const raw = await rawModel(name);
      const session = await restoredSession(raw);
      const steps = await restoreSteps(raw.directory, raw.metaGraph);
      const partly = await rawSession(raw.graphDef);
      for (const { target, feeds } of steps.slice(0, -1)) await partly.run([], feeds, { targets: [target] });
      const { inputs, outputs } = casesByTags(name)
        .get('serve')!
        .find(({ signature }) => signature === 'serving_default')!;
      const values = Object.entries(inputs).map(([key, json]) => [key, fromJson(json)] as const);
      const [fetches, feeds] = served(raw, Object.fromEntries(values));
      const given = await session.run(fetches, feeds);
      const names = Object.keys(raw.metaGraph.signatureDef.serving_default!.outputs);
      for (const [i, key] of names.entries()) expectTensor(given[i]!, outputs![key]!, `${name}, ${key}`);
      expect((await failure(partly.run(fetches, feeds))).code).toBe('FAILED_PRECONDITION');
    },
  );
});

/** The runs that restore and initialise a model: which ops, what they are fed, in which order. */
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  AssetFileDefSchema,
  type MetaGraphDef,
} from '../../lib/proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { readMetaGraph } from '../../lib/saved-model/reader.js';
import { housekeepingOps, type RestoreStep, restoreSteps, servedOps } from '../../lib/saved-model/restore.js';
import { failure } from '../helpers/failure.js';
import { fixture, type MetaGraphInit, metaGraph } from './models.js';

const of = (name: string): Promise<MetaGraphDef> => readMetaGraph(fixture(name), ['serve']);
const inModel = (name: string, ...path: string[]) => join(fixture(name), ...path);
const variables = (name: string) => inModel(name, 'variables', 'variables');

/** Of each fixture: what is run, what is housekeeping, what the signatures feed and fetch. */
const WANTED: Record<string, { steps: RestoreStep[]; housekeeping: string[]; served: string[] }> = {
  'tf2-functions': {
    steps: [
      {
        target: 'StatefulPartitionedCall_2',
        feeds: { 'saver_filename:0': variables('tf2-functions') },
      },
      { target: 'NoOp', feeds: {} },
    ],
    housekeeping: ['StatefulPartitionedCall_2', 'StatefulPartitionedCall_1', 'saver_filename', 'NoOp'],
    served: ['serving_default_x', 'StatefulPartitionedCall'],
  },
  'assets-tables': (() => {
    const assets = {
      'asset_path_initializer:0': inModel('assets-tables', 'assets', 'categories.txt'),
      'asset_path_initializer_1:0': inModel('assets-tables', 'assets', 'vocabulary.txt'),
      'asset_path_initializer_2:0': inModel('assets-tables', 'assets', 'vocabulary.txt'),
    };
    return {
      steps: [
        {
          target: 'StatefulPartitionedCall_7',
          feeds: { ...assets, 'saver_filename:0': variables('assets-tables') },
        },
        { target: 'NoOp', feeds: assets },
      ],
      housekeeping: ['StatefulPartitionedCall_7', 'StatefulPartitionedCall_6', 'saver_filename', 'NoOp'],
      served: [
        'categorize_tokens',
        'StatefulPartitionedCall',
        'decode_ids',
        'StatefulPartitionedCall_1',
        'serving_default_tokens',
        'StatefulPartitionedCall_2',
      ],
    };
  })(),
  // Nothing to restore: it has no variables.
  'tf1-legacy-init': {
    steps: [
      {
        target: 'init_all_tables',
        feeds: { 'asset_path:0': inModel('tf1-legacy-init', 'assets', 'tokens.txt') },
      },
    ],
    housekeeping: ['init_all_tables'],
    served: ['text', 'ids'],
  },
  'tf1-main-op': (() => {
    const assets = { 'asset_path:0': inModel('tf1-main-op', 'assets', 'words.txt') };
    return {
      steps: [
        { target: 'save/restore_all', feeds: { ...assets, 'save/Const:0': variables('tf1-main-op') } },
        { target: 'main_op', feeds: assets },
      ],
      housekeeping: ['save/restore_all', 'save/control_dependency', 'save/Const', 'main_op'],
      served: ['text', 'ids', 'scaled'],
    };
  })(),
};

describe.each(Object.entries(WANTED))('%s', (name, { steps, housekeeping, served }) => {
  it('is restored, then initialised', async () => {
    expect(await restoreSteps(fixture(name), await of(name))).toEqual(steps);
  });

  it('has its housekeeping and its served ops', async () => {
    expect(new Set(housekeepingOps(await of(name)))).toEqual(new Set(housekeeping));
    expect(new Set(servedOps(await of(name)))).toEqual(new Set(served));
  });
});

describe('the initialisation', () => {
  const init = (init: MetaGraphInit) => restoreSteps('/nowhere', metaGraph(init));
  const nodes = (...value: string[]) => ({ kind: { case: 'nodeList' as const, value: { value } } });
  const signature = {
    __saved_model_init_op: {
      outputs: { __saved_model_init_op: { encoding: { case: 'name' as const, value: 'by_signature:0' } } },
    },
  };

  it('is that of the signature, else of the main op, else of the legacy one', async () => {
    const [main, legacy] = [nodes('main'), nodes('legacy')];
    const all = { saved_model_main_op: main, legacy_init_op: legacy };
    const wanted = (target: string) => [{ target, feeds: {} }];
    expect(await init({ signatureDef: signature, collectionDef: all })).toEqual(wanted('by_signature'));
    expect(await init({ collectionDef: all })).toEqual(wanted('main'));
    expect(await init({ collectionDef: { legacy_init_op: legacy } })).toEqual(wanted('legacy'));
    expect(await init({})).toEqual([]);
  });

  it.each(['saved_model_main_op', 'legacy_init_op'])('is an error where %s names two ops', async (name) => {
    const collectionDef = { [name]: nodes('a', 'b') };
    const error = await failure(init({ collectionDef }));
    expect(error.message).toContain(name);
    expect(error.message).toMatch(/exactly one.*names 2/);
    expect(error.code).toBe('FAILED_PRECONDITION');
    // Housekeeping is asked for first, and leaves the error to the restore.
    expect(housekeepingOps(metaGraph({ collectionDef }))).toEqual([]);
    // With a signature that says it, the collection does not count.
    expect(await init({ collectionDef, signatureDef: signature })).toMatchObject([
      { target: 'by_signature' },
    ]);
  });

  it.each([
    ['none', nodes()],
    ['a list of numbers', { kind: { case: 'int64List' as const, value: { value: [1n] } } }],
  ])('is an error where a collection names %s', async (_, collection) => {
    const error = await failure(init({ collectionDef: { legacy_init_op: collection } }));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(/names 0/) });
  });
});

describe('assets', () => {
  const info = (value: string) => ({ encoding: { case: 'name' as const, value } });
  const legacy_init_op = { kind: { case: 'nodeList' as const, value: { value: ['init'] } } };
  const anys = (...list: Uint8Array[]) => {
    const value = list.map((bytes) => ({
      typeUrl: 'type.googleapis.com/tensorflow.AssetFileDef',
      value: bytes,
    }));
    return { kind: { case: 'anyList' as const, value: { value } } };
  };
  const asset = { filename: 'old.txt', tensorInfo: info('old:0') };
  const inCollection = anys(toBinary(AssetFileDefSchema, create(AssetFileDefSchema, asset)));

  it('come from the list, else from the collection of TensorFlow 1', async () => {
    const collectionDef = { saved_model_assets: inCollection, legacy_init_op };
    const assetFileDef = [{ filename: 'new.txt', tensorInfo: info('new:0') }];
    const feeds = async (init: MetaGraphInit) => (await restoreSteps('/m', metaGraph(init)))[0]!.feeds;
    expect(await feeds({ collectionDef })).toEqual({ 'old:0': '/m/assets/old.txt' });
    expect(await feeds({ collectionDef, assetFileDef })).toEqual({ 'new:0': '/m/assets/new.txt' });
  });

  it('that cannot be read are a loss of data', async () => {
    const collectionDef = { saved_model_assets: anys(new Uint8Array([255])), legacy_init_op };
    const error = await failure(restoreSteps('/m', metaGraph({ collectionDef })));
    expect(error).toMatchObject({ code: 'DATA_LOSS', message: expect.stringMatching(/assets/) });
  });
});

describe('served ops', () => {
  it('are those of sparse and composite tensors as well, without the initialisation', () => {
    const name = (value: string) => ({ encoding: { case: 'name' as const, value } });
    const sparse = {
      valuesTensorName: 'values:0',
      indicesTensorName: 'indices:1',
      denseShapeTensorName: 'shape:0',
    };
    const served = servedOps(
      metaGraph({
        signatureDef: {
          one: {
            inputs: { x: name('x:0'), s: { encoding: { case: 'cooSparse', value: sparse } } },
            outputs: {
              y: { encoding: { case: 'compositeTensor', value: { components: [name('part:3')] } } },
            },
          },
          __saved_model_init_op: { outputs: { __saved_model_init_op: name('init') } },
        },
      }),
    );
    expect(new Set(served)).toEqual(new Set(['x', 'values', 'indices', 'shape', 'part']));
  });
});

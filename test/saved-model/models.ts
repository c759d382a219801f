/** SavedModel directories for tests: from test/fixtures, or made of the generated schema. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import {
  type MetaGraphDef,
  MetaGraphDefSchema,
} from '../../lib/proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { SavedModelSchema } from '../../lib/proto/tensorflow/core/protobuf/saved_model_pb.js';

export type MetaGraphInit = MessageInitShape<typeof MetaGraphDefSchema>;

export function metaGraph(init: MetaGraphInit): MetaGraphDef {
  return create(MetaGraphDefSchema, init);
}

/** saved_model.pb with these MetaGraphs. */
export function modelBytes(...metaGraphs: MetaGraphInit[]): Uint8Array {
  return toBinary(SavedModelSchema, create(SavedModelSchema, { savedModelSchemaVersion: 1n, metaGraphs }));
}

/** A model small enough to be damaged at every byte, with something of everything. */
export const SMALL = modelBytes(
  {
    metaInfoDef: { tags: ['serve'], tensorflowVersion: '2.21.0', strippedOpList: { op: [{ name: 'NoOp' }] } },
    graphDef: { node: [{ name: 'x', op: 'Placeholder', device: '/CPU:0' }], library: { function: [{}] } },
    saverDef: { restoreOpName: 'restore', filenameTensorName: 'file:0' },
    collectionDef: { main_op: { kind: { case: 'nodeList', value: { value: ['init'] } } } },
    signatureDef: {
      serving_default: {
        inputs: {
          x: {
            encoding: { case: 'name', value: 'x:0' },
            dtype: DataType.DT_FLOAT,
            tensorShape: { dim: [{ size: -1n }, { size: 8n }] },
          },
        },
        outputs: { y: { encoding: { case: 'name', value: 'y:0' }, dtype: DataType.DT_INT64 } },
        methodName: 'tensorflow/serving/predict',
      },
    },
    assetFileDef: [{ filename: 'words.txt', tensorInfo: { encoding: { case: 'name', value: 'asset:0' } } }],
    objectGraphDef: { nodes: [{}] },
  },
  { metaInfoDef: { tags: ['serve', 'gpu'] } },
);

/** A fresh directory, removed when the test ends. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tf-session-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A directory that holds this saved_model.pb, and nothing else. */
export async function modelDirectory(bytes: Uint8Array = SMALL): Promise<string> {
  const directory = join(await temporaryDirectory(), 'model');
  await mkdir(directory);
  await writeFile(join(directory, 'saved_model.pb'), bytes);
  return directory;
}

/** The SavedModel of a fixture, not to be written to. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}/saved_model`, import.meta.url));
}

/** A copy of a fixture's SavedModel, to be damaged. */
export async function fixtureCopy(name: string): Promise<string> {
  const directory = join(await temporaryDirectory(), 'model');
  await cp(fixture(name), directory, { recursive: true });
  return directory;
}

// The inputs of each kind, by number: the same ones in every run with the same seed.
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { fromDist, ROOT } from '../../tools/dist.mjs';
import { pick, sourceOf } from '../random.mjs';
import { damaged } from './bytes.mjs';
import { changeCheckpoint } from './checkpoint.mjs';
import { changeMetaGraph } from './graph.mjs';
import { someNpy } from './npy.mjs';

const { SavedModelSchema } = await fromDist('proto/tensorflow/core/protobuf/saved_model_pb.js');
const { readCheckpointIndex } = await fromDist('saved-model/checkpoint.js');

export const KINDS = ['saved_model', 'checkpoint', 'npy'];

const FIXTURES = [
  'tf2-functions',
  'tf1-variables',
  'strings',
  'every-dtype',
  'control-flow-v2',
  'control-flow-v1',
  'assets-tables',
  'counter',
  'keras-nested',
  'chain',
  'dims',
];
const VARIABLES = 'variables/variables';
const [INDEX, DATA] = [`${VARIABLES}.index`, `${VARIABLES}.data-00000-of-00001`];

const hasVariables = (name) => existsSync(join(fixturePath(name), INDEX));
export const fixturePath = (name) => join(ROOT, 'test/fixtures', name, 'saved_model');

/**
 * Writes the input of that number into `folder`.
 *
 * @returns {Promise<{ path: string, from: string }>} what is to be loaded, and the fixture that it was made of
 */
export async function writeInput(folder, { kind, seed, number }) {
  const random = sourceOf(seed, number);
  if (kind === 'npy') {
    const path = join(folder, 'input.npy');
    await writeFile(path, someNpy(random));
    return { path, from: 'every-dtype' };
  }
  const fixtures = kind === 'checkpoint' ? FIXTURES.filter(hasVariables) : FIXTURES;
  const [name, other] = [pick(fixtures, random), pick(fixtures, random)];
  if (kind === 'checkpoint') return { path: await writeCheckpoint(folder, name, other, random), from: name };
  const path = await copied(folder, 'model', name);
  const file = join(path, 'saved_model.pb');
  const bytes = await readFile(join(fixturePath(name), 'saved_model.pb'));
  if (random(4) === 0) {
    const bytesOfOther = await readFile(join(fixturePath(other), 'saved_model.pb'));
    await writeFile(file, damaged(bytes, bytesOfOther, random));
  } else
    await writeFile(
      file,
      changedModel(bytes, (metaGraph) => changeMetaGraph(metaGraph, random)),
    );
  return { path, from: name };
}

/** saved_model.pb with each of its MetaGraphs changed. */
export function changedModel(bytes, change) {
  const model = fromBinary(SavedModelSchema, bytes);
  for (const metaGraph of model.metaGraphs) change(metaGraph);
  return toBinary(SavedModelSchema, model);
}

async function writeCheckpoint(folder, name, other, random) {
  const path = await copied(folder, 'checkpoint', name);
  const read = async (of) => {
    const [index, data] = await Promise.all(
      [INDEX, DATA].map((file) => readFile(join(fixturePath(of), file))),
    );
    const { entries } = await readCheckpointIndex(join(fixturePath(of), VARIABLES));
    return { index, data, entries: new Map(entries) };
  };
  const changed = await changeCheckpoint(await read(name), await read(other), random);
  await writeFile(join(path, INDEX), changed.index);
  await writeFile(join(path, DATA), changed.data);
  return path;
}

/** A copy of a fixture in `folder`, made once; what an input changes, the next one writes anew. */
async function copied(folder, kind, name) {
  const path = join(folder, `${kind}-${name}`);
  await mkdir(folder, { recursive: true });
  if (!(await readdir(folder)).includes(`${kind}-${name}`))
    await cp(fixturePath(name), path, { recursive: true });
  return path;
}

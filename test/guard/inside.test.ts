import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { type LoadOptions, SavedModel } from '../../lib/index.js';
import { SavedModelSchema } from '../../lib/proto/tensorflow/core/protobuf/saved_model_pb.js';
import { failure } from '../helpers/failure.js';
import { fixture, fixtureCopy, temporaryDirectory } from '../saved-model/models.js';

const load = async (directory: string, options: LoadOptions = {}) =>
  (await SavedModel.load(directory, options)).close();

async function refused(directory: string, what: string): Promise<void> {
  for (const options of [{}, { exact: true }, { config: { allowSoftPlacement: true } }]) {
    const error = await failure(load(directory, options));
    expect([error.code, error.message]).toEqual(['PERMISSION_DENIED', expect.stringContaining(what)]);
  }
}

describe('names of assets', () => {
  it.each(['../../secret.txt', '/etc/hostname', 'a/../../../secret.txt', '..', 'sub/..\0/x'])(
    '%j',
    async (name) => {
      const directory = await fixtureCopy('assets-tables');
      const file = join(directory, 'saved_model.pb');
      const model = fromBinary(SavedModelSchema, await readFile(file));
      model.metaGraphs[0]!.assetFileDef[0]!.filename = name;
      await writeFile(file, toBinary(SavedModelSchema, model));
      await refused(directory, `names ${JSON.stringify(name)} as one of its assets`);
      const error = await failure(load(directory, { followLinks: true }));
      expect(error.code).toBe('PERMISSION_DENIED');
    },
  );

  it('in a folder below are fine', async () => {
    const directory = await fixtureCopy('assets-tables');
    const file = join(directory, 'saved_model.pb');
    const model = fromBinary(SavedModelSchema, await readFile(file));
    const [asset] = model.metaGraphs[0]!.assetFileDef;
    await mkdir(join(directory, 'assets', 'below'));
    await rename(join(directory, 'assets', asset!.filename), join(directory, 'assets', 'below', '..x'));
    asset!.filename = 'below/./..x';
    await writeFile(file, toBinary(SavedModelSchema, model));
    await load(directory);
  });
});

describe('links', () => {
  it.each([
    ['an asset', 'assets-tables', 'assets/vocabulary.txt'],
    ['the folder of assets', 'assets-tables', 'assets'],
    ['the index of the checkpoint', 'tf2-functions', 'variables/variables.index'],
    ['its data', 'tf2-functions', 'variables/variables.data-00000-of-00001'],
    ['the folder of variables', 'tf2-functions', 'variables'],
  ])('%s outside of the folder is refused, unless that is meant', async (_, name, part) => {
    const directory = await fixtureCopy(name);
    const outside = join(await temporaryDirectory(), 'outside');
    await rename(join(directory, part), outside);
    await symlink(outside, join(directory, part));
    await refused(directory, `leads out of the model's folder, to ${outside}`);
    await load(directory, { followLinks: true });
  });

  it('within the folder are fine, and so is a link to the folder itself', async () => {
    const directory = await fixtureCopy('assets-tables');
    await rename(join(directory, 'assets'), join(directory, '..data'));
    await symlink('..data', join(directory, 'assets'));
    await load(directory);
    const link = join(await temporaryDirectory(), 'link');
    await symlink(directory, link);
    await load(link);
  });

  it('to a folder with a name that begins alike lead out', async () => {
    const directory = await fixtureCopy('tf2-functions');
    await cp(join(fixture('tf2-functions'), 'variables'), `${directory}-2`, { recursive: true });
    await rm(join(directory, 'variables'), { recursive: true });
    await symlink(`${directory}-2`, join(directory, 'variables'));
    await refused(directory, `${directory}-2`);
  });
});

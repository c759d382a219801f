import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TensorFlowError } from '../../lib/errors.js';
import { checkDirectory } from '../../lib/saved-model/directory.js';
import {
  decodeMetaGraph,
  readFullMetaGraph,
  readMetaGraph,
  readMetaGraphBytes,
  readTagSets,
} from '../../lib/saved-model/reader.js';
import { fixture, modelBytes, modelDirectory, SMALL, temporaryDirectory } from './models.js';

/** The code and the message of the TensorFlowError that `promise` must give. */
async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TensorFlowError);
  const { code, message } = error as TensorFlowError;
  return { code, message };
}

describe('reading saved_model.pb', () => {
  it('lists the tags of every MetaGraph', async () => {
    expect(await readTagSets(await modelDirectory())).toEqual([['serve'], ['serve', 'gpu']]);
    expect(await readTagSets(fixture('several-signatures'))).toEqual([
      ['serve'],
      ['serve', 'gpu'],
      ['train'],
    ]);
  });

  it('reads a MetaGraph without its graphs', async () => {
    const metaGraph = await readMetaGraph(await modelDirectory(), ['serve']);
    expect(metaGraph.metaInfoDef).toMatchObject({ tags: ['serve'], tensorflowVersion: '2.21.0' });
    expect(Object.keys(metaGraph.signatureDef)).toEqual(['serving_default']);
    expect(metaGraph.assetFileDef.map((asset) => asset.filename)).toEqual(['words.txt']);
    expect(metaGraph.saverDef?.restoreOpName).toBe('restore');
    expect(Object.keys(metaGraph.collectionDef)).toEqual(['main_op']);
    expect(metaGraph.graphDef).toBeUndefined();
    expect(metaGraph.objectGraphDef).toBeUndefined();
    expect(metaGraph.$unknown).toBeUndefined();
  });

  it('decodes the bytes of a MetaGraph alike', async () => {
    const directory = await modelDirectory();
    const bytes = await readMetaGraphBytes(directory, ['serve']);
    expect(decodeMetaGraph(bytes)).toEqual(await readMetaGraph(directory, ['serve']));
    expect(() => decodeMetaGraph(bytes.subarray(1))).toThrow(TensorFlowError);
  });

  it('reads a MetaGraph with its graphs', async () => {
    const metaGraph = await readFullMetaGraph(await modelDirectory(), ['serve']);
    expect(metaGraph.graphDef?.node[0]).toMatchObject({ name: 'x', op: 'Placeholder', device: '/CPU:0' });
    expect(metaGraph.objectGraphDef?.nodes).toHaveLength(1);
    const real = await readFullMetaGraph(fixture('tf2-functions'), ['serve']);
    expect(real.graphDef?.library?.function.length).toBeGreaterThan(0);
  });

  it('compares tags as sets', async () => {
    const directory = await modelDirectory();
    expect((await readMetaGraph(directory, ['gpu', 'serve', 'gpu'])).metaInfoDef?.tags).toEqual([
      'serve',
      'gpu',
    ]);
    expect(await readMetaGraphBytes(directory, ['gpu', 'serve'])).not.toEqual(
      await readMetaGraphBytes(directory, ['serve']),
    );
    for (const tags of [['gpu'], [], ['serve', 'gpu', 'x']]) {
      expect(await failure(readMetaGraph(directory, tags))).toEqual({
        code: 'NOT_FOUND',
        message: `${directory} has no MetaGraph with tags [${tags.join(', ')}]; the model has: [serve], [serve, gpu].`,
      });
    }
    expect((await readMetaGraph(await modelDirectory(modelBytes({})), [])).metaInfoDef).toBeUndefined();
  });
});

describe('what is no SavedModel', () => {
  /** What `checkDirectory` and every reader say alike. */
  async function everywhere(directory: string) {
    const first = await failure(checkDirectory(directory));
    for (const read of [readTagSets, readMetaGraph, readFullMetaGraph]) {
      expect(await failure(read(directory, ['serve']))).toEqual(first);
    }
    return first;
  }

  it('is missing', async () => {
    const directory = join(await temporaryDirectory(), 'nothing');
    expect(await everywhere(directory)).toEqual({
      code: 'NOT_FOUND',
      message: `${directory} does not exist.`,
    });
  });

  it('is a file', async () => {
    const directory = await modelDirectory();
    expect((await everywhere(join(directory, 'saved_model.pb'))).message).toMatch(
      /is a file; a SavedModel is a directory .* Give the directory that it lies in/,
    );
  });

  it('has no saved_model.pb', async () => {
    const directory = await modelDirectory();
    expect((await everywhere(join(directory, '..'))).message).toContain(`There is one in ${directory}.`);
    await rm(join(directory, 'saved_model.pb'));
    expect(await everywhere(directory)).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('has no saved_model.pb. The directory is empty.'),
    });
  });

  it('has the text form alone, which TensorFlow loads and this does not read', async () => {
    const directory = await modelDirectory();
    await rename(join(directory, 'saved_model.pb'), join(directory, 'saved_model.pbtxt'));
    await checkDirectory(directory);
    expect(await failure(readTagSets(directory))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/saved_model\.pbtxt.* not read here/),
    });
  });

  it('has a directory for a saved_model.pb', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'saved_model.pb'));
    expect((await failure(readTagSets(directory))).code).toBe('NOT_FOUND');
  });

  it.skipIf(process.getuid?.() === 0)('may not be read', async () => {
    const directory = await modelDirectory();
    await chmod(join(directory, 'saved_model.pb'), 0);
    expect((await everywhere(directory)).code).toBe('PERMISSION_DENIED');
  });

  it('is no path', async () => {
    for (const path of ['', 'a\0b', undefined as unknown as string, `/${'x'.repeat(5000)}`]) {
      expect((await everywhere(path)).code).toBe('INVALID_ARGUMENT');
    }
    const loop = join(await temporaryDirectory(), 'loop');
    await symlink(loop, loop);
    expect((await everywhere(loop)).code).toBe('INVALID_ARGUMENT');
  });

  it('lies where only TensorFlow can reach', async () => {
    await checkDirectory('gs://bucket/model');
    expect((await failure(readTagSets('gs://bucket/model'))).code).toBe('UNIMPLEMENTED');
    expect(await readTagSets(`file://${await modelDirectory()}`)).toHaveLength(2);
  });

  it.each([
    ['is empty', new Uint8Array()],
    [
      'is a pointer of Git LFS',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
    ],
    ['is damaged or no SavedModel', Buffer.from('<!DOCTYPE html>')],
    ['it holds no MetaGraph', modelBytes()],
    ['says 300 bytes, 3 are left', new Uint8Array([0x12, 0xac, 0x02, 1, 2, 3])],
    ['is damaged', SMALL.subarray(0, SMALL.length - 1)],
    ['is damaged', new Uint8Array([0x12, 0x06, 0x0a, 0x04, 0x22, 0x02, 0xff, 0xfe])], // a tag that is not UTF-8
  ])('is damaged: %s', async (text, bytes) => {
    const directory = await modelDirectory(bytes);
    await checkDirectory(directory);
    expect(await failure(readTagSets(directory))).toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringContaining(text),
    });
  });

  it('has damage in the part that is asked for alone', async () => {
    const directory = await modelDirectory();
    const bytes = modelBytes({
      metaInfoDef: { tags: ['serve'] },
      graphDef: { node: [{ name: 'broken-here' }] },
    });
    bytes[Buffer.from(bytes).indexOf('broken-here') - 1] = 0x7f; // the name's length
    await writeFile(join(directory, 'saved_model.pb'), bytes);
    await readMetaGraph(directory, ['serve']);
    expect((await failure(readFullMetaGraph(directory, ['serve']))).code).toBe('DATA_LOSS');
  });
});

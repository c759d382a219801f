import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TensorFlowError } from '../../lib/errors.js';
import { readCheckpointIndex } from '../../lib/saved-model/checkpoint.js';
import { checkVariables, explainLoadFailure } from '../../lib/saved-model/load-failure.js';
import { readMetaGraph } from '../../lib/saved-model/reader.js';
import { fixture, fixtureCopy, modelDirectory } from './models.js';

/** Of the library, as if one were open. */
const VERSION = '2.21.0';
const DATA = 'variables/variables.data-00000-of-00001';
const INDEX = 'variables/variables.index';
const restoring = new TensorFlowError(
  'OUT_OF_RANGE',
  'Read less bytes than requested\n\t [[{{node RestoreV2}}]]',
);

async function explained(directory: string, tags = ['serve'], error: unknown = restoring) {
  const better = (await explainLoadFailure(directory, tags, error, VERSION)) as TensorFlowError;
  expect(better).toBeInstanceOf(TensorFlowError);
  expect(better).not.toBe(error);
  expect(better.cause).toBe(error);
  return better;
}

describe('explainLoadFailure', () => {
  it('says that a model is of a later TensorFlow than the library', async () => {
    const message = "NodeDef mentions attr 'debug_name' not in Op<name=VarHandleOp>";
    const error = new TensorFlowError('INVALID_ARGUMENT', message);
    const explain = (version: string) =>
      explainLoadFailure(fixture('tf2-functions'), ['serve'], error, version);
    const better = await explain('1.15.5');
    expect(better).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(
        /^The model was saved by TensorFlow 2\.21\.0, .* 1\.15\.5 [\s\S]*debug_name/,
      ),
    });
    expect(await explain('2.21.0')).toBe(error);
  });

  it('knows a missing directory, a damaged file and missing tags', async () => {
    expect(await explained('/nowhere/at/all')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await explained(await modelDirectory(new Uint8Array([7])))).toMatchObject({ code: 'DATA_LOSS' });
    expect((await explained(fixture('several-signatures'), ['tpu'])).message).toMatch(
      /no MetaGraph with tags \[tpu\]; the model has: \[serve\], \[serve, gpu\], \[train\]\.$/,
    );
  });

  it.each<[string, string, (directory: string) => Promise<unknown>, string, RegExp]>([
    [
      'tf2-functions',
      'no variables',
      (d) => rm(join(d, 'variables'), { recursive: true }),
      'NOT_FOUND',
      /variables\.index does not exist\. Was the model/,
    ],
    ['tf1-variables', 'no index', (d) => rm(join(d, INDEX)), 'NOT_FOUND', /variables\.index does not exist/],
    ['tf2-functions', 'no data', (d) => rm(join(d, DATA)), 'NOT_FOUND', /data-00000-of-00001 does not exist/],
    [
      'tf2-functions',
      'data cut off',
      (d) => truncate(join(d, DATA), 9),
      'DATA_LOSS',
      /is cut off: 9 bytes of at least/,
    ],
    [
      'tf1-variables',
      'data cut off',
      (d) => truncate(join(d, DATA), 9),
      'DATA_LOSS',
      /is cut off: 9 bytes of at least/,
    ],
    ['tf2-functions', 'empty index', (d) => truncate(join(d, INDEX), 0), 'DATA_LOSS', /it is too short/],
    ['tf2-functions', 'index cut off', (d) => truncate(join(d, INDEX), 90), 'DATA_LOSS', /does not end as/],
    [
      'tf2-functions',
      'a directory for data',
      (d) => rm(join(d, DATA)).then(() => mkdir(join(d, DATA))),
      'NOT_FOUND',
      /is a directory/,
    ],
  ])('knows variables that are not whole: %s, %s', async (name, _, damage, code, text) => {
    const directory = await fixtureCopy(name);
    await damage(directory);
    const better = await explained(directory);
    expect(better.code).toBe(code);
    expect(better.message).toMatch(/^The model's variables cannot be restored: /);
    expect(better.message).toMatch(text);
  });

  it('leaves what it cannot explain as it is', async () => {
    const whole = fixture('tf2-functions');
    expect(await explainLoadFailure(whole, ['serve'], restoring, VERSION)).toBe(restoring);
    expect(await explainLoadFailure('gs://bucket/model', ['serve'], restoring, VERSION)).toBe(restoring);
    const other = new Error('not of TensorFlow');
    expect(await explainLoadFailure('/nowhere', ['serve'], other, VERSION)).toBe(other);
  });

  it('blames no variables for an error that is about something else', async () => {
    const directory = await fixtureCopy('tf2-functions');
    await rm(join(directory, 'variables'), { recursive: true });
    const op = new TensorFlowError('NOT_FOUND', "Op type not registered 'Mine' in binary");
    expect(await explainLoadFailure(directory, ['serve'], op, VERSION)).toBe(op);
  });
});

describe('checkVariables', () => {
  it('wants variables only where the model restores some', async () => {
    for (const name of ['tf2-functions', 'tf1-variables', 'every-dtype', 'tf1-legacy-init']) {
      await checkVariables(fixture(name), await readMetaGraph(fixture(name), ['serve']));
    }
  });
});

describe('readCheckpointIndex', () => {
  it('lists what is saved', async () => {
    const index = await readCheckpointIndex(join(fixture('tf1-variables'), 'variables/variables'));
    expect(index.shards).toBe(1);
    expect([...index.entries.keys()]).toEqual(['bias', 'kernel']);
    expect(index.entries.get('kernel')).toMatchObject({ dtype: 1, shardId: 0, size: 24n });
    const keras = await readCheckpointIndex(join(fixture('tf2-functions'), 'variables/variables'));
    expect([...keras.entries.keys()]).toContain('kernels/1/.ATTRIBUTES/VARIABLE_VALUE');
  });

  it('refuses what is no index', async () => {
    const directory = await modelDirectory();
    await writeFile(join(directory, 'x.index'), Buffer.alloc(100));
    await expect(readCheckpointIndex(join(directory, 'x'))).rejects.toMatchObject({ code: 'DATA_LOSS' });
    await expect(readCheckpointIndex(join(directory, 'y'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

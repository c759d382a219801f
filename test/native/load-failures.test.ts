import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SavedModel } from '../../lib/index.js';
import { addon } from '../../lib/runtime/addon.js';
import { mutated, randomSource } from '../../scripts/fuzz/random.mjs';
import { collectUntil } from '../helpers/collect.js';
import { failure } from '../helpers/failure.js';
import { fixture, fixtureCopy, temporaryDirectory } from '../saved-model/models.js';

const PB = 'saved_model.pb';
const DATA = 'variables/variables.data-00000-of-00001';
const INDEX = 'variables/variables.index';

describe('SavedModel.load', () => {
  it('takes a path, a path relative to the working directory, and a URL', async () => {
    const path = fixture('tf2-functions');
    for (const directory of [path, `${path}/`, pathToFileURL(path), path.replace(`${process.cwd()}/`, '')]) {
      await using model = await SavedModel.load(directory);
      expect(Object.keys(model.signatures)).toEqual(['serving_default']);
    }
  });

  it('takes folders of odd names', async () => {
    const parent = await temporaryDirectory();
    const path = join(parent, 'grün 東京 🎈 %20 #1');
    await cp(fixture('tf2-functions'), path, { recursive: true });
    for (const directory of [path, pathToFileURL(path)]) await (await SavedModel.load(directory)).close();
  });

  it.each(['a[x]', 'a\\b'])('says why a folder named %s does not load', async (name) => {
    const path = join(await temporaryDirectory(), name);
    await cp(fixture('tf2-functions'), path, { recursive: true });
    const error = await failure(SavedModel.load(path));
    expect([error.code, error.message]).toEqual([
      'INVALID_ARGUMENT',
      expect.stringContaining('for a pattern'),
    ]);
  });

  it.each([[5], [''], [null], [undefined], [{}], ['a\0b'], [new URL('https://example.com/')]])(
    'refuses %s, which is no path',
    async (directory) => {
      const error = await SavedModel.load(directory as string).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect((error as { code: string }).code).toMatch(/^INVALID_|^ERR_INVALID_/);
    },
  );

  it('says that a folder is not there, or is no model', async () => {
    const parent = await temporaryDirectory();
    expect(await failure(SavedModel.load(join(parent, 'none')))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(`${join(parent, 'none')} does not exist`),
    });
    const file = join(fixture('tf2-functions'), PB);
    expect(await failure(SavedModel.load(file))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/is a file.*Give the directory that it lies in/),
    });
    expect(await failure(SavedModel.load(parent))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/it has no saved_model\.pb\. The directory is empty/),
    });
  });

  it('lists the tags there are', async () => {
    for (const tags of [['tpu'], ['gpu'], ['serve', 'gpu', 'tpu'], []]) {
      const error = await failure(SavedModel.load(fixture('several-signatures'), { tags }));
      expect(error.code).toBe('NOT_FOUND');
      expect(error.message).toContain('the model has: [serve], [serve, gpu], [train].');
    }
    await using model = await SavedModel.load(fixture('several-signatures'), { tags: ['gpu', 'serve'] });
    expect(model.tags).toEqual(['gpu', 'serve']);
  });

  it.each<[string, (directory: string) => Promise<unknown>, string, RegExp]>([
    [
      'half a saved_model.pb',
      async (d) => truncate(join(d, PB), (await readFile(join(d, PB))).length / 2),
      'DATA_LOSS',
      /saved_model\.pb/,
    ],
    ['an empty saved_model.pb', (d) => truncate(join(d, PB), 0), '', /saved_model\.pb|MetaGraph/],
    ['garbage', (d) => writeFile(join(d, PB), Buffer.alloc(5000, 0xf7)), 'DATA_LOSS', /saved_model\.pb/],
    ['text', (d) => writeFile(join(d, PB), 'not a model at all\n'), 'DATA_LOSS', /saved_model\.pb/],
    [
      'no variables',
      (d) => rm(join(d, 'variables'), { recursive: true }),
      'NOT_FOUND',
      /variables\.index does not exist/,
    ],
    ['no values', (d) => rm(join(d, DATA)), 'NOT_FOUND', /variables\.data-00000-of-00001 does not exist/],
    ['values cut off', (d) => truncate(join(d, DATA), 9), 'DATA_LOSS', /cut off/],
    ['an index cut off', (d) => truncate(join(d, INDEX), 90), 'DATA_LOSS', /variables\.index/],
    [
      'a garbled index',
      (d) => writeFile(join(d, INDEX), Buffer.alloc(500, 0xf7)),
      'DATA_LOSS',
      /variables\.index/,
    ],
  ])('says what is wrong with %s', async (_, damage, code, message) => {
    const directory = await fixtureCopy('tf2-functions');
    await damage(directory);
    const error = await failure(SavedModel.load(directory));
    expect(error.message).toMatch(message);
    if (code) expect(error.code).toBe(code);
  });

  it('never takes the process down, whatever the bytes', async () => {
    const random = randomSource(7);
    const directory = await fixtureCopy('one-signature-other-name');
    const bytes = await readFile(join(directory, PB));
    let loaded = 0;
    for (let i = 0; i < 60; i++) {
      await writeFile(join(directory, PB), mutated(bytes, random));
      try {
        const model = await SavedModel.load(directory);
        loaded++;
        await model.close();
      } catch (error) {
        expect((error as Error).name).toBe('TensorFlowError');
      }
    }
    expect(loaded).toBeLessThan(60);
  });

  it('leaves nothing behind where it failed', async () => {
    const broken = await fixtureCopy('tf2-functions');
    await rm(join(broken, 'variables'), { recursive: true });
    expect(await collectUntil(() => addon().counts().sessions === 0)).toBe(true);
    await failure(SavedModel.load(broken));
    await failure(SavedModel.load(fixture('several-signatures'), { tags: ['tpu'] }));
    expect(addon().counts().sessions).toBe(0);
  });
});

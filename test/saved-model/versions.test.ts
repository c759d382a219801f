/** Versions in numbered folders, as TensorFlow Serving has them. Nothing is loaded. */
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFolder, checkVersion, findModel } from '../../lib/saved-model/versions.js';
import { failure } from '../helpers/failure.js';
import { modelDirectory, temporaryDirectory } from './models.js';

async function folders(...names: string[]): Promise<string> {
  const home = await temporaryDirectory();
  for (const name of names) await mkdir(join(home, name));
  return home;
}

describe('of a folder with versions', () => {
  it('the highest number is meant, not the last name', async () => {
    const home = await folders('1', '2', '10', '9');
    expect(await findModel(home)).toEqual({ home, directory: join(home, '10'), version: '10' });
  });

  it('zeros in front count for nothing', async () => {
    const home = await folders('00000123', '45');
    expect(await findModel(home)).toMatchObject({ directory: join(home, '00000123'), version: '123' });
    const twice = await folders('7', '007');
    expect(await findModel(twice)).toMatchObject({ directory: join(twice, '7'), version: '7' });
  });

  it('numbers are those of TensorFlow Serving, up to 2^63 - 1, and exact', async () => {
    const home = await folders('9223372036854775807', '9223372036854775806', '9223372036854775808');
    expect((await findModel(home)).version).toBe('9223372036854775807');
    expect((await findModel(home, 9223372036854775806n)).version).toBe('9223372036854775806');
  });

  it('all other names are left alone, and files', async () => {
    const home = await folders('1', 'tmp-3', '4.5', '-6', '7b', '0x8', ' 9');
    await writeFile(join(home, '12'), 'a file');
    expect((await findModel(home)).version).toBe('1');
  });

  it('a link to a folder is one', async () => {
    const home = await folders('1');
    await symlink(join(home, '1'), join(home, '2'));
    expect((await findModel(home)).version).toBe('2');
  });

  it('a certain one may be meant', async () => {
    const home = await folders('1', '002', '3');
    expect(await findModel(home, 2n)).toMatchObject({ directory: join(home, '002'), version: '2' });
    expect(await failure(findModel(home, 5n))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(`There is no version 5 in ${home}; it has 3, 002, 1.`),
    });
  });

  it('one that is not whole is an error that says how to copy', async () => {
    const home = await folders('1', '2');
    await cp(await modelDirectory(), join(home, '1'), { recursive: true });
    const found = await findModel(home);
    expect(found.version).toBe('2');
    expect(await failure(checkFolder(found))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(
        /no saved_model\.pb.*version 2 of .* copy it under another name, and rename/,
      ),
    });
  });
});

describe('a folder without versions', () => {
  it('is a SavedModel, whatever else is in it', async () => {
    const directory = await modelDirectory();
    await mkdir(join(directory, '5'));
    expect(await findModel(directory)).toEqual({ home: directory, directory, version: undefined });
    expect(await failure(findModel(directory, 5n))).toMatchObject({
      code: 'NOT_FOUND',
      message: `There is no version 5 in ${directory}; it has none.`,
    });
  });

  it('is taken as it is, and checked by who loads it', async () => {
    const home = await folders('export');
    expect((await findModel(home)).directory).toBe(home);
    await rm(home, { recursive: true });
    expect((await findModel(home)).directory).toBe(home);
    expect((await failure(findModel(home, 1n))).message).toBe(`${home} does not exist.`);
    expect((await findModel('gs://bucket/model')).directory).toBe('gs://bucket/model');
  });
});

it('a version is a whole number, or its digits', async () => {
  expect([undefined, 0, 12, '012', '9223372036854775807'].map(checkVersion)).toEqual([
    ...[undefined, 0n, 12n, 12n],
    9223372036854775807n,
  ]);
  for (const wrong of [-1, 1.5, Number.NaN, 2 ** 60, '', 'latest', '-1', '9223372036854775808', {}, null]) {
    expect((await failure(() => checkVersion(wrong))).code).toBe('INVALID_OPTION');
  }
});

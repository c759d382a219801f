/** Whatever happened to the bytes: a result or a TensorFlowError, never another exception. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TensorFlowError } from '../../lib/errors.js';
import { checkCheckpoint } from '../../lib/saved-model/checkpoint.js';
import { explainLoadFailure } from '../../lib/saved-model/load-failure.js';
import { readFullMetaGraph, readMetaGraph, readTagSets } from '../../lib/saved-model/reader.js';
import { defaultSignature, signaturesOf } from '../../lib/saved-model/signatures.js';
import { mutated, randomSource } from '../../scripts/fuzz/random.mjs';
import { fixture, fixtureCopy, modelDirectory, SMALL } from './models.js';

const MUTATIONS = 2_000;

/** True where `step` gave a result, false where it threw a TensorFlowError; anything else fails the test. */
async function classified(what: string, step: () => unknown): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    if (error instanceof TensorFlowError) return false;
    throw new Error(`${what}: unclassified ${String(error)}`, { cause: error });
  }
}

async function readEverything(directory: string): Promise<void> {
  const [tags] = await readTagSets(directory);
  defaultSignature(signaturesOf(await readMetaGraph(directory, tags!)));
  await readFullMetaGraph(directory, tags!);
}

it('saved_model.pb cut off at every byte', { timeout: 60_000 }, async () => {
  const directory = await modelDirectory();
  let read = 0;
  for (let length = 0; length < SMALL.length; length++) {
    await writeFile(join(directory, 'saved_model.pb'), SMALL.subarray(0, length));
    if (await classified(`${length} bytes`, () => readEverything(directory))) read++;
  }
  // Between the two MetaGraphs, and nowhere else.
  expect(read).toBe(1);
});

it.each([
  ['a small model', () => SMALL],
  ['a real model', () => readFile(join(fixture('tf1-variables'), 'saved_model.pb'))],
])(`${MUTATIONS} mutations of %s`, { timeout: 120_000 }, async (_, bytesOf) => {
  const bytes = await bytesOf();
  const directory = await modelDirectory();
  const random = randomSource(1);
  const error = new TensorFlowError('INTERNAL', 'while restoring');
  let read = 0;
  for (let n = 0; n < MUTATIONS; n++) {
    await writeFile(join(directory, 'saved_model.pb'), mutated(bytes, random));
    if (await classified(`mutation ${n}`, () => readEverything(directory))) read++;
    expect(await explainLoadFailure(directory, ['serve'], error, '2.21.0')).toBeInstanceOf(TensorFlowError);
  }
  // Else the mutations were too mild or too rough to say anything.
  expect(read).toBeGreaterThan(MUTATIONS / 20);
  expect(read).toBeLessThan(MUTATIONS * 0.95);
});

it('a checkpoint index cut off and mutated', { timeout: 120_000 }, async () => {
  const prefix = join(await fixtureCopy('tf1-variables'), 'variables', 'variables');
  const bytes = await readFile(`${prefix}.index`);
  await checkCheckpoint(prefix);
  for (let length = 0; length < bytes.length; length++) {
    await writeFile(`${prefix}.index`, bytes.subarray(0, length));
    expect(await classified(`${length} bytes`, () => checkCheckpoint(prefix))).toBe(false);
  }
  const random = randomSource(2);
  let read = 0;
  for (let n = 0; n < MUTATIONS; n++) {
    await writeFile(`${prefix}.index`, mutated(bytes, random));
    if (await classified(`mutation ${n}`, () => checkCheckpoint(prefix))) read++;
  }
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(MUTATIONS);
});

/** `tf-session types`; what the compiler makes of the types is in test/types. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { signatureSource } from '../../lib/saved-model/signature-source.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';
import { command, commandJson, expectFailure } from './command.js';

describe('tf-session types', () => {
  it.each([
    ['several-signatures', 'several'],
    ['strings', 'strings'],
  ])('writes what the type tests of %s are compiled with', async (model, file) => {
    const committed = await readFile(new URL(`../types/${file}.ts`, import.meta.url), 'utf8');
    const { source } = await commandJson<{ source: string }>(['types', fixture(model)]);
    const plain = (text: string) => text.replaceAll('"', "'").replace('../../lib/index.js', 'tf-session');
    expect(plain(source)).toBe(plain(committed));
  });

  it('writes a file, and tells whether one is up to date', async () => {
    const out = join(await temporaryDirectory(), 'signatures.ts');
    expect((await command(['types', fixture('dims'), '--out', out])).status).toBe(0);
    expect(await readFile(out, 'utf8')).toContain("rank5: TensorSpec<'float32', [1, 2, 1, 2, number]>;");
    expect((await command(['types', fixture('dims'), '--check', out])).status).toBe(0);
    await writeFile(out, '');
    expectFailure(
      await command(['types', fixture('dims'), '--check', out]),
      1,
      /is not what the model's signatures are/,
    );
    expectFailure(
      await command(['types', fixture('dims'), '--check', out, '--out', out]),
      2,
      /exclude each other/,
    );
  });
});

it('quotes names that are no identifiers, and nothing breaks out of them', () => {
  const info = { name: 'x:0', dtype: 'float32', shape: null } as const;
  const source = signatureSource(
    { '"}; evil(); //': { inputs: { 'a/b': info }, outputs: {}, methodName: '' } },
    'a\nb',
  );
  expect(source).toContain('  "\\"}; evil(); //": {');
  expect(source).toContain('"a/b": TensorSpec<\'float32\', number[]>;');
  expect(source).toContain('outputs: Record<never, never>;');
  expect(source.split('\n')[0]).toBe('// a b');
});

it('is a module without signatures, too', () => {
  expect(signatureSource({}, 'none')).toContain('export type Signatures = Record<never, never>;');
});

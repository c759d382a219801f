import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type LoadOptions, SavedModel } from '../../lib/index.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';
import { command, commandJson, expectFailure, hasLibrary } from './command.js';

const MODEL = fixture('tf2-functions');
const QUICK = ['--rounds', '1', '--round-ms', '20'];

describe.runIf(await hasLibrary())('tf-session tune', () => {
  it('writes options that load and every command take', async () => {
    const file = `${await temporaryDirectory()}/tuned.json`;
    const { candidates, best } = await commandJson<{
      candidates: { name: string; medianUs?: number; error?: string }[];
      best: { options: LoadOptions };
    }>(['tune', MODEL, ...QUICK, '--out', file]);
    expect(candidates[0]!.name).toBe('untuned');
    expect(candidates.length).toBeGreaterThan(5);
    expect(candidates.filter(({ error }) => error !== undefined)).toEqual([]);
    const options = JSON.parse(await readFile(file, 'utf8'));
    expect(options).toEqual(best.options);
    await using model = await SavedModel.load(MODEL, options);
    expect((await model.run({ x: [[1, 2, 3, 4, 5, 6, 7, 8]] })).y!.shape).toEqual([1, 4]);
    await commandJson(['run', MODEL, '--options', file]);
  });

  it('ends with its budget, and says so', async () => {
    const { status, stdout, stderr } = await command(['tune', MODEL, ...QUICK, '--budget', '0.001']);
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('stopped before all was tried');
    expect(stdout).toContain('best for latency: untuned');
  });

  it.each([
    [['--for', 'speed'], /--for must be latency or throughput/],
    [['--tolerance', '-1'], /--tolerance/],
    [['--budget', 'x'], /--budget/],
  ])('%j is wrong usage', async (args, message) => {
    expectFailure(await command(['tune', MODEL, ...args]), 2, message);
  });
});

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fixture, temporaryDirectory } from '../saved-model/models.js';
import { command, commandJson, expectFailure, hasLibrary, temporaryFile } from './command.js';

const QUICK = ['--rounds', '2', '--round-ms', '30'];
const MODEL = fixture('tf2-functions');

interface Row {
  device: string;
  batch: number;
  concurrency: number;
  medianUs?: number;
  p99Us?: number;
  perSecond?: number;
  error?: string;
}
const bench = (args: readonly string[]) =>
  commandJson<{ results: Row[] }>(['bench', MODEL, ...QUICK, ...args]).then(({ results }) => results);

describe.runIf(await hasLibrary())('tf-session bench', () => {
  it('measures each device, batch and number of runs in flight', async () => {
    const config = await temporaryFile('config.json', '{ "deviceCount": { "CPU": 2 } }');
    const args = [
      '--config',
      config,
      '--device',
      '/CPU:0',
      '--device',
      '/CPU:1',
      '--batch',
      '1',
      '--batch',
      '8',
    ];
    const rows = await bench([...args, '--concurrency', '4']);
    expect(rows.map(({ device, batch, concurrency }) => [device, batch, concurrency])).toEqual([
      ['/CPU:0', 1, 4],
      ['/CPU:0', 8, 4],
      ['/CPU:1', 1, 4],
      ['/CPU:1', 8, 4],
    ]);
    for (const { medianUs, p99Us, perSecond } of rows) {
      expect(medianUs).toBeGreaterThan(0);
      expect(p99Us).toBeGreaterThanOrEqual(medianUs!);
      expect(perSecond).toBeGreaterThan(0);
    }
  });

  it('goes on where one of them fails, and says why', async () => {
    const [good, bad] = await bench(['--device', '/CPU:0', '--device', '/CPU:9']);
    expect(good!.medianUs).toBeGreaterThan(0);
    expect(bad!.error).toContain('There is no device "/CPU:9"');
  });

  it('fails where all do', async () => {
    expectFailure(await command(['bench', MODEL, ...QUICK, '--device', '/CPU:9']), 1, /no device/);
  });

  it('takes frozen models, and writes a page and a table', async () => {
    const page = `${await temporaryDirectory()}/bench.html`;
    const { status, stdout, stderr } = await command(['bench', MODEL, ...QUICK, '--freeze', '--html', page]);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/device +batch +in flight +median/);
    expect(await readFile(page, 'utf8')).toMatch(/"label":"as placed","batch":1,"concurrency":1,/);
  });

  it('cannot batch what has a fixed first dimension', async () => {
    const args = ['bench', fixture('dims'), ...QUICK, '--batch', '4'];
    expectFailure(await command(args), 1, /fixed first dimension/);
  });

  it.each([
    [['--batch', '0'], /--batch/],
    [['--concurrency', 'many'], /--concurrency/],
    [['--rounds', '1.5'], /--rounds/],
  ])('%j is wrong usage', async (args, message) => {
    expectFailure(await command(['bench', MODEL, ...args]), 2, message);
  });
});

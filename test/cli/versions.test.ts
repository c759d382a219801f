/** Commands take a folder with versions of a model, and say which one it was. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { layOut } from '../helpers/versions.js';
import { command, commandJson, expectFailure, withoutLibrary } from './command.js';

interface Ran {
  outputs: { version: { data: number[] } };
}

it('show and types, without a library', async () => {
  const home = await layOut(1, 12);
  const env = await withoutLibrary();
  expect((await command(['show', home], { env })).stdout).toContain(join(home, '12'));
  const { source } = await commandJson<{ source: string }>(['types', home], { env });
  // The same for the next version.
  expect(source).not.toContain('12');
});

it('run, place, trace and bench', async () => {
  const home = await layOut(1, 2);
  const out = join(home, 'trace.json');
  expect((await commandJson<Ran>(['run', home, '--input', 'x=[1]'])).outputs.version.data).toEqual([2]);
  expect((await command(['place', home])).stdout).toContain(`${join(home, '2')} [serve]`);
  expect((await command(['trace', home, '--out', out])).stdout).toContain(`${join(home, '2')} [serve]`);
  const bench = ['bench', home, '--rounds', '1', '--round-ms', '20', '--device', '/CPU:0'];
  expect((await commandJson<{ results: unknown[] }>(bench)).results).toHaveLength(1);
});

it('a certain one, by the options of load or by its own folder', async () => {
  const home = await layOut(1, 2);
  const options = join(home, 'options.json');
  await writeFile(options, JSON.stringify({ version: 1, warmUp: false }));
  const run = ['--input', 'x=[1]'];
  const byOption = await commandJson<Ran>(['run', home, '--options', options, ...run]);
  const byFolder = await commandJson<Ran>(['run', join(home, '1'), ...run]);
  for (const { outputs } of [byOption, byFolder]) expect(outputs.version.data).toEqual([1]);
  const bench = ['bench', home, '--options', options, '--rounds', '1', '--round-ms', '20'];
  expect((await command([...bench, '--device', '/CPU:0'])).status).toBe(0);
  await writeFile(options, JSON.stringify({ version: 3 }));
  expectFailure(await command(['run', home, '--options', options]), 1, 'There is no version 3');
});

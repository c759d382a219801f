import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeOfficial, useTemporaryFolder } from '../runtime/archives.js';
import { command, commandJson, expectFailure } from './command.js';

const temporary = useTemporaryFolder();

describe('install --from', () => {
  it('prints what it installed, and all else to stderr', async () => {
    const from = await makeOfficial(temporary.path);
    const path = join(temporary.cache, '2.18.0-cpu', 'lib', 'libtensorflow.so.2');
    const first = await command(['install', '--from', from]);
    expect(first).toMatchObject({ status: 0, stdout: `TensorFlow 2.18.0 (cpu) is installed:\n${path}\n` });
    expect(first.stderr).toMatch(/Unpacking/);
    const again = ['install', '--from', from, '--tensorflow', '2.18.0'];
    expect(await commandJson(again)).toEqual({ version: '2.18.0', path, variant: 'cpu' });
    expect(await commandJson([...again, '--force'])).toEqual({ version: '2.18.0', path, variant: 'cpu' });
  });

  it('--gpu of a CPU build is wrong usage', async () => {
    const from = await makeOfficial(temporary.path);
    const ended = await command(['install', '--gpu', '--json', '--from', from]);
    expectFailure(ended, 2, /INVALID_OPTION: .*holds a CPU build.*Leave `--gpu`/);
  });

  it('fails with one message', async () => {
    const missing = join(temporary.path, 'no.whl');
    expectFailure(await command(['install', '--json', '--from', missing]), 1, /NOT_FOUND: .*no\.whl/);
    const from = await makeOfficial(temporary.path);
    const other = await command(['install', '--json', '--from', from, '--tensorflow', '2.17.0']);
    expectFailure(other, 2, /INVALID_OPTION: .*2\.17\.0/);
  });
});

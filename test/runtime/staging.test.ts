import { mkdir, readdir, rename, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { openStaging, sweepStaging } from '../../lib/runtime/install/staging.js';
import { storageError } from '../../lib/runtime/install/storage-error.js';
import { useTemporaryFolder } from './archives.js';

const temporary = useTemporaryFolder();

/** A staging folder of this process, renamed as if it were another's. */
async function stagingOf(change: (fields: string[]) => void): Promise<string> {
  const made = await openStaging(temporary.path);
  // ['', 'staging' with its dot, where, pid, start, random]
  const fields = basename(made).split('-');
  change(fields);
  const name = fields.join('-');
  await rename(made, join(temporary.path, name));
  await mkdir(join(temporary.path, name, 'made'));
  return name;
}

const WHERE = 1;
const PID = 2;
const START = 3;

it('sweeps the staging folders of ended processes, and no others', async () => {
  const own = await stagingOf(() => undefined);
  const ended = await stagingOf((fields) => {
    fields[PID] = '4194305'; // above the highest pid of Linux
  });
  const reused = await stagingOf((fields) => {
    fields[START] = String(Number(fields[START]) - 1);
  });
  const foreign = await stagingOf((fields) => {
    fields[WHERE] = '0123456789ab';
  });
  const forgotten = await stagingOf((fields) => {
    fields[WHERE] = 'ba9876543210';
  });
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
  await utimes(join(temporary.path, forgotten), twoDaysAgo, twoDaysAgo);
  await mkdir(join(temporary.path, '2.21.0-cpu'));

  await sweepStaging(temporary.path);
  const left = await readdir(temporary.path);
  expect(left).toEqual(expect.arrayContaining([own, foreign, '2.21.0-cpu']));
  for (const name of [ended, reused, forgotten]) expect(left).not.toContain(name);
});

it('says what to do about a full disk', () => {
  const error = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
  expect(storageError(error, '/cache')).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message: expect.stringMatching(/no space left.*XDG_CACHE_HOME.*\/cache/s),
  });
  const other = new Error('other');
  expect(storageError(other, '/cache')).toBe(other);
});

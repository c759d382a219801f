// Files out of a Python wheel, which pip fetches.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { Failure } from './failure.mjs';
import { pip } from './pip.mjs';

/**
 * The wheel that was fetched into `folder`, which is made.
 *
 * @param {string} requirement `basic-pitch==0.4.0`
 * @param {string} folder
 * @param {{ sha256?: string, args?: string[] }} options `sha256`: what the wheel's has to be. `args`: more of pip's.
 * @returns {Promise<string>}
 */
export async function fetchWheel(requirement, folder, { sha256, args = [] }) {
  await mkdir(folder);
  await pip(
    ['download', '--no-deps', '--only-binary=:all:', ...args, requirement, '-d', folder],
    requirement,
  );
  const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (name === undefined) throw new Failure(`pip fetched no wheel of ${requirement}.`);
  if (sha256 === undefined) return join(folder, name);
  const found = createHash('sha256')
    .update(await readFile(join(folder, name)))
    .digest('hex');
  if (found !== sha256) {
    throw new Failure(
      `The wheel of ${requirement} that pip fetched is not the one this was made for: its SHA-256 is ${found} ` +
        `instead of ${sha256}. Look at the index that pip is set to.`,
    );
  }
  return join(folder, name);
}

/**
 * Takes files out of a wheel.
 *
 * @param {string} wheel
 * @param {string} folder
 * @param {(name: string) => string | undefined} place Where a file goes, relative to `folder`; undefined: nowhere.
 */
export async function unpackWheel(wheel, folder, place) {
  const zip = await openPromise(wheel, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      const name = place(entry.fileName);
      if (name === undefined) continue;
      const file = join(folder, name);
      await mkdir(dirname(file), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file, { flush: true }));
    }
  } finally {
    zip.close();
  }
}

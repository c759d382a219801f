// The models of a bundle, by the names under which its checks and benchmarks look for them.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { models as benchModels } from '../../bench/peers.mjs';
import { basicPitch } from '../../models/basic-pitch.mjs';

/** What the benchmarks of a GPU have no use for. */
const UNUSED = ['strings', 'copy'];

/** @returns {Promise<Record<string, string>>} Folder in the bundle: folder here. */
export async function modelFolders() {
  const made = await benchModels();
  const names = (await readdir(made)).filter((name) => !UNUSED.includes(name) && !name.endsWith('.part'));
  return {
    ...Object.fromEntries(names.map((name) => [`models/${name}`, join(made, name)])),
    'models/basic-pitch': await basicPitch(),
  };
}

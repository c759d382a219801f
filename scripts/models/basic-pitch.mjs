// Basic Pitch by Spotify (Apache-2.0), a small model that hears notes: a real SavedModel, out of its Python wheel.
//
//   node scripts/models/basic-pitch.mjs     fetches it where it is not there yet, prints its folder
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, main } from '../tools/failure.mjs';
import { cached } from '../tools/publish.mjs';
import { fetchWheel, unpackWheel } from '../tools/wheel.mjs';

const VERSION = '0.4.0';
const WHEEL_BYTES = 758_279;
const WHEEL_SHA256 = '738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0';
const MODEL = 'basic_pitch/saved_models/icassp_2022/nmp/';
const INFO = `basic_pitch-${VERSION}.dist-info/`;

/** What is taken out of the wheel: sizes in bytes, by path in the folder that is made. */
const FILES = {
  'saved_model.pb': 1_084_140,
  'variables/variables.data-00000-of-00001': 219_309,
  'variables/variables.index': 4_794,
  LICENSE: 11_384,
  NOTICE: 1_034,
};

/**
 * The folder of the SavedModel, fetched with pip where it is not there yet.
 *
 * @param {{ onProgress?: (progress: { step: string, done: number, total: number | undefined }) => void }} [options]
 * @returns {Promise<string>}
 */
export function basicPitch({ onProgress = () => {} } = {}) {
  return cached(`models/basic-pitch-${VERSION}`, isWhole, async (folder, staging) => {
    onProgress({ step: 'Model', done: 0, total: WHEEL_BYTES });
    const wheel = await fetchWheel(`basic-pitch==${VERSION}`, join(staging, 'wheel'), {
      sha256: WHEEL_SHA256,
    });
    await unpackWheel(wheel, folder, (path) => {
      const name = path.replace(MODEL, '').replace(INFO, '');
      return Object.hasOwn(FILES, name) ? name : undefined;
    });
    if (!(await isWhole(folder))) throw new Failure(`${wheel} lacks files of the model.`);
    onProgress({ step: 'Model', done: WHEEL_BYTES, total: WHEEL_BYTES });
  });
}

async function isWhole(folder) {
  for (const [name, bytes] of Object.entries(FILES)) {
    if ((await stat(join(folder, name)).catch(() => undefined))?.size !== bytes) return false;
  }
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await basicPitch()));
}

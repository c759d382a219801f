// Basic Pitch by Spotify (Apache-2.0), a small model that hears notes: a real SavedModel, out of its Python wheel.
//
//   node scripts/models/basic-pitch.mjs     fetches it where it is not there yet, prints its folder
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { openPromise } from 'yauzl';
import { Failure, main } from '../tools/failure.mjs';
import { pip } from '../tools/pip.mjs';
import { cached } from '../tools/publish.mjs';

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
    const wheel = await download(join(staging, 'wheel'));
    await unpack(wheel, folder);
    onProgress({ step: 'Model', done: WHEEL_BYTES, total: WHEEL_BYTES });
  });
}

async function isWhole(folder) {
  for (const [name, bytes] of Object.entries(FILES)) {
    if ((await stat(join(folder, name)).catch(() => undefined))?.size !== bytes) return false;
  }
  return true;
}

async function download(folder) {
  await mkdir(folder);
  const requirement = `basic-pitch==${VERSION}`;
  await pip(['download', '--no-deps', '--only-binary=:all:', requirement, '-d', folder], requirement);
  const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (name === undefined) throw new Failure(`pip fetched no wheel of ${requirement}.`);
  const sha256 = createHash('sha256')
    .update(await readFile(join(folder, name)))
    .digest('hex');
  if (sha256 !== WHEEL_SHA256) {
    throw new Failure(
      `The wheel of ${requirement} that pip fetched is not the one this was made for: its SHA-256 is ${sha256} ` +
        `instead of ${WHEEL_SHA256}. Look at the index that pip is set to.`,
    );
  }
  return join(folder, name);
}

async function unpack(wheel, folder) {
  const zip = await openPromise(wheel, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName.replace(MODEL, '').replace(INFO, '');
      if (!Object.hasOwn(FILES, name)) continue;
      const file = join(folder, name);
      await mkdir(dirname(file), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file, { flush: true }));
    }
  } finally {
    zip.close();
  }
  if (!(await isWhole(folder))) throw new Failure(`${wheel} lacks files of the model.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await basicPitch()));
}

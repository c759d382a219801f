// A ResNet50 with seeded random weights, for measurements: a SavedModel of 200 MB that Python's TensorFlow writes.
//
//   node scripts/models/resnet50.mjs [--venv DIR]     makes it where it is not there yet, prints its folder
//
// Beside `saved_model/` stand Python's own `input.npy`, `output.npy`, and `expected.json` with the signature's keys.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../run.mjs';
import { ROOT } from '../tools/dist.mjs';
import { main } from '../tools/failure.mjs';
import { cached } from '../tools/publish.mjs';

/**
 * The folder of the SavedModel.
 *
 * @param {{ venv?: string }} [options] `venv`: a Python environment with TensorFlow; else one is made in the cache.
 * @returns {Promise<string>}
 */
export async function resnet50({ venv } = {}) {
  // expected.json is written last, and a rename makes the folder whole.
  const isWhole = async (folder) =>
    (await stat(join(folder, 'expected.json')).catch(() => undefined)) !== undefined;
  const folder = await cached('models/resnet50', isWhole, (made) => {
    const args = [join(ROOT, 'scripts/fixtures/make.mjs'), '--resnet', made];
    if (venv !== undefined) args.push('--venv', venv);
    return run(process.execPath, args, { quiet: true });
  });
  return join(folder, 'saved_model');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({ options: { venv: { type: 'string' } } });
    console.log(await resnet50(values));
  }, 'node scripts/models/resnet50.mjs [--venv DIR]');
}

// What a prebuilt addon has to be able to do, in the Node and on the processor that run this file: started by
// try-arm64.mjs, with TF_SESSION_ADDON naming the addon.
//
// --install   fetch TensorFlow first where the cache has none for this processor
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SavedModel, Tensor, tensorflow } from 'tf-session';
import { fromDist, ROOT } from '../tools/dist.mjs';
import { main } from '../tools/failure.mjs';
import { ensureLibrary } from '../tools/library.mjs';

const MODEL = join(ROOT, 'test', 'fixtures', 'tf2-functions');
/** More than rounding on another processor. */
const TOLERANCE = 1e-5;

await main(async () => {
  const { addon, addonPath } = await fromDist('runtime/addon.js');
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}: ${addonPath()}`);
  console.log(`counts: ${JSON.stringify(addon().counts())}`);
  console.log(`dtypes: ${JSON.stringify(addon().dtypes())}`);
  await errors(addon());
  if (process.argv.includes('--install')) await ensureLibrary();
  await model();
});

/** Thrown in C++ on a worker thread, and on this one. */
async function errors(addon) {
  const missing = await addon.openLibrary('/nowhere/libtensorflow.so', undefined).catch((error) => error);
  assert.equal(missing.name, 'TensorFlowError');
  assert.equal(missing.code, 'LIBRARY_NOT_FOUND');
  console.log(`from a worker thread: ${missing.code}: ${missing.message}`);
  const none = (() => {
    try {
      return addon.allocate(-1);
    } catch (error) {
      return error;
    }
  })();
  assert.equal(none instanceof Error, true);
  console.log(`from this thread: ${none.name} ${none.code ?? ''}: ${none.message}`);
}

async function model() {
  const { cases } = JSON.parse(await readFile(join(MODEL, 'expected.json'), 'utf8'));
  const model = await SavedModel.load(join(MODEL, 'saved_model'));
  console.log(`TensorFlow ${tensorflow.version}`);
  let furthest = 0;
  for (const { signature, inputs, outputs } of cases) {
    const fed = Object.entries(inputs).map(([key, { data, shape, dtype }]) => [
      key,
      Tensor.from(data, shape, dtype),
    ]);
    const got = await model.run(Object.fromEntries(fed), { signature });
    for (const [key, { data }] of Object.entries(outputs)) {
      assert.equal(got[key].data.length, data.length);
      data.forEach((value, i) => {
        furthest = Math.max(furthest, Math.abs(value - got[key].data[i]));
      });
    }
  }
  assert.ok(furthest < TOLERANCE, `outputs are up to ${furthest} away from Python's`);
  const [{ signature }] = cases;
  const wrong = await model.run({ nothing: Tensor.from([1]) }, { signature }).catch((error) => error);
  assert.equal(wrong.name, 'TensorFlowError');
  await model.close();
  console.log(`${cases.length} runs as Python's, to ${furthest.toExponential(1)}; an error is ${wrong.code}`);
}

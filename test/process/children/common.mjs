// What the children share. They use the built package, as users do.
import { readFileSync } from 'node:fs';
import { SavedModel } from '../../../dist/index.js';
import { addon } from '../../../dist/runtime/addon.js';

export {
  SavedModel,
  Session,
  startServer,
  Tensor,
  TensorFlowError,
  tensorflow,
} from '../../../dist/index.js';

const fixture = (name) => new URL(`../../fixtures/${name}/`, import.meta.url);

/** Loads a fixture. */
export function load(name, options) {
  return SavedModel.load(new URL('saved_model', fixture(name)), options);
}

/** The first case of a fixture: what goes in, and what Python made of it. */
export function firstCase(name) {
  return JSON.parse(readFileSync(new URL('expected.json', fixture(name)), 'utf8')).cases[0];
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Live native objects of the process. */
export const counts = () => addon().counts();

/** Everything that can be collected is. Needs --expose-gc. */
export async function collect() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Tells the test that what comes next is what it measures. */
export function ready() {
  console.log('READY');
}

/** About a tenth of a second of short kernels. */
export const SHORT = { n: 512, k: 60 };

// The fixtures that run under AddressSanitizer, and what they are fed.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'tf-session';
import { tensorflowText } from '../models/tensorflow-text.mjs';
import { ROOT } from './dist.mjs';

const FIXTURES = join(ROOT, 'test', 'fixtures');
export const fixture = (name) => join(FIXTURES, name, 'saved_model');

const TEXTS = [
  '',
  'plain',
  'grün',
  '東京',
  '\u{1F388}',
  'x'.repeat(300),
  new Uint8Array([0xff, 0, 0x80]),
  'a\0b',
];

/** A tensor that fits an input of a signature, unknown dimensions 8. */
export function filler({ dtype, shape }) {
  const sizes = (shape ?? [8]).map((size) => (size < 0 ? 8 : size));
  const count = sizes.reduce((product, size) => product * size, 1);
  if (dtype === 'string')
    return Tensor.from(
      Array.from({ length: count }, (_, i) => TEXTS[i % 8]),
      sizes,
      dtype,
    );
  if (dtype === 'float32') return Tensor.allocate(dtype, sizes);
  return Tensor.from(new Array(count).fill(dtype === 'bool' ? false : 0), sizes, dtype);
}

/** Op libraries, which some fixtures need; undefined where they cannot be fetched. */
const libraries = await tensorflowText().then(
  (folder) => (path) => join(folder, path),
  (error) => console.log(`Without op libraries: ${error.message}`),
);

/** Each fixture that is a SavedModel, with the options that it needs. */
export function fixtures() {
  return readdirSync(FIXTURES)
    .filter((name) => existsSync(fixture(name)))
    .map((name) => {
      const { config, opLibraries = [] } = JSON.parse(
        readFileSync(join(FIXTURES, name, 'expected.json'), 'utf8'),
      );
      return { name, config: { deviceCount: { CPU: 2 }, ...config }, opLibraries };
    })
    .filter(({ opLibraries }) => opLibraries.length === 0 || libraries !== undefined)
    .map((each) => ({ ...each, opLibraries: each.opLibraries.map(libraries) }));
}

/** Each signature of a model and what to feed it, `times` over. */
export function calls(model, times) {
  return Object.entries(model.signatures).flatMap(([signature, { inputs }]) =>
    Array.from({ length: times }, (_, i) => ({
      signature,
      i,
      fill: () => Object.fromEntries(Object.entries(inputs).map(([key, info]) => [key, filler(info)])),
    })),
  );
}

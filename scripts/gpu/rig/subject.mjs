// The model of the README's three cases, or a fixture in its place.

import { SavedModel, Tensor } from 'tf-session';
import { inputsFor } from './seen.mjs';

/** Of all frequencies: Basic Pitch takes logarithms of them, and where there is next to nothing these are of rounding errors. */
function noise(shape) {
  const count = shape.reduce((product, size) => product * size, 1);
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Tensor.from(Float32Array.from({ length: count }, next), shape);
}

/** Basic Pitch, its inputs, and what is to be said where it is missing. */
export async function pitch(context) {
  const own = context.model('basic-pitch');
  const skipped =
    own === undefined ? ['Basic Pitch is not there: a fixture of convolutions in its place'] : [];
  const name = own === undefined ? 'keras-nested' : 'basic-pitch';
  const folder = own ?? (await context.fixture(name)).folder;
  // Signatures are read without a session that would settle anything of the GPU.
  const model = await SavedModel.load(folder, {
    config: { deviceCount: { CPU: context.rehearse ? 4 : 1, GPU: 0 } },
  });
  const inputs = Object.fromEntries(
    Object.entries(inputsFor(model, 1)).map(([key, { shape }]) => [key, noise(shape)]),
  );
  await model.close();
  return { name, folder, inputs, skipped };
}

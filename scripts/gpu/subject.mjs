// The model of the README's three cases, or a fixture in its place.

import { SavedModel } from 'tf-session';
import { inputsFor } from './seen.mjs';

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
  const inputs = inputsFor(model, 1);
  await model.close();
  return { name, folder, inputs, skipped };
}

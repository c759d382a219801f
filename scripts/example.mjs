// What using tf-session looks like; `npm start` runs this. In your own program: `npm install tf-session`.
import { SavedModel, Tensor, tensorflow } from 'tf-session';

/** TensorFlow's ConfigProto, in place before the model is loaded. Every field of it may stand here. */
export const config = {
  deviceCount: { CPU: 4 },
  allowSoftPlacement: true,
  intraOpParallelismThreads: 2,
  interOpParallelismThreads: 2,
};

/**
 * Gives a SavedModel that hears notes some sound.
 *
 * @param {string} folder
 * @param {Float32Array} sound
 * @param {import('tf-session').ConfigProtoJson} config
 * @param {(what: string) => void} lap Called after each step, for a stopwatch.
 */
export async function listen(folder, sound, config, lap) {
  await tensorflow.open({ logLevel: 'warning' }); // may be left out: the first load does it
  lap('Opening the library');

  const model = await SavedModel.load(folder, { config });
  lap('Loading the model');

  const [input] = Object.keys(model.signatures.serving_default.inputs);
  const inputs = { [input]: Tensor.from(sound, [1, sound.length, 1]) };
  const { note } = await model.run(inputs);
  lap('First run');

  for (let i = 0; i < 20; i++) {
    await model.run(inputs, { outputs: ['note'] });
    lap('Further runs');
  }

  const devices = await model.devices();
  await model.close();
  return { note: note.data, devices };
}

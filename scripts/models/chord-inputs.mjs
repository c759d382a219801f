// What the network that hears notes is given: a chord.
import { Tensor } from 'tf-session';
import { fromDist } from '../tools/dist.mjs';
import { C_MAJOR, synthesize } from './chord.mjs';

/** @param {string} folder The model's, for the name of its input. */
export async function chordInputs(folder) {
  const { readMetaGraph } = await fromDist('saved-model/reader.js');
  const { signatureDef } = await readMetaGraph(folder, ['serve']);
  const [input] = Object.keys(signatureDef.serving_default.inputs);
  const sound = synthesize(C_MAJOR);
  return { [input]: Tensor.from(sound, [1, sound.length, 1]) };
}

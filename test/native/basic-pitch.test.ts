import { describe, expect, it } from 'vitest';
import { SavedModel, Tensor } from '../../lib/index.js';
import { fixtureJson } from '../helpers/fixtures.js';
import { readNpy } from '../helpers/npy.js';

interface Expected {
  signature: string;
  input: { key: string; file: string; divideBy: number; shape: number[] };
  outputs: Record<string, { dtype: string; shape: number[] }>;
  threshold: number;
  notes: { midi: number; frames: number; peak: number }[];
}

const FOLDER = new URL('../fixtures/basic-pitch/', import.meta.url);
const LOWEST_NOTE = 21;
const expected = fixtureJson<Expected>('basic-pitch');
/** Fetches the model where it is not in the cache yet. */
const helper = new URL('../../scripts/models/basic-pitch.mjs', import.meta.url);

describe("Spotify's Basic Pitch, a model of the wild", () => {
  it('hears the notes of a chord, as in Python', async () => {
    const { basicPitch } = (await import(helper.href)) as { basicPitch(): Promise<string> };
    await using model = await SavedModel.load(await basicPitch());
    const { key, file, divideBy, shape } = expected.input;
    const audio = Float32Array.from(readNpy(new URL(file, FOLDER)).data, (sample) => sample / divideBy);
    expect(Object.keys(model.signatures[expected.signature]!.inputs)).toEqual([key]);

    const outputs = await model.run({ [key]: Tensor.from(audio, shape) }, { signature: expected.signature });

    for (const [name, { dtype, shape: outputShape }] of Object.entries(expected.outputs)) {
      const given = outputs[name]!;
      const wanted = readNpy(new URL(`${name}.npy`, FOLDER));
      expect(wanted.shape).toEqual(outputShape);
      expect({ dtype: given.dtype, shape: given.shape }).toEqual({ dtype, shape: outputShape });
      const data = given.data as Float32Array;
      const worst = data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted.data[i]!)), 0);
      expect(data).toHaveLength(wanted.data.length);
      console.log(`${name}: differs from Python's by at most ${worst.toExponential(1)}`);
      expect(worst, name).toBeLessThan(1e-5);
    }
    expect(soundingNotes(outputs.note as Tensor<'float32'>)).toEqual(expected.notes);
  }, 300_000);
});

/** The pitches above the threshold in at least a tenth of the frames. */
function soundingNotes(note: Tensor<'float32'>): Expected['notes'] {
  const [, frames, pitches] = note.shape as [number, number, number];
  const found: Expected['notes'] = [];
  for (let pitch = 0; pitch < pitches; pitch++) {
    const strengths = note.data.filter((_, i) => i % pitches === pitch);
    const loud = strengths.filter((strength) => strength > expected.threshold).length;
    if (loud <= frames / 10) continue;
    const peak = Math.round(Math.max(...strengths) * 1e4) / 1e4;
    found.push({ midi: LOWEST_NOTE + pitch, frames: loud, peak });
  }
  return found;
}

// A chord as sound, and notes out of what Basic Pitch says about it. Pure functions.
//
// A note is `{ midi, start }`: its number (60 is the middle C) and when it is struck, in seconds.

export const SAMPLE_RATE = 22_050;
/** The window that the model takes: about two seconds. */
export const SAMPLES = 43_844;

/** The model's first pitch: the piano's lowest A. */
const LOWEST_NOTE = 21;
const PITCHES = 88;
/** Samples from one of the model's frames to the next. */
const FRAME_SAMPLES = 256;

/** A C major chord, broken: C4, E4, G4, C5. */
export const C_MAJOR = [
  { midi: 60, start: 0 },
  { midi: 64, start: 0.25 },
  { midi: 67, start: 0.5 },
  { midi: 72, start: 0.75 },
];

/**
 * Struck strings: harmonics that fade, the higher the faster.
 *
 * @param {readonly { midi: number, start: number }[]} notes
 * @returns {Float32Array} SAMPLES values, the loudest 0.8; silence where there are no notes.
 */
export function synthesize(notes, samples = SAMPLES) {
  const sound = new Float32Array(samples);
  for (const { midi, start } of notes) {
    const frequency = 440 * 2 ** ((midi - 69) / 12);
    for (let i = Math.round(start * SAMPLE_RATE); i < samples; i++) {
      const seconds = i / SAMPLE_RATE - start;
      const attack = Math.min(seconds / 0.01, 1);
      for (let harmonic = 1; harmonic <= 6; harmonic++) {
        const loudness = (attack * Math.exp(-1.5 * harmonic * seconds)) / harmonic ** 1.5;
        sound[i] += loudness * Math.sin(2 * Math.PI * frequency * harmonic * seconds);
      }
    }
  }
  const loudest = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return loudest === 0 ? sound : sound.map((value) => (value / loudest) * 0.8);
}

/**
 * The notes that sound: pitches above the threshold for long enough.
 *
 * @param {ArrayLike<number>} note The model's output `note`: how sure it is of each pitch, frame by frame.
 * @param {{ threshold?: number, seconds?: number }} [options] `seconds`: what is shorter is no note.
 * @returns {{ midi: number, start: number, confidence: number }[]} From the lowest; `confidence` of its surest frame.
 */
export function notesOf(note, { threshold = 0.5, seconds = 0.15 } = {}) {
  const frames = note.length / PITCHES;
  const notes = [];
  for (let pitch = 0; pitch < PITCHES; pitch++) {
    let first = -1;
    let count = 0;
    let confidence = 0;
    for (let frame = 0; frame < frames; frame++) {
      const sure = note[frame * PITCHES + pitch];
      if (sure < threshold) continue;
      if (count === 0) first = frame;
      count++;
      confidence = Math.max(confidence, sure);
    }
    if ((count * FRAME_SAMPLES) / SAMPLE_RATE < seconds) continue;
    notes.push({ midi: LOWEST_NOTE + pitch, start: (first * FRAME_SAMPLES) / SAMPLE_RATE, confidence });
  }
  return notes;
}

/**
 * What was played beside what was heard, from the lowest note.
 *
 * @param {readonly { midi: number, start: number }[]} played
 * @param {readonly { midi: number, start: number, confidence: number }[]} heard
 */
export function compare(played, heard) {
  const all = new Set([...played, ...heard].map((note) => note.midi));
  return [...all]
    .sort((a, b) => a - b)
    .map((midi) => {
      const sent = played.find((note) => note.midi === midi);
      const got = heard.find((note) => note.midi === midi);
      const verdict = sent === undefined ? 'extra' : got === undefined ? 'missed' : 'heard';
      return { midi, verdict, played: sent?.start, start: got?.start, confidence: got?.confidence };
    });
}

/** `C4` for 60. */
export function noteName(midi) {
  const names = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'];
  return `${names[midi % 12]}${Math.floor(midi / 12) - 1}`;
}

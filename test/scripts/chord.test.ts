import { expect, test } from 'vitest';
import {
  C_MAJOR,
  compare,
  noteName,
  notesOf,
  SAMPLE_RATE,
  SAMPLES,
  synthesize,
} from '../../scripts/models/chord.mjs';

const PITCHES = 88;
const FRAMES = 172;

/** The model's output with one pitch at a value over some frames. */
function output(...sounding: { midi: number; from: number; to: number; value: number }[]): Float32Array {
  const note = new Float32Array(FRAMES * PITCHES);
  for (const { midi, from, to, value } of sounding) {
    for (let frame = from; frame < to; frame++) note[frame * PITCHES + midi - 21] = value;
  }
  return note;
}

/** How much of a frequency is in the sound. */
function power(sound: Float32Array, frequency: number): number {
  let real = 0;
  let imaginary = 0;
  sound.forEach((value, i) => {
    const angle = (2 * Math.PI * frequency * i) / SAMPLE_RATE;
    real += value * Math.cos(angle);
    imaginary += value * Math.sin(angle);
  });
  return Math.hypot(real, imaginary) / sound.length;
}

test('the chord fills the model’s window, is finite and not too loud', () => {
  const sound = synthesize(C_MAJOR);
  expect(sound).toHaveLength(SAMPLES);
  expect(sound.every((value) => Number.isFinite(value))).toBe(true);
  expect(Math.max(...sound.map(Math.abs))).toBeCloseTo(0.8, 5);
});

test('a note has its frequency and its octaves, and not the next note’s', () => {
  const sound = synthesize([{ midi: 69, start: 0 }]);
  expect(power(sound, 440)).toBeGreaterThan(20 * power(sound, 466.16));
  expect(power(sound, 880)).toBeGreaterThan(5 * power(sound, 932.33));
});

test('nothing sounds before a note is struck', () => {
  const sound = synthesize([{ midi: 60, start: 0.5 }]);
  expect(sound.subarray(0, SAMPLE_RATE / 2).every((value) => value === 0)).toBe(true);
  expect(sound.subarray(SAMPLE_RATE / 2).some((value) => value !== 0)).toBe(true);
});

test('no notes are silence', () => {
  expect(synthesize([], 100)).toEqual(new Float32Array(100));
});

test('a note is a pitch above the threshold for long enough', () => {
  const note = output(
    { midi: 60, from: 0, to: 100, value: 0.9 },
    { midi: 64, from: 43, to: 100, value: 0.625 },
    { midi: 67, from: 10, to: 14, value: 0.9 },
    { midi: 72, from: 0, to: 100, value: 0.4 },
  );
  const heard = notesOf(note);
  expect(heard.map(({ midi }) => midi)).toEqual([60, 64]);
  expect(heard[0]).toMatchObject({ start: 0, confidence: expect.closeTo(0.9, 6) });
  expect(heard[1]).toMatchObject({ start: expect.closeTo(0.499, 3), confidence: 0.625 });
  expect(notesOf(note, { threshold: 0.3, seconds: 0.01 })).toHaveLength(4);
});

test('the lowest and the highest key are there', () => {
  const note = output({ midi: 21, from: 0, to: 50, value: 1 }, { midi: 108, from: 0, to: 50, value: 1 });
  expect(notesOf(note).map(({ midi }) => noteName(midi))).toEqual(['A0', 'C8']);
});

test('each note is heard, missed or extra', () => {
  const played = [
    { midi: 64, start: 0.25 },
    { midi: 60, start: 0 },
  ];
  const heard = [
    { midi: 60, start: 0.02, confidence: 0.9 },
    { midi: 71, start: 0.3, confidence: 0.6 },
  ];
  expect(compare(played, heard)).toEqual([
    { midi: 60, verdict: 'heard', played: 0, start: 0.02, confidence: 0.9 },
    { midi: 64, verdict: 'missed', played: 0.25, start: undefined, confidence: undefined },
    { midi: 71, verdict: 'extra', played: undefined, start: 0.3, confidence: 0.6 },
  ]);
});

test('notes have names', () => {
  expect([60, 61, 69, 72].map(noteName)).toEqual(['C4', 'C#4', 'A4', 'C5']);
});

export interface Note {
  midi: number;
  start: number;
}

export interface HeardNote extends Note {
  confidence: number;
}

export interface Comparison {
  midi: number;
  verdict: 'heard' | 'missed' | 'extra';
  played: number | undefined;
  start: number | undefined;
  confidence: number | undefined;
}

export const SAMPLE_RATE: number;
export const SAMPLES: number;
export const C_MAJOR: Note[];
export function synthesize(notes: readonly Note[], samples?: number): Float32Array;
export function notesOf(
  note: ArrayLike<number>,
  options?: { threshold?: number; seconds?: number },
): HeardNote[];
export function compare(played: readonly Note[], heard: readonly HeardNote[]): Comparison[];
export function noteName(midi: number): string;

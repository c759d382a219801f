/** Values of constants. They are plain objects: they cross from one thread to another. */
import type { DType } from '../dtype.js';
import type { NativeCheckpointPart } from '../native.js';

interface Kind {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** One whose elements are here. */
export interface KnownValue extends Kind {
  readonly data: ArrayBufferView | readonly unknown[];
}

/** A tensor in a data file of a checkpoint, which is not read before the graph is made. */
export interface SavedValue extends Kind {
  readonly part: NativeCheckpointPart;
}

/** A tensor of who asked for the plan: the number of it there, and the elements of float32 where they are few. */
export interface HeldValue extends Kind {
  readonly held: number;
  readonly data?: Float32Array;
}

export type Value = KnownValue | SavedValue | HeldValue;

/** Bytes up to which the elements of a value are looked at: those of 16,384 channels. */
export const SMALL = 1 << 16;

/** What the process that measures one candidate is told, and what it answers. Sent with structured clone. */
import type { LoadOptions } from '../load-options.js';
import type { PrepareOptions } from '../prepared-call.js';

/** A tensor as it goes from process to process. */
export interface SentTensor {
  dtype: string;
  shape: readonly number[];
  data: unknown;
}

/** One candidate: a model with options, and how it is run. */
export interface Candidate {
  directory: string;
  /** The second argument of `SavedModel.load`. */
  options: LoadOptions;
  /** Signature, outputs, device, executor of the runs. */
  run: PrepareOptions;
  inputs: Readonly<Record<string, SentTensor>>;
  /** The libtensorflow of its process. Default: that of all. */
  library?: string | undefined;
  /** Rows of each run: the inputs' first dimension, where it is open, is filled up to it by repeating. Default: as the inputs are. */
  batch?: number | undefined;
  /** Runs in flight at any time. Default: 1. */
  concurrency?: number | undefined;
  /** Single rows through a batcher, made with the load option `batcher`. Default: false. */
  batches?: boolean | undefined;
}

export type ToChild =
  | { kind: 'start'; candidate: Candidate; library: string | undefined; wantOutputs: boolean }
  /** So many milliseconds, and no fewer than `leastRuns` runs. */
  | { kind: 'round'; milliseconds: number; leastRuns: number }
  | { kind: 'end' };

export type FromChild =
  | { kind: 'started'; loadMs: number; firstRunUs: number; outputs: Record<string, SentTensor> | undefined }
  | {
      kind: 'round';
      /** Of each run, in microseconds. */
      samples: Float64Array;
      /** Of the round, in microseconds. */
      wallUs: number;
      cpuUs: number;
      peakMemoryBytes: number;
    }
  | { kind: 'error'; code: string; message: string };

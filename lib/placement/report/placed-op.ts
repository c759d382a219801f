/** What a report says of ops and tensors. */
import type { Transfer } from './transfers.js';

/** An op of the model, and where it ran. */
export interface PlacedOp {
  /** As in the model. */
  readonly name: string;
  /** The op type: `MatMul`. */
  readonly type: string;
  /** The function in whose body it stands; `''` in the main graph. */
  readonly function: string;
  /** The device asked for by a rule or by the run, as it was written; `''` for none. */
  readonly requested: string;
  /** The device saved in the model, or `''`. */
  readonly saved: string;
  /** The full name of the device where it ran, or null; of several the first that was not asked for. */
  readonly actual: string | null;
  /**
   * `as requested`, `default` (nothing was asked), `soft placement: no GPU kernel`, `no such device`,
   * `colocated with …`, `resource of …`, `fused into …`, `folded` (TensorFlow needs it no more), `not run`.
   */
  readonly reason: string;
}

/** Where the ops of a model ran, in one run. */
export interface PlacementFacts {
  /** Each op once; those that only save, restore or initialise are left out. */
  readonly ops: readonly PlacedOp[];
  /** What crosses devices in each run, largest first. */
  readonly transfers: readonly Transfer[];
  /** Whether all that was asked and ran, ran where it was asked. */
  readonly exact: boolean;
}

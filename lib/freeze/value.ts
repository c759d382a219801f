/** Values of constants: tensors, or what lies in a checkpoint and is not read before the graph is made. */
import type { DType } from '../dtype.js';
import type { NativeCheckpointPart } from '../native.js';
import type { Tensor } from '../tensor.js';

/** A tensor in a data file of a checkpoint. */
export interface SavedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly part: NativeCheckpointPart;
}

export type Value = Tensor | SavedTensor;

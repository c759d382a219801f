// The signatures of saved_model [serve].
// Made by `tf-session types`. A dimension of any size is a number, a shape of any rank number[].
import type { TensorSpec } from '../../lib/index.js';

export type Signatures = {
  measure: {
    inputs: {
      text: TensorSpec<'string', [number]>;
    };
    outputs: {
      length: TensorSpec<'int32', [number]>;
    };
  };
  scale: {
    inputs: {
      by: TensorSpec<'float32', []>;
      x: TensorSpec<'float32', [number, 3]>;
    };
    outputs: {
      y: TensorSpec<'float32', [number, 3]>;
    };
  };
  serving_default: {
    inputs: {
      x: TensorSpec<'float32', [number, 3]>;
    };
    outputs: {
      largest: TensorSpec<'int64', [number]>;
      sum: TensorSpec<'float32', [number]>;
      weighted: TensorSpec<'float32', [number, 3]>;
    };
  };
};

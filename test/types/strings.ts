// The signatures of saved_model [serve].
// Made by `tf-session types`. A dimension of any size is a number, a shape of any rank number[].
import type { TensorSpec } from '../../lib/index.js';

export type Signatures = {
  greet: {
    inputs: {
      name: TensorSpec<'string', []>;
    };
    outputs: {
      text: TensorSpec<'string', []>;
    };
  };
  join: {
    inputs: {
      first: TensorSpec<'string', [number]>;
      second: TensorSpec<'string', [number]>;
    };
    outputs: {
      text: TensorSpec<'string', [number]>;
    };
  };
  length: {
    inputs: {
      text: TensorSpec<'string', number[]>;
    };
    outputs: {
      bytes: TensorSpec<'int32', number[]>;
      characters: TensorSpec<'int32', number[]>;
    };
  };
  raw: {
    inputs: Record<never, never>;
    outputs: {
      bytes: TensorSpec<'string', [6]>;
    };
  };
  repeat: {
    inputs: {
      text: TensorSpec<'string', []>;
      times: TensorSpec<'int32', []>;
    };
    outputs: {
      text: TensorSpec<'string', []>;
    };
  };
  same: {
    inputs: {
      text: TensorSpec<'string', number[]>;
    };
    outputs: {
      text: TensorSpec<'string', number[]>;
    };
  };
  upper: {
    inputs: {
      text: TensorSpec<'string', [number]>;
    };
    outputs: {
      text: TensorSpec<'string', [number]>;
    };
  };
};

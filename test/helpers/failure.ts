import { expect } from 'vitest';
import { TensorFlowError } from '../../lib/index.js';

/** The TensorFlowError that a promise rejects with, or that a function throws. */
export async function failure(from: Promise<unknown> | (() => unknown)): Promise<TensorFlowError> {
  let value: unknown;
  try {
    value = await (typeof from === 'function' ? from() : from);
  } catch (error) {
    expect(error).toBeInstanceOf(TensorFlowError);
    return error as TensorFlowError;
  }
  throw new Error(`This should have failed, and gave ${String(value)}.`);
}

/** Whether a signature is still what it was, in another version of its model. */
import { formatSpec } from './inputs.js';
import type { Signature, TensorInfo } from './saved-model/signatures.js';

/**
 * What is no longer as it was, for messages; undefined where callers notice nothing: the same inputs with the same types and
 * shapes, and these outputs with the same types and ranks. The tensors behind them may have other names.
 *
 * @param outputs those that are wanted
 */
export function signatureChange(
  before: Signature,
  after: Signature,
  outputs: readonly string[],
): string | undefined {
  const inputs = new Set([...Object.keys(before.inputs), ...Object.keys(after.inputs)]);
  for (const name of inputs) {
    const change = changed(`input "${name}"`, before.inputs[name], after.inputs[name], sameShape);
    if (change !== undefined) return change;
  }
  for (const name of outputs) {
    const change = changed(`output "${name}"`, before.outputs[name], after.outputs[name], sameRank);
    if (change !== undefined) return change;
  }
  return undefined;
}

type Shape = TensorInfo['shape'];

function changed(
  what: string,
  before: TensorInfo | undefined,
  after: TensorInfo | undefined,
  isSame: (a: Shape, b: Shape) => boolean,
): string | undefined {
  if (before === undefined) return `${what} is new`;
  if (after === undefined) return `${what} is gone`;
  if (before.dtype === after.dtype && isSame(before.shape, after.shape)) return undefined;
  return `${what} was ${formatSpec(before.dtype, before.shape)} and is ${formatSpec(after.dtype, after.shape)}`;
}

function sameShape(a: Shape, b: Shape): boolean {
  return sameRank(a, b) && (a === null || a.every((size, i) => size === b![i]));
}

function sameRank(a: Shape, b: Shape): boolean {
  return a?.length === b?.length;
}

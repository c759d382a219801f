/** What of a signature is batched, and which rows may go together. */
import { TensorFlowError } from '../errors.js';
import { formatSpec } from '../inputs.js';
import type { Signature, TensorInfo } from '../saved-model/signatures.js';
import type { Plan } from '../signature-plan.js';
import type { Tensor } from '../tensor.js';

/**
 * Throws where a signature cannot be batched: each input but scalars, and each output, must have an open first dimension.
 *
 * @throws TensorFlowError INVALID_ARGUMENT naming the first that has not
 */
export function checkBatchable(plan: Plan, signature: Signature): void {
  const batched = plan.inputs.filter(([, info]) => !isScalar(info));
  const refuse = (what: string, info: TensorInfo) => {
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The signature cannot be batched: its ${what} is ${formatSpec(info.dtype, info.shape)}, where the first dimension ` +
        'must be open (-1). Use model.run, or name the `outputs` that are batched.',
    );
  };
  if (batched.length === 0) {
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      'The signature cannot be batched: it has no input with an open first dimension (-1). Use model.run.',
    );
  }
  for (const [name, info] of batched) if (info.shape?.[0] !== -1) refuse(`input "${name}"`, info);
  for (const name of plan.outputs) {
    const info = signature.outputs[name]!;
    if (info.shape?.[0] !== -1) refuse(`output "${name}"`, info);
  }
}

export function isScalar(info: TensorInfo): boolean {
  return info.shape?.length === 0;
}

/**
 * The number of rows that a caller gives.
 *
 * @throws TensorFlowError INVALID_ARGUMENT where the inputs do not agree, or there are none or too many
 */
export function rowsOf(plan: Plan, inputs: readonly Tensor[], most: number): number {
  let rows = -1;
  let first = '';
  for (const [i, [name, info]] of plan.inputs.entries()) {
    if (isScalar(info)) continue;
    const given = inputs[i]!.shape[0]!;
    if (rows === -1) {
      rows = given;
      first = name;
    } else if (given !== rows) {
      throw new TensorFlowError(
        'INVALID_ARGUMENT',
        `The inputs must have as many rows each: "${first}" has ${rows}, "${name}" has ${given}.`,
      );
    }
  }
  if (rows >= 1 && rows <= most) return rows;
  throw new TensorFlowError(
    'INVALID_ARGUMENT',
    `A call of a batcher gives from 1 to ${most} rows (maxBatchSize), not ${rows}.`,
  );
}

/** What rows must have in common to go together: scalars, and inner shapes unless they are padded. */
export function makeKey(plan: Plan, pads: boolean): (inputs: readonly Tensor[]) => string {
  const scalars = plan.inputs.flatMap(([, info], i) => (isScalar(info) ? [i] : []));
  const open = plan.inputs.flatMap(([, { shape }], i) => (shape?.slice(1).includes(-1) && !pads ? [i] : []));
  if (scalars.length + open.length === 0) return () => '';
  return (inputs) =>
    JSON.stringify([
      scalars.map((i) => [...(inputs[i]!.data as Iterable<unknown>)].map(spell)),
      open.map((i) => inputs[i]!.shape.slice(1)),
    ]);
}

/** A value as text, so that unequal ones differ: NaN and -0 as well. */
function spell(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${value.join()}`;
  return Object.is(value, -0) ? '-0' : `${typeof value} ${String(value)}`;
}

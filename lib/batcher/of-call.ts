/** A batcher whose batches are runs of a prepared call, on whichever version of the model serves when they begin. */
import { TensorFlowError } from '../errors.js';
import type { ModelVersion } from '../model-version.js';
import type { PreparedCall } from '../prepared-call.js';
import { type BatchedModel, Batcher } from './batcher.js';
import type { Batching } from './options.js';
import { checkBatchable } from './shapes.js';

/** Throws INVALID_ARGUMENT where the signature cannot be batched. */
export function batcherOf<I extends object, O>(
  call: PreparedCall<I, O>,
  batching: Batching,
  onClosed: () => void,
): Batcher<I, O> {
  const { plan, version } = call.ready();
  checkBatchable(plan, version.signatures[call.signature]!);
  const model: BatchedModel = {
    plan,
    run: (inputs) => call.ready().runTensors(inputs, {}),
    isStateful: () => call.ready().changesState(),
    onClosed,
  };
  return new Batcher<I, O>(model, batching);
}

/** Throws INVALID_ARGUMENT where the batches of a batcher, whose call this is, could not run on that version. */
export function checkGoesOn(call: PreparedCall, next: ModelVersion): void {
  const change = call.changeIn(next);
  const advice = 'A batcher that is open needs it as it was: close that first.';
  if (change !== undefined) throw new TensorFlowError('INVALID_ARGUMENT', `${change} ${advice}`);
  checkBatchable(call.on(next).plan, next.signatures[call.signature]!);
}

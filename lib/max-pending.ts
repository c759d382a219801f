/** Runs that a session refuses since as many wait as may. */
import { TensorFlowError } from './errors.js';
import type { NativeSession } from './native.js';

const refusals = new WeakSet<object>();

/** Whether a run was refused because too many waited: more runs would be no help. */
export function isRefused(error: unknown): boolean {
  return typeof error === 'object' && error !== null && refusals.has(error);
}

/** What throws RESOURCE_EXHAUSTED where one more run of this session would be too many; nothing where any number may wait. */
export function roomCheck(native: NativeSession, maxPending: number | undefined): (() => void) | undefined {
  if (maxPending === undefined) return undefined;
  return () => {
    const crowd = native.crowd(maxPending);
    if (crowd !== undefined) throw refusal(...crowd);
  };
}

function refusal(waiting: number, atWork: number): TensorFlowError {
  const error = new TensorFlowError(
    'RESOURCE_EXHAUSTED',
    `The run was refused: ${waiting} of its session wait already, as many as may (maxPending), and ${atWork} ${atWork === 1 ? 'is' : 'are'} at work. ` +
      'Try again later, let fewer callers in, or load the model with a higher maxPending.',
  );
  refusals.add(error);
  return error;
}

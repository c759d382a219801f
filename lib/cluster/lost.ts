/** Errors of what a task that is gone has taken along. */
import { TensorFlowError } from '../errors.js';

/** What a session rejects with once a task of it is gone. */
const lostErrors = new WeakSet<object>();

/** Whether a run was rejected because a task was gone, so that it may be run elsewhere. */
export function isLost(error: unknown): boolean {
  return typeof error === 'object' && error !== null && lostErrors.has(error);
}

/** An error of that kind. */
export function lostError(message: string, cause?: unknown): TensorFlowError {
  const error = new TensorFlowError('UNAVAILABLE', message, { cause });
  lostErrors.add(error);
  return error;
}

/** The task that a message of TensorFlow's names first, as rules name it. */
export function taskNamed(message: string): string | undefined {
  const found = /\/job:(\w+)\/(?:replica:\d+\/)?task:(\d+)/.exec(message);
  return found === null ? undefined : `/job:${found[1]}/task:${found[2]}`;
}

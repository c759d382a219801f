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

/** The task that a message of TensorFlow's is about, as rules name it: the one that did not answer, else the first. */
export function taskNamed(message: string): string | undefined {
  const [, job, task] =
    /remote target \/job:(\w+)\/(?:replica:\d+\/)?task:(\d+)/.exec(message) ??
    /\/job:(\w+)\/(?:replica:\d+\/)?task:(\d+)/.exec(message) ??
    [];
  return job === undefined ? undefined : `/job:${job}/task:${task}`;
}

/** What a message of TensorFlow's says besides who says it. */
export function reasonIn(message: string): string {
  const isFrame = /^(=*|(\w+: )?From \/job:.*|Additional GRPC error information.*)$/;
  return message.split('\n').find((line) => !isFrame.test(line)) ?? message;
}

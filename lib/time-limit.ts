/** A promise under a time limit and a signal. */
import { onAbort } from './abort.js';
import { TensorFlowError } from './errors.js';
import type { RunControl } from './run.js';

/** The longest time that a Node timer takes; anything longer is no limit. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** `outputs` under a time limit and a signal; `withdraw` is called where either ends it. TensorFlow's own time limit never interrupts a kernel, so the promise has a timer of ours. */
export function limit<T>(
  outputs: Promise<T>,
  control: Pick<RunControl, 'timeout' | 'signal'>,
  withdraw: () => void,
): Promise<T> {
  const { timeout, signal } = control;
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const giveUp = (reason: unknown) => {
      withdraw();
      settle();
      reject(reason);
    };
    const stopListening = signal === undefined ? undefined : onAbort(signal, () => giveUp(signal.reason));
    const settle = () => {
      clearTimeout(timer);
      stopListening?.();
    };
    if (timeout !== undefined && timeout <= LONGEST_TIMER) {
      timer = setTimeout(() => giveUp(tooLate(timeout)), timeout);
    }
    outputs.then(
      (tensors) => {
        settle();
        resolve(tensors);
      },
      (error) => {
        settle();
        reject(error);
      },
    );
  });
}

export function tooLate(timeout: number): TensorFlowError {
  return new TensorFlowError(
    'DEADLINE_EXCEEDED',
    `The run did not end within its timeout of ${timeout} ms, waiting for its turn included.`,
  );
}

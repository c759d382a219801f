/** Why a session could not be made on a cluster, said better than TensorFlow does where that can be known here. */
import { TensorFlowError } from '../errors.js';
import { isLost, lostError, taskNamed } from './lost.js';
import type { Site } from './site.js';

/** TensorFlow's words of a file that a task does not find, or may not read. */
const NO_FILE =
  /matching files|No such file|Unsuccessful TensorSliceReader|NewRandomAccessFile|Permission denied/i;

/** A better error where the target made no session in time, or `error` itself. */
export function explainLate(error: unknown, site: Site): unknown {
  if (!(error instanceof TensorFlowError) || error.code !== 'DEADLINE_EXCEEDED') return error;
  return lostError(
    `${site.label} did not make the session in time: it waits for every task of its cluster, and one of them may be gone. ` +
      'config: { deviceFilters: ["/job:worker/task:0", …] } names those that count, config.operationTimeoutInMs how long to wait.',
    error,
  );
}

/**
 * The same, and where a task could not read the model. What is missing on this machine as well is explained elsewhere.
 *
 * @param folder the model's, as the tasks were told it
 */
export function explainMake(error: unknown, folder: string, site: Site): unknown {
  if (!(error instanceof TensorFlowError) || isLost(error) || !NO_FILE.test(error.message)) {
    return explainLate(error, site);
  }
  return new TensorFlowError(
    'NOT_FOUND',
    `${taskNamed(error.message) ?? site.label} cannot read the model's files, which it was told are in ${folder}: variables and ` +
      'assets are read where they are placed. Put the model on a path that all tasks see alike, copy it to the same path there, ' +
      'or load it with freeze: true, which sends the variables along with the graph (assets, such as vocabularies, are read all ' +
      `the same).\nTensorFlow: ${error.message}`,
    { cause: error },
  );
}

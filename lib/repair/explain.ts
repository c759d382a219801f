/** Errors of runs that read a variable which nothing restores. */
import { TensorFlowError } from '../errors.js';

/** What TensorFlow says of a variable that has no value. */
const NO_VALUE =
  /Could not find variable (\S+?)\. |Error while reading resource variable (\S+) from|Attempting to use uninitialized value (\S+)/;

/**
 * A better error where a run reads a variable that could not be restored; else `error` itself.
 *
 * @param beyond By the variable's name: why nothing restores it.
 */
export function explainNoValue(error: unknown, beyond: ReadonlyMap<string, string>): unknown {
  if (beyond.size === 0 || !(error instanceof TensorFlowError)) return error;
  const found = NO_VALUE.exec(error.message);
  const variable = found?.[1] ?? found?.[2] ?? found?.[3];
  const why = variable === undefined ? undefined : beyond.get(variable);
  if (why === undefined) return error;
  const more = beyond.size > 1 ? ` So it is with ${beyond.size - 1} more of the model's variables.` : '';
  return new TensorFlowError(
    'FAILED_PRECONDITION',
    `The variable ${JSON.stringify(variable)} has no value: the model's restore op leaves it out, as in exports of a Keras 3 model inside of a tf.Module, and ${why}.${more} ` +
      'Export the model anew: by model.export(), or with its variables as attributes of the module that is saved.',
    { cause: error, ...(error.op !== undefined && { op: error.op }) },
  );
}

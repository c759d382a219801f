/** Shapes of tensors: copied, checked, counted. */
import { TensorFlowError } from './errors.js';
import { show } from './show.js';

/** TensorFlow ends the process for tensors of more dimensions. */
export const MOST_DIMENSIONS = 254;

function fail(message: string): never {
  throw new TensorFlowError('INVALID_ARGUMENT', message);
}

/** A copy of a shape that is one for `elementCount`: what is read twice may be two things. */
export function copyShape(shape: readonly number[]): number[] {
  if (!Array.isArray(shape)) fail(`A shape is an array of whole numbers; ${show(shape)} is none.`);
  const { length } = shape;
  if (!(length <= MOST_DIMENSIONS)) tooManyDimensions();
  const copy: number[] = [];
  // No dimension is -0.
  for (let i = 0; i < length; i++) {
    const size = shape[i]!;
    copy.push(size === 0 ? 0 : size);
  }
  return copy;
}

/** Throws INVALID_ARGUMENT. */
export function tooManyDimensions(): never {
  return fail(`A tensor has at most ${MOST_DIMENSIONS} dimensions.`);
}

/** Elements of a shape; checks that each dimension is a whole number of 0 or more, and that there are not too many. */
export function elementCount(shape: readonly number[]): number {
  if (shape.length > MOST_DIMENSIONS) tooManyDimensions();
  let count = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      fail(`A shape consists of whole numbers of 0 or more; ${show(shape)} does not.`);
    }
    count *= dimension;
  }
  if (!Number.isSafeInteger(count)) fail(`The shape ${show(shape)} has too many elements.`);
  return count;
}

/** What is wrong with a graph that TensorFlow does not look at before it relies on it, and ends the process over. */
import { TensorFlowError } from '../errors.js';
import { opTitle } from '../placement/check-devices.js';
import type { NodeList } from '../placement/node-list.js';

/**
 * @param name of the model, for messages
 * @throws TensorFlowError INVALID_ARGUMENT naming the op and the attribute
 */
export function checkFaults(name: string, index: NodeList): void {
  const first = index.faults[0];
  if (first === undefined) return;
  const [node, text] = first;
  const op = index.name(node);
  throw new TensorFlowError(
    'INVALID_ARGUMENT',
    `${name} is damaged at the op ${opTitle({ name: op, function: index.function(node) })} ${text}. TensorFlow would end the process over it.`,
    { op },
  );
}

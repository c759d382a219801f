import { beforeAll, expect, it } from 'vitest';
import { TensorFlowError } from '../../lib/errors.js';
import { NodeList } from '../../lib/placement/node-list.js';
import { NodePicker } from '../../lib/placement/node-picker.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';

beforeAll(() => openLibrary());

const message = (number: number, bytes: readonly number[]) => [(number << 3) | 2, bytes.length, ...bytes];

it('what a function takes is a loss of data where it is damaged below what is listed', async () => {
  const argument = message(2, [0x16]); // a wire type that does not exist
  const signature = message(1, [...message(1, [0x66]), ...argument]);
  const graph = Uint8Array.from(message(2, message(1, signature)));
  const picker = new NodePicker(graph, await NodeList.read(graph));
  expect(() => picker.argument(1, 'x')).toThrow(TensorFlowError);
  expect(() => picker.argument(1, 'x')).toThrow(/damaged/);
});

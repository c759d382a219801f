import { beforeAll, expect, it } from 'vitest';
import { TensorFlowError } from '../../lib/errors.js';
import { NodeList } from '../../lib/placement/node-list.js';
import { NodePicker } from '../../lib/placement/node-picker.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';

beforeAll(() => openLibrary());

const message = (number: number, bytes: readonly number[]) => [(number << 3) | 2, bytes.length, ...bytes];

/** A graph of one function `f`, whose argument is these bytes. */
const withArgument = (argument: readonly number[]) =>
  Uint8Array.from(message(2, message(1, message(1, [...message(1, [0x66]), ...message(2, argument)]))));

it('what a function takes is a loss of data where it is damaged', async () => {
  const [whole, damaged] = [withArgument(message(1, [0x78])), withArgument([0x16])]; // a wire type that does not exist
  await expect(NodeList.read(damaged)).rejects.toThrow(/damaged/);
  const list = await NodeList.read(whole);
  expect(new NodePicker(whole, list).argument(1, 'x')).toBe(0);
  const picker = new NodePicker(damaged, list);
  expect(() => picker.argument(1, 'x')).toThrow(TensorFlowError);
  expect(() => picker.argument(1, 'x')).toThrow(/damaged/);
});

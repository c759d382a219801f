/** A tensor in a line, for people. */
import { dtypeInfo } from '../../dtype.js';
import type { Tensor } from '../../tensor.js';
import { formatShape, shorten } from './text.js';

const MOST_VALUES = 6;
const MOST_TEXT = 40;

/** Column titles of `tensorRow`. */
export const TENSOR_TITLES = ['output', 'dtype', 'shape', 'min', 'max', 'mean', 'values'];

/** Name, data type, shape, smallest and largest value and mean of the finite ones, the first values. */
export function tensorRow(name: string, tensor: Tensor): string[] {
  const { min, max, mean } = statistics(tensor);
  return [name, tensor.dtype, formatShape(tensor.shape), min, max, mean, firstValues(tensor)];
}

function statistics(tensor: Tensor): { min: string; max: string; mean: string } {
  const none = { min: '', max: '', mean: '' };
  const { data } = tensor;
  const { codec, width, name } = dtypeInfo(tensor.dtype);
  if (Array.isArray(data) || width === 2 || name === 'bool') return none;
  let min: number | bigint = Infinity;
  let max: number | bigint = -Infinity;
  let sum = 0;
  let count = 0;
  for (let i = 0; i < data.length; i++) {
    const stored = data[i]!;
    const value = codec === undefined ? stored : codec.decode(stored as number);
    if (typeof value === 'number' && !Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += Number(value);
    count++;
  }
  if (count === 0) return none;
  return { min: formatNumber(min), max: formatNumber(max), mean: formatNumber(sum / count) };
}

function firstValues(tensor: Tensor): string {
  const { codec, width, name } = dtypeInfo(tensor.dtype);
  const { data, size } = tensor;
  const shown = Array.from({ length: Math.min(size, MOST_VALUES) }, (_, i) => {
    if (Array.isArray(data)) return formatString(data[i]!);
    const value = data[i * width]!;
    if (width === 2) return `(${formatNumber(value)}, ${formatNumber(data[2 * i + 1]!)})`;
    if (name === 'bool') return String(value !== 0);
    return formatNumber(codec === undefined ? value : codec.decode(value as number));
  });
  return shown.join(' ') + (size > shown.length ? ' …' : '');
}

function formatString(value: string | Uint8Array): string {
  return typeof value === 'string' ? shorten(JSON.stringify(value), MOST_TEXT) : `<${value.length} bytes>`;
}

/** Whole numbers in full, others with six digits. */
function formatNumber(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(6)));
}

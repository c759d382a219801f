/** Rows into one tensor, and one tensor into rows. */
import { dtypeInfo, type NumericData } from '../dtype.js';
import { TensorFlowError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { elementCount } from '../tensor-shape.js';

/** The largest inner shape of these tensors, which all have the same number of dimensions. */
function largestInner(tensors: readonly Tensor[]): number[] {
  const [first] = tensors;
  return first!.shape.slice(1).map((_, i) => Math.max(...tensors.map(({ shape }) => shape[i + 1]!)));
}

/**
 * One tensor of the rows of all, in their order, and of `extra` copies of the first row. Inner shapes that are smaller
 * than the largest one are padded, each tensor with its own first element.
 */
export function joinRows(tensors: readonly Tensor[], extra: number): Tensor {
  const [first] = tensors as readonly [Tensor, ...Tensor[]];
  if (tensors.length === 1 && extra === 0) return first;
  const inner = largestInner(tensors);
  const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, extra);
  const info = dtypeInfo(first.dtype);
  const row = elementCount(inner) * info.width;
  const joined =
    info.array === undefined ? new Array<string | Uint8Array>(rows * row) : new info.array(rows * row);
  let at = 0;
  for (const tensor of tensors) {
    const data = isOf(tensor.shape, inner) ? tensor.data : padded(tensor, inner);
    if (Array.isArray(joined)) for (let i = 0; i < data.length; i++) joined[at + i] = (data as string[])[i]!;
    else (joined as Float32Array).set(data as Float32Array, at);
    at += data.length;
  }
  for (; at < joined.length; at += row) {
    if (Array.isArray(joined)) for (let i = 0; i < row; i++) joined[at + i] = joined[i]!;
    else joined.copyWithin(at, 0, row);
  }
  return Tensor.wrap(first.dtype, [rows, ...inner], joined as Tensor['data']);
}

function isOf(shape: readonly number[], inner: readonly number[]): boolean {
  return inner.every((size, i) => size === shape[i + 1]);
}

/** The data of a tensor whose inner shape is made larger. */
function padded(tensor: Tensor, inner: readonly number[]): Tensor['data'] {
  const { array, width } = dtypeInfo(tensor.dtype);
  const { data } = tensor;
  const from = [...tensor.shape];
  const to = [tensor.shape[0]!, ...inner];
  const count = elementCount(to) * width;
  const made = array === undefined ? new Array<string | Uint8Array>(count) : new array(count);
  const pad = Array.from(
    { length: width },
    (_, i) => (data as Float32Array)[i] ?? (array === undefined ? '' : 0),
  );
  for (let i = 0; i < count; i++) made[i] = pad[i % width] as never;
  // Whole runs of the last dimension at a time.
  const run = (from.at(-1) ?? 1) * width;
  const stride = (to.at(-1) ?? 1) * width;
  const outer = from.slice(0, -1);
  const lines = elementCount(outer);
  for (let line = 0; line < lines; line++) {
    let rest = line;
    let target = 0;
    let step = 1;
    for (let d = outer.length - 1; d >= 0; d--) {
      target += (rest % outer[d]!) * step;
      rest = Math.floor(rest / outer[d]!);
      step *= to[d]!;
    }
    for (let i = 0; i < run; i++) made[target * stride + i] = data[line * run + i] as never;
  }
  return made as Tensor['data'];
}

/**
 * Rows `from` up to `to` of an output, in memory of their own.
 *
 * @param rows how many rows the run was given
 * @throws TensorFlowError INVALID_ARGUMENT where the output has another number of rows
 */
export function cutRows(tensor: Tensor, from: number, to: number, rows: number, name: string): Tensor {
  const { shape, data } = tensor;
  if (shape[0] !== rows) {
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The output "${name}" came back with shape [${shape.join(', ')}] for a batch of ${rows} rows, so nobody can say whose ` +
        'it is: this signature cannot be batched.',
    );
  }
  if (from === 0 && to === rows) return tensor;
  const row = data.length / rows;
  const cut = (data as NumericData | string[]).slice(from * row, to * row);
  return Tensor.wrap(tensor.dtype, [to - from, ...shape.slice(1)], cut as Tensor['data']);
}

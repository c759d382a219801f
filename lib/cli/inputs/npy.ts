/**
 * NumPy's `.npy` files, format versions 1 to 3: one array, read into row-major data of this machine's byte order.
 * The format is described in `numpy.lib.format`.
 */
import type { DType, NumericData, TensorData, TypedArrayConstructor } from '../../dtype.js';
import { dtypeInfo } from '../../dtype.js';
import { TensorFlowError } from '../../errors.js';
import { elementCount } from '../../tensor-shape.js';

/** An array as its file has it. */
export interface NpyArray {
  /** NumPy's name of the element type: `<f4`. */
  descr: string;
  shape: number[];
  /**
   * What the elements are. Undefined where the file does not say: bfloat16 and the other types of ml_dtypes are saved
   * as bytes of their size (`<V2`); `data` is a Uint8Array or a Uint16Array of their bits then.
   */
  dtype: DType | undefined;
  /** Flat, row-major. Elements of `S` are bytes, of `U` strings. */
  data: TensorData;
}

/** `<f4` and the like, by letter and bytes an element. */
const TYPES: Record<string, DType> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
  c8: 'complex64',
  c16: 'complex128',
};

/** Bits whose meaning the file does not tell. `f1` is what ml_dtypes calls float8_e5m2. */
const RAW: Record<string, TypedArrayConstructor> = { V1: Uint8Array, f1: Uint8Array, V2: Uint16Array };

/**
 * Reads the bytes of a file. `name` is the file's, for messages.
 *
 * @throws TensorFlowError DATA_LOSS for what is truncated or no such file, UNIMPLEMENTED for elements that no tensor has
 */
export function readNpy(bytes: Uint8Array, name: string): NpyArray {
  const header = readHeader(bytes, name);
  const { descr, shape } = header;
  const { order, kind, size } = parseDescr(descr, name);
  const count = elementCount(shape);
  const elementBytes = kind === 'U' ? 4 * size : size;
  const wanted = count * elementBytes;
  const content = bytes.subarray(header.end, header.end + wanted);
  if (content.length < wanted) {
    damaged(name, `it is truncated: its array of ${descr} has ${wanted} bytes, ${content.length} are there`);
  }
  const swap = order === '>';
  const type = `${kind}${size}`;
  const dtype = TYPES[type];
  let data: TensorData;
  let width = 1;
  if (kind === 'S') data = readBytes(content, count, size);
  else if (kind === 'U') data = readUnicode(content, count, size, swap, name);
  else {
    const info = dtype === undefined ? undefined : dtypeInfo(dtype);
    width = info?.width ?? 1;
    data = readNumbers(content, info?.array ?? RAW[type]!, swap);
  }
  if (header.isFortran) data = toRowMajor(data, shape, width);
  return { descr, shape, dtype: kind === 'S' || kind === 'U' ? 'string' : dtype, data };
}

interface Header {
  descr: string;
  isFortran: boolean;
  shape: number[];
  /** Where the elements begin. */
  end: number;
}

function readHeader(bytes: Uint8Array, name: string): Header {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 10 || view.toString('latin1', 0, 6) !== '\x93NUMPY') damaged(name, 'it is no .npy file');
  const version = view[6]!;
  if (version < 1 || version > 3) unsupported(name, `its format version ${version} is not known`);
  const start = version === 1 ? 10 : 12;
  if (view.length < start) damaged(name, 'it is truncated within its header');
  const end = start + (version === 1 ? view.readUInt16LE(8) : view.readUInt32LE(8));
  if (view.length < end) damaged(name, 'it is truncated within its header');
  const text = view.toString(version === 3 ? 'utf8' : 'latin1', start, end);
  const isFortran = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /['"]shape['"]\s*:\s*\(([\d\sL,]*)\)/.exec(text)?.[1];
  const descr = /['"]descr['"]\s*:\s*(?:'([^']*)'|"([^"]*)"|([[(]))/.exec(text);
  if (descr?.[3] !== undefined) unsupported(name, 'its elements have fields');
  const type = descr?.[1] ?? descr?.[2];
  if (isFortran === undefined || shape === undefined || type === undefined) {
    damaged(name, 'its header is unreadable');
  }
  const sizes = shape.split(',').map((size) => size.trim().replace(/L$/, ''));
  return {
    descr: type,
    isFortran: isFortran === 'True',
    shape: sizes.filter((size) => size !== '').map(Number),
    end,
  };
}

function parseDescr(descr: string, name: string): { order: string; kind: string; size: number } {
  const match = /^([<>|=]?)([A-Za-z?])(\d*)(?:\[.*\])?$/.exec(descr);
  const kind = match?.[2] ?? '';
  const size = Number(match?.[3] ?? 0);
  if (kind === 'O') unsupported(name, 'its elements are Python objects; save an array of numbers or strings');
  const isKnown = kind === 'S' || kind === 'U' || `${kind}${size}` in TYPES || `${kind}${size}` in RAW;
  if (!isKnown) unsupported(name, `elements of type ${descr} have no counterpart in TensorFlow`);
  return { order: match?.[1] ?? '', kind, size };
}

/** A view where the bytes lie right for one, else a copy. */
function readNumbers(content: Uint8Array, array: TypedArrayConstructor, swap: boolean): NumericData {
  const size = array.BYTES_PER_ELEMENT;
  const mustCopy = (swap && size > 1) || content.byteOffset % size !== 0;
  const bytes = mustCopy ? new Uint8Array(content) : content;
  if (swap) swapBytes(bytes, size);
  return new array(bytes.buffer, bytes.byteOffset, bytes.byteLength / size);
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

/** Zeros at the end are padding, as NumPy has it. */
function readBytes(content: Uint8Array, count: number, size: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const element = content.subarray(i * size, (i + 1) * size);
    let end = element.length;
    while (end > 0 && element[end - 1] === 0) end--;
    return new Uint8Array(element.subarray(0, end));
  });
}

/** Strings as code points of four bytes each. */
function readUnicode(
  content: Uint8Array,
  count: number,
  size: number,
  swap: boolean,
  name: string,
): string[] {
  const points = readNumbers(content, Uint32Array, swap) as Uint32Array;
  return Array.from({ length: count }, (_, i) => {
    const element = points.subarray(i * size, (i + 1) * size);
    let end = element.length;
    while (end > 0 && element[end - 1] === 0) end--;
    let text = '';
    for (const point of element.subarray(0, end)) {
      if (point > 0x10ffff) damaged(name, `its string ${i} has no valid characters`);
      text += String.fromCodePoint(point);
    }
    return text;
  });
}

/** From column-major (Fortran) to row-major order; `width` entries an element. */
function toRowMajor(data: TensorData, shape: readonly number[], width: number): TensorData {
  if (shape.length < 2) return data;
  const count = data.length / width;
  const result = Array.isArray(data)
    ? new Array<string | Uint8Array>(count)
    : new (data.constructor as TypedArrayConstructor)(data.length);
  const from = data as unknown as Float64Array;
  const to = result as unknown as Float64Array;
  const strides: number[] = [];
  for (let stride = width, i = 0; i < shape.length; stride *= shape[i]!, i++) strides.push(stride);
  const index = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let target = 0; target < data.length; target += width) {
    for (let part = 0; part < width; part++) to[target + part] = from[source + part]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      source -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result as TensorData;
}

function damaged(name: string, why: string): never {
  throw new TensorFlowError('DATA_LOSS', `${name} cannot be read: ${why}.`);
}

function unsupported(name: string, why: string): never {
  throw new TensorFlowError('UNIMPLEMENTED', `${name} cannot be read: ${why}.`);
}

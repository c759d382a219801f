import { describe, expect, it } from 'vitest';
import { Tensor } from '../lib/index.js';
import { formatSpec, type InputSpec, type TensorLike, toInput } from '../lib/inputs.js';
import { failure } from './helpers/failure.js';

const BATCH: InputSpec = { dtype: 'float32', shape: [-1, 3] };
const ANY: InputSpec = { dtype: 'float32', shape: null };
const LABEL = 'input "x" of signature "s"';

const made = (value: TensorLike, spec: InputSpec) => {
  const { dtype, shape, data } = toInput(value, spec, LABEL);
  return { dtype, shape, data };
};
const refused = async (value: unknown, spec: InputSpec) => {
  const error = await failure(() => toInput(value as TensorLike, spec, LABEL));
  expect(error.code).toBe('INVALID_ARGUMENT');
  expect(error.message).toContain(`The ${LABEL} takes ${formatSpec(spec.dtype, spec.shape)}. `);
  return error.message;
};

describe('formatSpec', () => {
  it('shows any rank, scalars and open dimensions', () => {
    expect(formatSpec('int64', null)).toBe('int64 [of any rank]');
    expect(formatSpec('bool', [])).toBe('bool []');
    expect(formatSpec('float32', [-1, 8])).toBe('float32 [-1, 8]');
  });
});

describe('a tensor', () => {
  it('that fits is taken as it is', () => {
    const tensor = Tensor.from([[1, 2, 3]]);
    expect(toInput(tensor, BATCH, LABEL)).toBe(tensor);
    expect(toInput(tensor, ANY, LABEL)).toBe(tensor);
    const empty = Tensor.from([], [0, 3], 'float32');
    expect(toInput(empty, BATCH, LABEL)).toBe(empty);
  });

  it.each([
    [Tensor.from([[1, 2]]), /It was given float32 \[1, 2\]\./],
    [Tensor.from([1, 2, 3]), /It was given float32 \[3\]\./],
    [Tensor.from([[1, 2, 3]], undefined, 'float64'), /It was given float64 \[1, 3\]\./],
    [Tensor.from('text'), /It was given string \[\]\./],
  ])('that does not fit is refused: %#', async (tensor, message) => {
    expect(await refused(tensor, BATCH)).toMatch(message);
  });
});

describe('values', () => {
  it('become what the spec says', () => {
    expect(made([[1, 2, 3]], BATCH)).toEqual({
      dtype: 'float32',
      shape: [1, 3],
      data: new Float32Array([1, 2, 3]),
    });
    expect(made(7, ANY)).toEqual({ dtype: 'float32', shape: [], data: new Float32Array([7]) });
    expect(made([1, 2n], { dtype: 'int64', shape: [2] }).data).toEqual(new BigInt64Array([1n, 2n]));
    expect(made(['a', 'b'], { dtype: 'string', shape: [-1] })).toMatchObject({
      shape: [2],
      data: ['a', 'b'],
    });
    expect(made([true, 0], { dtype: 'bool', shape: [2] }).data).toEqual(new Uint8Array([1, 0]));
    expect(made([[1, 2]], { dtype: 'complex64', shape: [1] }).data).toEqual(new Float32Array([1, 2]));
    expect(made([0.5], { dtype: 'float16', shape: [1] }).data).toEqual(new Uint16Array([0x3800]));
  });

  it.each<[unknown, InputSpec, RegExp]>([
    [[1, 2], BATCH, /values of shape \[2\]\. Nest the arrays/],
    [[[1, 2]], BATCH, /values of shape \[1, 2\]/],
    [[[1, 2], [3]], ANY, /ragged/],
    [[1.5], { dtype: 'int32', shape: [1] }, /1\.5 is no int32: not a whole number/],
    [[300], { dtype: 'uint8', shape: [1] }, /300 is no uint8: it holds 0 to 255/],
    ['text', ANY, /"text" is no float32/],
    [undefined, ANY, /given undefined/],
    [null, ANY, /given null/],
    [{}, ANY, /\{\} is no float32/],
    [new ArrayBuffer(4), ANY, /is no float32/],
    [new DataView(new ArrayBuffer(4)), ANY, /is no float32/],
  ])('that do not fit are refused: %j', async (value, spec, message) => {
    expect(await refused(value, spec)).toMatch(message);
  });

  it('of a handle are refused with the code that says so', async () => {
    const error = await failure(() => toInput([1], { dtype: 'resource', shape: null }, LABEL));
    expect(error).toMatchObject({
      code: 'UNIMPLEMENTED',
      message: expect.stringContaining('takes resource'),
    });
  });
});

describe('a typed array', () => {
  it('fills a shape with at most one open dimension', () => {
    expect(made(new Float32Array(6), BATCH).shape).toEqual([2, 3]);
    expect(made(new Float32Array(0), BATCH).shape).toEqual([0, 3]);
    expect(made(new Float32Array(1), { dtype: 'float32', shape: [] }).shape).toEqual([]);
    expect(made(new Float32Array(5), ANY).shape).toEqual([5]);
    expect(made(new Float32Array(4), { dtype: 'complex64', shape: [-1] }).shape).toEqual([2]);
    expect(made(new Uint8Array([255, 0]), { dtype: 'string', shape: [] })).toMatchObject({
      shape: [],
      data: [new Uint8Array([255, 0])],
    });
  });

  it('is not copied, and holds bits where the type is stored as bits', () => {
    const bits = new Uint16Array([0x3c00]);
    expect(toInput(bits, { dtype: 'float16', shape: [1] }, LABEL).data).toBe(bits);
  });

  it.each<[unknown, InputSpec, RegExp]>([
    [new Float32Array(4), BATCH, /It was given 4 values\./],
    [new Float32Array(4), { dtype: 'float32', shape: [2, 3] }, /It was given 4 values\./],
    [new Float32Array(0), { dtype: 'float32', shape: [-1, 0] }, /./],
    [new Float32Array(4), { dtype: 'float32', shape: [-1, -1] }, /more than one dimension is open/],
    [new Float64Array(3), BATCH, /given a Float64Array, where that type is held by a Float32Array/],
    [new Float32Array(3), { dtype: 'string', shape: [3] }, /given a Float32Array\./],
    [new Uint8Array([1, 2]), { dtype: 'bool', shape: [2] }, /2 at index 1 is no bool/],
    [new BigUint64Array(1), { dtype: 'int64', shape: [1] }, /given a BigUint64Array/],
    [new Float32Array(3), { dtype: 'complex64', shape: [-1] }, /./],
  ])('that does not fit is refused: %#', async (value, spec, message) => {
    expect(await refused(value, spec)).toMatch(message);
  });

  it('of 8 bits is one string, which a shape of several has no use for', async () => {
    expect(await refused(new Uint8Array(3), { dtype: 'string', shape: [3] })).toMatch(
      /the bytes of one string/,
    );
  });
});

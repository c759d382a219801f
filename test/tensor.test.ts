import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type DType, Tensor, type TensorSource } from '../lib/index.js';
import { failure } from './helpers/failure.js';

const parts = ({ dtype, shape, data }: Tensor) => ({ dtype, shape, data });

const circular: Record<string, unknown> = {};
circular.self = circular;

describe('values', () => {
  it.each<[TensorSource, DType, number[], unknown]>([
    [7, 'float32', [], new Float32Array([7])],
    [[], 'float32', [0], new Float32Array(0)],
    [[[], []], 'float32', [2, 0], new Float32Array(0)],
    [
      [
        [[1], [2]],
        [[3], [4]],
      ],
      'float32',
      [2, 2, 1],
      new Float32Array([1, 2, 3, 4]),
    ],
    [[1n, 2n], 'int64', [2], new BigInt64Array([1n, 2n])],
    [true, 'bool', [], new Uint8Array([1])],
    [[[true, false]], 'bool', [1, 2], new Uint8Array([1, 0])],
    ['a', 'string', [], ['a']],
    [[['a'], ['']], 'string', [2, 1], ['a', '']],
    [[new Uint8Array([255]), 'b'], 'string', [2], [new Uint8Array([255]), 'b']],
  ])('%#: %s %j', (source, dtype, shape, data) => {
    expect(parts(Tensor.from(source))).toEqual({ dtype, shape, data });
  });

  it.each<[TensorSource, DType, unknown]>([
    [[-128, 127], 'int8', new Int8Array([-128, 127])],
    [[0.1], 'float64', new Float64Array([0.1])],
    [[1n, 2], 'int32', new Int32Array([1, 2])],
    [[2 ** 53, -(2n ** 63n)], 'int64', new BigInt64Array([2n ** 53n, -(2n ** 63n)])],
    [[2n ** 64n - 1n], 'uint64', new BigUint64Array([2n ** 64n - 1n])],
    [[1, -2], 'float16', new Uint16Array([0x3c00, 0xc000])],
    [[1, -2], 'bfloat16', new Uint16Array([0x3f80, 0xc000])],
    [[1], 'float8_e4m3fn', new Uint8Array([0x38])],
    [[-8, 7], 'int4', new Int8Array([-8, 7])],
    [[1e300, Number.NaN], 'float32', new Float32Array([Infinity, Number.NaN])],
    [[1, 0, true, false], 'bool', new Uint8Array([1, 0, 1, 0])],
    [[-32768], 'qint16', new Int16Array([-32768])],
  ])('%# as %s', (source, dtype, data) => {
    expect(Tensor.from(source, undefined, dtype).data).toEqual(data);
  });

  it('of complex numbers are pairs, or real alone', () => {
    const of = (source: TensorSource) => parts(Tensor.from(source, undefined, 'complex64'));
    const pairs = new Float32Array([1, 2, 3, 4]);
    expect(of([[[1, 2]], [[3, 4]]])).toEqual({ dtype: 'complex64', shape: [2, 1], data: pairs });
    expect(of([1, 2] as TensorSource)).toEqual({
      dtype: 'complex64',
      shape: [],
      data: new Float32Array([1, 2]),
    });
    expect(of([1, 2, 3])).toMatchObject({ shape: [3], data: new Float32Array([1, 0, 2, 0, 3, 0]) });
    expect(of(5)).toMatchObject({ shape: [], data: new Float32Array([5, 0]) });
    expect(of([])).toMatchObject({ shape: [0] });
    expect(parts(Tensor.from(new Float64Array(6), [3], 'complex128'))).toMatchObject({ shape: [3] });
  });

  it.each<[unknown, DType | undefined, RegExp]>([
    [[[1, 2], [3]], undefined, /ragged/],
    [[[1], 2], undefined, /ragged/],
    [[1, [2]], undefined, /ragged/],
    [[[], [1]], undefined, /./],
    [[128], 'int8', /128 is no int8: it holds -128 to 127/],
    [[-1], 'uint32', /-1 is no uint32/],
    [[2n ** 63n], 'int64', /9223372036854775808n is no int64/],
    [[0.5], 'int64', /not a whole number/],
    [[Number.NaN], 'int32', /NaN is no int32/],
    [[Infinity], 'uint64', /Infinity is no uint64/],
    [[8], 'int4', /8 is no int4: it holds -8 to 7/],
    [[2], 'bool', /2 is no bool/],
    [['1'], 'float32', /"1" is no float32/],
    [[null], 'float32', /null is no float32/],
    [[undefined], 'float32', /undefined is no float32/],
    [[true], 'float32', /true is no float32/],
    [[1], 'string', /1 is no string/],
    [['a', 1], undefined, /1 is no string/],
    [[[1, 'a']], 'complex64', /no complex number/],
    [[[1n, 2n]], 'complex64', /\["1n","2n"\] is no complex number|1n is no complex/],
    [circular, 'float32', /\[object Object\] is no float32/],
    [null, undefined, /cannot be made from null/],
    [undefined, undefined, /cannot be made from undefined/],
    [[1], 'float' as DType, /no data type "float"/],
    [{}, undefined, /\{\} is no float32/],
    [Symbol('s'), undefined, /Symbol\(s\) is no float32/],
    [new DataView(new ArrayBuffer(4)), undefined, /is no float32/],
  ])('%# that mean nothing are refused', async (source, dtype, message) => {
    const error = await failure(() => Tensor.from(source as TensorSource, undefined, dtype));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
  });

  it('of handles are refused', async () => {
    for (const dtype of ['resource', 'variant'] as const) {
      expect((await failure(() => Tensor.from([1], undefined, dtype))).code).toBe('UNIMPLEMENTED');
      expect((await failure(() => Tensor.from(new Uint8Array(1), undefined, dtype))).code).toBe(
        'UNIMPLEMENTED',
      );
      expect((await failure(() => Tensor.allocate(dtype, [1]))).code).toBe('UNIMPLEMENTED');
    }
  });

  it('of another tensor are taken over, or converted', () => {
    const tensor = Tensor.from([[1, 2]], undefined, 'int16');
    expect(parts(Tensor.from(tensor))).toEqual(parts(tensor));
    expect(Tensor.from(tensor, [2]).shape).toEqual([2]);
    expect(Tensor.from(tensor, undefined, 'int64')).toMatchObject({
      shape: [1, 2],
      data: new BigInt64Array([1n, 2n]),
    });
  });
});

describe('typed arrays', () => {
  it('are one dimension of their own type, not copied', () => {
    const array = new Int16Array([1, 2]);
    const tensor = Tensor.from(array);
    expect(tensor).toMatchObject({ dtype: 'int16', shape: [2] });
    expect(tensor.data).toBe(array);
    expect(Tensor.from(new Uint8ClampedArray([7]))).toMatchObject({
      dtype: 'uint8',
      data: new Uint8Array([7]),
    });
    expect(Tensor.from(new BigUint64Array(2)).dtype).toBe('uint64');
  });

  it('hold bits of types that are stored as they are, and are converted to the others', () => {
    const bits = new Uint16Array([0x3c00]);
    expect(Tensor.from(bits, [1], 'bfloat16').data).toBe(bits);
    expect(Tensor.from(new Float32Array([1]), [1], 'float16').data).toEqual(bits);
    expect(Tensor.from(new Float64Array([1]), [1], 'int64').data).toEqual(new BigInt64Array([1n]));
    expect(Tensor.from(new BigInt64Array([5n]), [1], 'float32').data).toEqual(new Float32Array([5]));
  });

  it.each<[TensorSource, DType, RegExp]>([
    [new Float32Array([1.5]), 'int32', /1\.5 is no int32/],
    [new Int16Array([-1]), 'uint8', /-1 is no uint8/],
    [new Uint8Array([1, 2]), 'bool', /2 at index 1 is no bool: 0 to 1/],
    [new Int8Array([-9]), 'int4', /-9 at index 0/],
    [new Float32Array([1]), 'string', /A Float32Array is no string/],
    [new Uint8ClampedArray([1]), 'string', /Uint8ClampedArray is no string/],
  ])('that do not fit are refused: %#', async (source, dtype, message) => {
    const error = await failure(() => Tensor.from(source, undefined, dtype));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
  });

  it('of bytes are one string where strings are asked for', () => {
    expect(parts(Tensor.from(new Uint8Array([255]), undefined, 'string'))).toEqual({
      dtype: 'string',
      shape: [],
      data: [new Uint8Array([255])],
    });
  });

  it('may be a Buffer at an odd offset of a pool', () => {
    const pool = new Uint8Array([9, 1, 2, 3, 9]);
    const buffer = Buffer.from(pool.buffer, 1, 3);
    const { dtype, data } = Tensor.from(buffer);
    expect(dtype).toBe('uint8');
    expect(Object.getPrototypeOf(data)).toBe(Uint8Array.prototype);
    expect(data).toEqual(new Uint8Array([1, 2, 3]));
    expect((data as Uint8Array).buffer).toBe(pool.buffer);
    expect(Tensor.from(buffer, [3], 'float32').data).toEqual(new Float32Array([1, 2, 3]));
  });

  it('may come from another realm', () => {
    const foreign = runInNewContext('new Float32Array([1, 2])') as Float32Array;
    expect(foreign).not.toBeInstanceOf(Float32Array);
    expect(parts(Tensor.from(foreign))).toEqual({
      dtype: 'float32',
      shape: [2],
      data: new Float32Array([1, 2]),
    });
    const strings = runInNewContext("['a', new Uint8Array([255])]") as string[];
    expect(Tensor.from(strings).data).toEqual(['a', new Uint8Array([255])]);
  });

  it('over shared memory are copied', () => {
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([1, 2]);
    const tensor = Tensor.from(shared);
    shared.fill(0);
    expect(tensor.data).toEqual(new Float32Array([1, 2]));
    expect((tensor.data as Float32Array).buffer).toBeInstanceOf(ArrayBuffer);
    const bytes = new Uint8Array(new SharedArrayBuffer(1)).fill(255);
    for (const strings of [Tensor.from(bytes, [], 'string'), Tensor.from([bytes])]) {
      expect((strings.data[0] as Uint8Array).buffer).toBeInstanceOf(ArrayBuffer);
    }
  });

  it('whose memory was moved away have no elements', async () => {
    const array = new Float32Array([1, 2]);
    structuredClone(array, { transfer: [array.buffer] });
    expect(Tensor.from(array).shape).toEqual([0]);
    const error = await failure(() => Tensor.from(array, [2]));
    expect(error.message).toBe('The shape [2] has 2 elements, the data 0.');
  });
});

describe('shapes', () => {
  it('may reshape what the nesting says, and are copied', () => {
    const shape = [3, 2];
    const tensor = Tensor.from(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      shape,
    );
    shape[0] = 9;
    expect(tensor.shape).toEqual([3, 2]);
    expect(tensor.size).toBe(6);
    expect(Tensor.from([], [2, 0, 3], 'int8').size).toBe(0);
    expect(Tensor.from(5, []).size).toBe(1);
  });

  it.each([
    [[3]],
    [[2, 2]],
    [[]],
    [[0]],
    [[-1]],
    [[-1, 2]],
    [[1.5]],
    [[Number.NaN]],
    [['2']],
    [[2n]],
    [2],
    ['2'],
  ])('%# for two values is refused', async (shape) => {
    const error = await failure(() => Tensor.from([1, 2], shape as number[]));
    expect(error.code).toBe('INVALID_ARGUMENT');
  });

  it('beyond what memory can hold are refused', async () => {
    for (const shape of [[2 ** 53], [2 ** 32, 2 ** 32], [2 ** 50, 8], [Number.MAX_VALUE]]) {
      expect((await failure(() => Tensor.from([1], shape))).code).toBe('INVALID_ARGUMENT');
      expect((await failure(() => Tensor.allocate('float32', shape))).code).toBe('INVALID_ARGUMENT');
    }
    expect((await failure(() => Tensor.allocate('float64', [2 ** 49]))).code).toBe('RESOURCE_EXHAUSTED');
  });

  it('have at most 254 dimensions', async () => {
    expect(Tensor.from([1], Array(254).fill(1)).shape).toHaveLength(254);
    for (const make of [
      () => Tensor.from([1], Array(255).fill(1)),
      () => Tensor.allocate('int8', Array(255).fill(1)),
    ]) {
      expect(await failure(make)).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('at most 254 dimensions'),
      });
    }
  });
});

describe('toNumbers', () => {
  it('decodes', () => {
    const numbers = (source: TensorSource, dtype: DType) => Tensor.from(source, undefined, dtype).toNumbers();
    expect(numbers([0.5, -2], 'float16')).toEqual([0.5, -2]);
    expect(numbers([6, -0.5], 'float4_e2m1fn')).toEqual([6, -0.5]);
    expect(numbers([true, false], 'bool')).toEqual([1, 0]);
    expect(
      numbers(
        [
          [1, 2],
          [3, 4],
        ],
        'complex128',
      ),
    ).toEqual([1, 2, 3, 4]);
    expect(numbers([2n ** 53n + 1n], 'int64')).toEqual([2 ** 53]);
    expect(numbers([0.1], 'float32')).toEqual([Math.fround(0.1)]);
  });

  it('has no numbers for strings', async () => {
    expect((await failure(() => Tensor.from('1').toNumbers())).code).toBe('INVALID_ARGUMENT');
  });
});

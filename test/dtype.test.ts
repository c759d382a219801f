import { describe, expect, expectTypeOf, it } from 'vitest';
import { DTYPES, type DType, dtypeInfo, dtypeName, isDType } from '../lib/dtype.js';
import { bfloat16, float16 } from '../lib/dtype-codec.js';
import type { Tensor } from '../lib/index.js';
import { addon } from '../lib/runtime/addon.js';
import { failure } from './helpers/failure.js';
import { fixtureJson } from './helpers/fixtures.js';
import type { JsonTensor } from './helpers/json-tensor.js';

const SMALL = DTYPES.filter((info) => info.codec && info.bytes === 1);
const codecOf = (dtype: DType) => dtypeInfo(dtype).codec!;

describe('the table of data types', () => {
  it('is the one that the addon was compiled with', () => {
    expect(Object.fromEntries(DTYPES.map(({ name, number }) => [name, number]))).toEqual(addon().dtypes());
  });

  it('finds types by name, by number, and reference types by theirs', async () => {
    for (const info of DTYPES) {
      expect(dtypeInfo(info.name)).toBe(info);
      expect(dtypeName(info.number)).toBe(info.name);
      expect(dtypeName(info.number + 100)).toBe(info.name);
      expect(isDType(info.name)).toBe(true);
    }
    for (const name of ['float', 'toString', '__proto__', 1, null, undefined])
      expect(isDType(name)).toBe(false);
    expect(await failure(() => dtypeInfo('float' as DType))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/no data type "float"\. There are: float32, float64,/),
    });
    for (const number of [0, 99, 100, -1, 1000]) {
      expect((await failure(() => dtypeName(number))).code).toBe('UNIMPLEMENTED');
    }
  });

  it('knows sizes and ranges', () => {
    const sizes = Object.fromEntries(DTYPES.map(({ name, bytes }) => [name, bytes]));
    expect(sizes).toMatchObject({
      complex64: 8,
      complex128: 16,
      float16: 2,
      int4: 1,
      bool: 1,
      string: 0,
      variant: 0,
    });
    expect(dtypeInfo('int64').range).toEqual([-(2n ** 63n), 2n ** 63n - 1n]);
    expect(dtypeInfo('uint32').range).toEqual([0, 2 ** 32 - 1]);
    expect(dtypeInfo('int2').range).toEqual([-2, 1]);
    expect(dtypeInfo('float16').range).toBeUndefined();
    expect(dtypeInfo('complex64').range).toBeUndefined();
  });

  it('says what data is in TypeScript', () => {
    expectTypeOf<Tensor<'float32'>['data']>().toEqualTypeOf<Float32Array<ArrayBuffer>>();
    expectTypeOf<Tensor<'string'>['data']>().toEqualTypeOf<(string | Uint8Array)[]>();
    expectTypeOf<BigInt64Array<ArrayBuffer>>().toExtend<Tensor['data']>();
    expectTypeOf<Tensor<'int64' | 'bool'>['data']>().toEqualTypeOf<
      BigInt64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>
    >();
  });
});

describe('float16 and bfloat16', () => {
  it.each([
    ['float16', float16, 0x7c00],
    ['bfloat16', bfloat16, 0x7f80],
  ] as const)('%s: every pattern comes back, NaNs as NaN', (_, codec, infinity) => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = codec.decode(bits);
      const nan = (bits & 0x7fff) > infinity;
      const back = codec.encode(value);
      if (nan ? !Number.isNaN(value) || (back & 0x7fff) <= infinity : back !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
    expect(codec.decode(infinity)).toBe(Infinity);
    expect(codec.decode(infinity | 0x8000)).toBe(-Infinity);
  });

  it.each([
    ['float16', float16, 0x7bff],
    ['bfloat16', bfloat16, 0x7f7f],
  ] as const)('%s: halfway between two neighbours the even one wins', (_, codec, largest) => {
    const wrong: number[] = [];
    for (let bits = 0; bits < largest; bits++) {
      const [low, high] = [codec.decode(bits), codec.decode(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      // A quarter of the way off the middle, which a float32 still tells from it.
      const bit = (high - low) / 4;
      const [nearLow, nearHigh] = [codec.encode(middle - bit), codec.encode(middle + bit)];
      const right = codec.encode(middle) === even && codec.encode(-middle) === (even | 0x8000);
      if (!right || nearLow !== bits || nearHigh !== bits + 1) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [65519.999, 0x7bff],
    [65520, 0x7c00],
    [-1e300, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -24, 0x03ff],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [-1e-300, 0x8000],
    [-0, 0x8000],
    [2 - 2 ** -52, 0x4000],
    [1 + 2 ** -52, 0x3c00],
    [Number.NaN, 0x7e00],
  ])('float16 of %f', (value, bits) => {
    expect(float16.encode(value)).toBe(bits);
  });

  it.each([
    [1, 0x3f80],
    [1 / 3, 0x3eab],
    [-3.3895313892515355e38, 0xff7f],
    [3.4e38, 0x7f80],
    [1e300, 0x7f80],
    [-Infinity, 0xff80],
    [9.183549615799121e-41, 0x0001],
    [9.183549615799121e-41 / 2, 0x0000],
    [-0, 0x8000],
  ])('bfloat16 of %f', (value, bits) => {
    expect(bfloat16.encode(value)).toBe(bits);
  });
});

describe('floats of 8 and 4 bits', () => {
  it('are all there', () => {
    expect(SMALL.map(({ name }) => name)).toHaveLength(6);
  });

  it.each(SMALL)('$name: every pattern is what Python says, and comes back', ({ name, codec }) => {
    const { cases } = fixtureJson<{ cases: { signature: string; inputs: { x: JsonTensor } }[] }>(
      'every-dtype',
    );
    const { data, bits } = cases.find(({ signature }) => signature === `identity_${name}`)!.inputs.x;
    expect(bits!.length).toBe(name === 'float4_e2m1fn' ? 16 : 256);
    const words: Record<string, number> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity };
    bits!.forEach((pattern, i) => {
      const wanted = typeof data[i] === 'string' ? words[data[i]] : data[i];
      expect(codec!.decode(pattern), `pattern ${pattern}`).toBe(wanted);
      const back = codec!.encode(codec!.decode(pattern));
      if (Number.isNaN(wanted)) expect(codec!.decode(back)).toBeNaN();
      else expect(back).toBe(pattern);
    });
  });

  it.each(SMALL)('$name: halfway between two neighbours the even one wins', ({ codec, name }) => {
    const half = name === 'float4_e2m1fn' ? 8 : 128;
    for (let bits = 0; bits + 1 < half; bits++) {
      const [low, high] = [codec!.decode(bits), codec!.decode(bits + 1)];
      if (!Number.isFinite(high)) break;
      const middle = (low + high) / 2;
      expect(codec!.encode(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
      expect(codec!.encode(middle * (1 - 1e-9))).toBe(bits);
      expect(codec!.encode(middle * (1 + 1e-9))).toBe(bits + 1);
    }
  });

  // What ml_dtypes, the Python package that TensorFlow uses, gives.
  it.each<[DType, [value: number, bits: number][]]>([
    [
      'float8_e5m2',
      [
        [0.3, 53],
        [-57344, 251],
        [60928, 123],
        [61440, 124],
        [Infinity, 124],
        [-Infinity, 252],
        [-0, 128],
        [-(2 ** -17), 128],
      ],
    ],
    [
      'float8_e4m3fn',
      [
        [0.3, 42],
        [-448, 254],
        [452.48, 126],
        [464, 126],
        [476, 127],
        [Infinity, 127],
        [-Infinity, 255],
        [-0, 128],
      ],
    ],
    [
      'float8_e4m3fnuz',
      [
        [0.3, 50],
        [-240, 255],
        [242.4, 127],
        [255, 128],
        [Infinity, 128],
        [-Infinity, 128],
        [-0, 0],
        [-0.00048828125, 0],
      ],
    ],
    [
      'float8_e4m3b11fnuz',
      [
        [0.3, 74],
        [-30, 255],
        [30.3, 127],
        [31.875, 128],
        [-Infinity, 128],
        [-0, 0],
        [0.00018310546875, 2],
      ],
    ],
    [
      'float8_e5m2fnuz',
      [
        [0.3, 57],
        [-57344, 255],
        [60928, 127],
        [114688, 128],
        [-Infinity, 128],
        [-0, 0],
      ],
    ],
    [
      'float4_e2m1fn',
      [
        [0.3, 1],
        [-6, 15],
        [6.375, 7],
        [12, 7],
        [Infinity, 7],
        [-Infinity, 15],
        [0.25, 0],
        [0.75, 2],
        [-0.25, 8],
        [Number.NaN, 8],
      ],
    ],
  ])('%s rounds, overflows and underflows as in Python', (dtype, values) => {
    const { encode } = codecOf(dtype);
    expect(values.map(([value]) => [value, encode(value)])).toEqual(values);
  });
});

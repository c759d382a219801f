/** `Tensor.from`, `Tensor.allocate` and what TensorFlow makes of them. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DTYPES, type DType, dtypeInfo } from '../../lib/dtype.js';
import { SavedModel, Tensor } from '../../lib/index.js';
import { fixture } from '../saved-model/models.js';
import { end, forAll, LIMIT_MS } from './property.js';
import { changing, HOSTILE, hostile, type Maker } from './values.js';

let model: SavedModel;
beforeAll(async () => {
  model = await SavedModel.load(fixture('every-dtype'));
});
afterAll(() => model.close());

/** Without their types, which would refuse most of it. */
const from = Tensor.from as (...given: unknown[]) => Tensor;
const allocate = Tensor.allocate as (...given: unknown[]) => Tensor;
const dtypes = DTYPES.map(({ name }) => name);
const shapes = fc.oneof(
  fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
  fc.array(
    fc.constantFrom(
      0,
      1,
      -0,
      -1,
      0.5,
      2 ** 16,
      2 ** 31,
      2 ** 32,
      2 ** 53 - 1,
      2 ** 53,
      2 ** 63,
      Number.NaN,
      Infinity,
    ),
    {
      maxLength: 5,
    },
  ),
  fc.integer({ min: 250, max: 260 }).map((rank) => new Array<number>(rank).fill(1)),
);

/** A tensor that was made is whole. */
function expectWhole(tensor: Tensor): void {
  expect(tensor.shape.every((size) => Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0))).toBe(
    true,
  );
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  expect(tensor.data.length).toBe(elements * dtypeInfo(tensor.dtype).width);
}

describe('Tensor.from', { timeout: LIMIT_MS }, () => {
  it.each(HOSTILE)('takes or refuses hostile value %i, as data, shape and data type', async (_, make) => {
    await end(() => expectWhole(from(make())));
    for (const dtype of ['float32', 'int4', 'string', 'complex64', 'int64', 'bool'] as const) {
      await end(() => expectWhole(from(make(), undefined, dtype)));
    }
    await end(() => expectWhole(from([1, 2], make())));
    await end(() => expectWhole(from(1, [make()])));
    await end(() => expectWhole(from([1, 2], undefined, make())));
    await end(() => expectWhole(allocate('float32', make())));
    await end(() => expectWhole(allocate(make(), [1])));
  });

  it('takes or refuses all of them together', async () => {
    const given = (values: readonly unknown[]) => fc.constantFrom(...values).map((value) => () => value);
    await forAll(
      [
        hostile,
        fc.oneof(
          shapes.map((shape) => () => shape),
          hostile,
        ),
        fc.oneof(given([undefined, ...dtypes]), hostile),
      ],
      3000,
      async (data, shape, dtype) => {
        await end(() => expectWhole(from(data(), shape(), dtype())));
      },
    );
  });

  it('takes or refuses nested arrays of anything', async () => {
    const { tree } = fc.letrec<{ tree: Maker }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        hostile,
        fc.array(tie('tree'), { maxLength: 3 }).map((makers) => () => makers.map((make) => make())),
      ),
    }));
    await forAll([tree, fc.constantFrom(undefined, ...dtypes)], 1000, async (data, dtype) => {
      await end(() => expectWhole(from(data(), undefined, dtype)));
    });
  });

  it.each(
    [Number.NaN, null, undefined, '', '2', false, 2n, [], -1, 0.5, Infinity, 2 ** 53].map((size) => [size]),
  )('refuses a dimension that is none (%#)', async (size) => {
    expect(await end(() => from(new Float32Array(0), [size]))).toBe('INVALID_ARGUMENT');
    expect(await end(() => allocate('float32', [size]))).toBe('INVALID_ARGUMENT');
  });

  it('knows no dimension of -0', () => {
    expect(Object.is(Tensor.from([], [-0]).shape[0], 0)).toBe(true);
    expect(Object.is(Tensor.allocate('float32', [-0]).shape[0], 0)).toBe(true);
  });

  it('keeps to the shape that it has checked', async () => {
    const shape = Object.defineProperties([2, 1], {
      0: changing(2, 2 ** 53, Symbol('s')),
      1: changing(1, -1, 'x'),
    });
    expect(Tensor.from([1, 2], shape as number[]).shape).toEqual([2, 1]);
    const allocated = Object.defineProperty([2], 0, changing(2, 1e9));
    expect(Tensor.allocate('float32', allocated as number[]).data).toHaveLength(2);
  });

  it('takes memory that grows and shrinks as it is at that moment', () => {
    const Growable = SharedArrayBuffer as unknown as new (
      n: number,
      o: object,
    ) => SharedArrayBuffer & { grow(n: number): void };
    const buffer = new Growable(8, { maxByteLength: 64 });
    const view = new Float32Array(buffer).fill(3);
    const tensor = Tensor.from(view);
    buffer.grow(64);
    view.fill(4);
    expect([...tensor.data]).toEqual([3, 3]);
    expect(tensor.shape).toEqual([2]);
  });
});

describe('shapes', { timeout: LIMIT_MS }, () => {
  it('of any size are taken or refused by allocate, and by a run', async () => {
    await forAll([shapes, fc.constantFrom(...dtypes)], 1000, async (shape, dtype) => {
      // Beyond what a test should take.
      const bytes = shape.reduce((product, size) => product * size, 16);
      if (bytes > 1e6 && bytes < 2 ** 45) return;
      await end(() => expectWhole(allocate(dtype, shape)));
    });
  });

  it.each([
    [[0, 2 ** 53 - 1, 2 ** 53 - 1]],
    [[2 ** 53 - 1, 2 ** 53 - 1, 0]],
    [[2 ** 31, 2 ** 31, 0]],
    [[0, 2 ** 32, 2 ** 32]],
    [[0, 2 ** 40]],
    [new Array(254).fill(0)],
    [[...new Array(253).fill(2 ** 53 - 1), 0]],
  ])('%j without an element', async (shape) => {
    for (const [dtype, data] of [
      ['float32', new Float32Array(0)],
      ['string', []],
    ] as const) {
      await end(async () => {
        const x = from(data, shape, dtype);
        const { y } = await model.run({ x }, { signature: `identity_${dtype}` });
        expect(y!.shape).toEqual(shape);
      });
    }
  });
});

describe('a round trip through TensorFlow', { timeout: LIMIT_MS }, () => {
  /** Types that this TensorFlow takes from outside; 4 bits of int4 are stored in a byte. */
  const numeric = (dtype: DType) => dtypeInfo(dtype).array !== undefined;
  const known = (dtype: DType) => `identity_${dtype}` in model.signatures;

  it.each(dtypes.filter(numeric))('of %s is the same bit by bit', async (dtype) => {
    if (!known(dtype)) return expect(Object.keys(model.signatures)).not.toContain(`identity_${dtype}`);
    const { array, bytes, range, name } = dtypeInfo(dtype);
    const signature = `identity_${dtype}`;
    await forAll(
      [fc.array(fc.nat({ max: 4 }), { maxLength: 5 }), fc.infiniteStream(fc.nat({ max: 255 }))],
      40,
      async (shape, bits) => {
        const count = shape.reduce((product, size) => product * size, 1);
        const memory = Uint8Array.from({ length: count * bytes }, () => bits.next().value);
        const data = new array!(memory.buffer);
        if (range !== undefined && /bool|int[42]/.test(name)) {
          const [low, high] = range as [number, number];
          for (let i = 0; i < data.length; i++) data[i] = low + (memory[i]! % (high - low + 1));
        }
        const x = from(data, shape, dtype);
        const { y } = await model.run({ x }, { signature });
        expect(y!.dtype).toBe(dtype);
        expect(y!.shape).toEqual(shape);
        expect(Buffer.compare(bytesOf(y!), bytesOf(x))).toBe(0);
        // The way through numbers loses nothing but the bits of NaN.
        const numbers = x.toNumbers();
        const values = range === undefined && dtypeInfo(dtype).width === 2 ? undefined : numbers;
        if (values === undefined || typeof range?.[0] === 'bigint') return;
        const again = from(values, shape, dtype);
        expect(again.toNumbers()).toEqual(numbers);
      },
    );
  });

  it('of strings is the same, lone surrogates aside', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('\0', '\ud800', '\udfff', 'é', '€', '😀', 'a'), maxLength: 20 }),
      fc.uint8Array({ maxLength: 50 }),
    );
    await forAll([fc.array(text, { maxLength: 6 })], 300, async (texts) => {
      const x = Tensor.from(texts, [texts.length], 'string');
      const { y } = await model.run({ x }, { signature: 'identity_string', strings: 'bytes' });
      const bytes = (value: string | Uint8Array) =>
        Buffer.from(typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value);
      expect((y!.data as Uint8Array[]).map((value) => Buffer.from(value))).toEqual(texts.map(bytes));
    });
  });
});

function bytesOf({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

describe('a view whose buffer changes between `from` and `run`', { timeout: LIMIT_MS }, () => {
  type Resizable = ArrayBuffer & { resize(bytes: number): void };
  const Buffers = ArrayBuffer as unknown as new (n: number, o: object) => Resizable;

  it.each([0, 4, 8, 64])('to %i bytes ends in a result or an error', async (bytes) => {
    for (const length of [undefined, 4]) {
      const buffer = new Buffers(16, { maxByteLength: 64 });
      const x = Tensor.from(new Float32Array(buffer, 0, length).fill(2));
      buffer.resize(bytes);
      const how = await end(async () => {
        const { y } = await model.run({ x }, { signature: 'identity_float32' });
        expect([...y!.data]).toEqual([2, 2, 2, 2]);
      });
      expect(['result', 'INVALID_ARGUMENT']).toContain(how);
    }
  });

  it('by being transferred ends in an error', async () => {
    const x = Tensor.from(new Float32Array(4));
    const allocated = Tensor.allocate('float32', [4]);
    for (const { data } of [x, allocated])
      structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    expect(await end(() => model.run({ x }, { signature: 'identity_float32' }))).toBe('INVALID_ARGUMENT');
    await end(() => model.run({ x: allocated }, { signature: 'identity_float32' }));
  });
});

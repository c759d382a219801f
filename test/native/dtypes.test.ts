import { beforeAll, describe, expect, it } from 'vitest';
import { DTYPES, type DTypeInfo } from '../../lib/dtype.js';
import { SavedModel, Tensor } from '../../lib/index.js';
import { randomSource } from '../../scripts/fuzz/random.mjs';
import { failure } from '../helpers/failure.js';
import { fixture } from '../saved-model/models.js';

/** Large enough for outputs that are handed over rather than copied. */
const MANY = 10_000;
const NUMERIC = DTYPES.filter((info) => info.array !== undefined);

let model: SavedModel;
beforeAll(async () => {
  model = await SavedModel.load(fixture('every-dtype'));
  return () => model.close();
});

/** Each bit pattern of a type of up to 8 bits, else random ones: NaNs with a payload among them. */
function patterns(info: DTypeInfo): Uint8Array {
  const [low, high] = info.range ?? [0, 255];
  if (info.name === 'float4_e2m1fn') return Uint8Array.from({ length: 16 }, (_, i) => i);
  if (info.bytes === 1) {
    return Uint8Array.from({ length: Number(high) - Number(low) + 1 }, (_, i) => i + Number(low));
  }
  const random = randomSource(info.number);
  return Uint8Array.from({ length: MANY * info.bytes }, () => random(256));
}

function tensorOf(bytes: Uint8Array, info: DTypeInfo): Tensor {
  const data = new info.array!(new Uint8Array(bytes).buffer);
  return Tensor.from(data, [data.length / info.width], info.name);
}

function bytesOf({ data }: Tensor): Buffer {
  const view = data as Uint8Array;
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

describe.each(NUMERIC)('$name', (info) => {
  const signature = `identity_${info.name}`;

  it('crosses to TensorFlow and back bit by bit', async () => {
    const bytes = patterns(info);
    for (const outputs of [undefined, 'copy'] as const) {
      const { y } = await model.run({ x: tensorOf(bytes, info) }, { signature, outputs });
      expect({ dtype: y!.dtype, type: y!.data.constructor.name }).toEqual({
        dtype: info.name,
        type: info.array!.name,
      });
      expect(bytesOf(y!).equals(bytes)).toBe(true);
      expect(
        bytesOf(model.runSync({ x: tensorOf(bytes, info) }, { signature, outputs }).y!).equals(bytes),
      ).toBe(true);
    }
  });

  it('crosses in large numbers', async () => {
    const bytes = patterns(info);
    const repeated = Buffer.alloc(Math.ceil(100_000 / bytes.length) * bytes.length, bytes);
    const { y } = await model.run({ x: tensorOf(repeated, info) }, { signature });
    expect(y!.shape).toEqual([repeated.length / info.bytes]);
    expect(bytesOf(y!).equals(repeated)).toBe(true);
  });

  it('may be a scalar, and may have no element', async () => {
    const zeros = (shape: number[], count: number) =>
      Tensor.from(new info.array!(count * info.width), shape, info.name);
    for (const [shape, count] of [
      [[], 1],
      [[0], 0],
      [[2, 0, 3], 0],
      [[1, 1], 1],
    ] as const) {
      const { y } = await model.run({ x: zeros([...shape], count) }, { signature });
      expect(y!.shape).toEqual(shape);
      expect(y!.data).toEqual(new info.array!(count * info.width));
    }
  });
});

describe('handles', () => {
  it.each(['resource', 'variant'])('of type %s are refused before the run, by name', async (signature) => {
    const error = await failure(model.run({}, { signature }));
    expect(error.code).toBe('UNIMPLEMENTED');
    expect(error.message).toContain(`The tensor "${signature}:0" is of type ${signature}`);
    expect((await failure(() => model.runSync({}, { signature }))).code).toBe('UNIMPLEMENTED');
    expect((await failure(model.session.run([signature]))).code).toBe('UNIMPLEMENTED');
    expect((await failure(model.session.run(['y_bool'], { [signature]: 1, x_bool: true }))).code).toBe(
      'UNIMPLEMENTED',
    );
  });
});

describe('the dimensions of a tensor', () => {
  const ones = (rank: number) => Tensor.from(new Float32Array([7]), Array(rank).fill(1));

  it.each([8, 9, 100, 253, 254])('may be %i', async (rank) => {
    const { y } = await model.run({ x: ones(rank) }, { signature: 'identity_float32' });
    expect(y!.shape).toEqual(Array(rank).fill(1));
    expect(y!.data).toEqual(new Float32Array([7]));
  });

  it('are no more than that, which would end the process', async () => {
    const tensor = Tensor.wrap('float32', Array(255).fill(1), new Float32Array([7]));
    const run = model.run({ x: tensor }, { signature: 'identity_float32' });
    expect((await failure(run)).code).toBe('INVALID_ARGUMENT');
  });

  it('that do not match the data are refused, however they came about', async () => {
    const run = (shape: number[], data: Float32Array<ArrayBuffer>) =>
      failure(model.run({ x: Tensor.wrap('float32', shape, data) }, { signature: 'identity_float32' }));
    for (const shape of [[3], [1], [-1], [-1, -2], [2 ** 62, 4], [2 ** 32, 2 ** 32], [2 ** 53]]) {
      expect((await run(shape, new Float32Array(2))).code).toBe('INVALID_ARGUMENT');
    }
    const moved = new Float32Array(2);
    const tensor = Tensor.from(moved);
    structuredClone(moved, { transfer: [moved.buffer] });
    expect((await failure(model.run({ x: tensor }, { signature: 'identity_float32' }))).message).toMatch(
      /8 bytes/,
    );
  });
});

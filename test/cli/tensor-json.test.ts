import { describe, expect, it } from 'vitest';
import { jsonText } from '../../lib/cli/output/json-text.js';
import { type DType, Tensor } from '../../lib/index.js';
import { tensorToJson, valueFromJson } from '../../lib/tensor-json.js';
import { failure } from '../helpers/failure.js';
import { type Case, fixtureJson } from '../helpers/fixtures.js';
import { expectTensor, fromJson, type JsonTensor } from '../helpers/json-tensor.js';

const any = (dtype: DType) => ({ dtype, shape: null });

/** Through the text and back, as a file would go. */
function parsed(value: unknown): unknown {
  return JSON.parse([...jsonText(value)].join(''));
}

describe('every data type', () => {
  const { cases } = fixtureJson<{ cases: Case[] }>('every-dtype');
  const tensors = new Map(
    cases.flatMap(({ inputs }) => Object.values(inputs).map((json) => [json.dtype, json])),
  );

  it.each([...tensors.values()].map((json) => [json.dtype, json] as const))('%s', (_, json: JsonTensor) => {
    const { bits: _bits, ...plain } = json;
    const read = valueFromJson(plain, any(json.dtype as DType));
    expectTensor(read, json, json.dtype);
    expect(tensorToJson(fromJson(json))).toEqual(plain);
    expect(parsed(tensorToJson(read))).toEqual(plain);
  });
});

describe('inline values', () => {
  it('take the shape of their nesting', () => {
    expect(valueFromJson([[1, 2, 3]], any('float32'))).toMatchObject({ shape: [1, 3] });
    expect(valueFromJson(5, any('int32'))).toMatchObject({ shape: [] });
    expect(valueFromJson([], any('int32'))).toMatchObject({ shape: [0] });
  });

  it('of floats may be NaN and infinite', () => {
    const { data } = valueFromJson(['NaN', 'Infinity', '-Infinity', -0], any('float64'));
    expect([...(data as Float64Array)]).toEqual([Number.NaN, Infinity, -Infinity, -0]);
  });

  it('of 64-bit integers may be strings, and must be where a number is not exact', async () => {
    const { data } = valueFromJson(['9223372036854775807', -5], any('int64'));
    expect(data).toEqual(new BigInt64Array([9223372036854775807n, -5n]));
    const error = await failure(() => valueFromJson([2 ** 53], any('int64')));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching('as a string') });
    await failure(() => valueFromJson(['9223372036854775808'], any('int64')));
    await failure(() => valueFromJson(['-1'], any('uint64')));
  });

  it('of strings may be bytes', () => {
    const { data } = valueFromJson(['a', { base64: '/wA=' }], any('string'));
    expect(data).toEqual(['a', new Uint8Array([255, 0])]);
  });

  it('of complex numbers are pairs, told from dimensions by the rank that is wanted', () => {
    expect(
      valueFromJson(
        [
          [1, 2],
          [3, 'NaN'],
        ],
        any('complex64'),
      ),
    ).toMatchObject({ shape: [2] });
    expect(
      valueFromJson(
        [
          [1, 2],
          [3, 4],
        ],
        { dtype: 'complex64', shape: [-1, 2] },
      ),
    ).toMatchObject({ shape: [2, 2] });
    expect(valueFromJson([1, 2], { dtype: 'complex64', shape: [] })).toMatchObject({ shape: [] });
  });

  it('may be a tensor without some of its keys', () => {
    expect(valueFromJson({ shape: [2, 1], data: [1, 2] }, any('int8'))).toMatchObject({ shape: [2, 1] });
    expect(valueFromJson({ dtype: 'int16', data: [[1], [2]] }, any('int8'))).toMatchObject({
      dtype: 'int16',
      shape: [2, 1],
    });
  });

  it.each<[string, unknown, DType]>([
    ['ragged arrays', [[1, 2], [3]], 'float32'],
    ['a text for a number', ['1'], 'float32'],
    ['null', [null], 'float32'],
    ['a fraction', [1.5], 'int32'],
    ['too much for the type', [300], 'uint8'],
    ['a number for a string', [1], 'string'],
    ['no base64', [{ base64: '?' }], 'string'],
    ['a number for a bool', [2], 'bool'],
    ['another number of elements', { shape: [3], data: [1, 2] }, 'float32'],
    ['a negative dimension', { shape: [-1], data: [1, 2] }, 'float32'],
    ['an unknown data type', { dtype: 'floof', data: [1] }, 'float32'],
    ['an unknown key', { data: [1], shpae: [1] }, 'float32'],
    ['an object', { a: 1 }, 'float32'],
  ])('refuse %s', async (_, value, dtype) => {
    expect((await failure(() => valueFromJson(value, any(dtype)))).code).toBe('INVALID_ARGUMENT');
  });
});

describe('the text', () => {
  it('is what JSON.stringify writes, but for minus zero', () => {
    const value = { a: [1, [2, { b: 'ü"\n' }], []], c: null, d: true, e: {}, f: undefined, g: [[], [null]] };
    expect([...jsonText(value)].join('')).toBe(JSON.stringify(value));
    expect([...jsonText([-0, 0])].join('')).toBe('[-0,0]');
  });

  it('comes in pieces', () => {
    const { data } = tensorToJson(Tensor.from(new Float32Array(200_000).fill(0.1)));
    const pieces = [...jsonText({ data })];
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(200_000);
    expect(JSON.parse(pieces.join(''))).toEqual({ data });
  });
});

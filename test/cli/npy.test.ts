import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../lib/cli/inputs/npy.js';
import { tensorFromNpy } from '../../lib/cli/inputs/npy-tensor.js';
import type { DType } from '../../lib/index.js';
import { tensorToJson } from '../../lib/tensor-json.js';
import { failure } from '../helpers/failure.js';
import { fixtureJson } from '../helpers/fixtures.js';
import { npyFile, numbers, unicode } from './npy-file.js';

/** The file's values as JSON, where the signature wants `dtype`. */
function read(file: Uint8Array, dtype: DType) {
  const { tensor, note } = tensorFromNpy(readNpy(file, 'x.npy'), { dtype, shape: null });
  return { ...tensorToJson(tensor), note };
}

const WIDE = [1n, 2n ** 62n + 1n];
const TYPES: [
  code: string,
  DType,
  bytes: number,
  method: string,
  values: (number | bigint)[],
  json?: unknown[],
][] = [
  ['f2', 'float16', 2, 'UInt16', [0x3e00, 0xc000], [1.5, -2]],
  ['f4', 'float32', 4, 'Float', [1.5, -2, Number.NaN], [1.5, -2, 'NaN']],
  ['f8', 'float64', 8, 'Double', [0.1, -Infinity], [0.1, '-Infinity']],
  ['i1', 'int8', 1, 'Int8', [-128, 127]],
  ['i2', 'int16', 2, 'Int16', [-2, 300]],
  ['i4', 'int32', 4, 'Int32', [-2, 70000]],
  ['i8', 'int64', 8, 'BigInt64', [-1n, ...WIDE], [-1, 1, '4611686018427387905']],
  ['u1', 'uint8', 1, 'UInt8', [0, 255]],
  ['u2', 'uint16', 2, 'UInt16', [0, 65535]],
  ['u4', 'uint32', 4, 'UInt32', [0, 4294967295]],
  ['u8', 'uint64', 8, 'BigUInt64', WIDE, [1, '4611686018427387905']],
  ['b1', 'bool', 1, 'UInt8', [0, 1, 7], [false, true, true]],
  [
    'c8',
    'complex64',
    4,
    'Float',
    [1, 2, 3, 4],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['c16', 'complex128', 8, 'Double', [1, 0.1], [[1, 0.1]]],
];

describe('every element type', () => {
  for (const [code, dtype, bytes, method, values, json = values] of TYPES) {
    for (const order of bytes === 1 ? ['|'] : ['<', '>', '=']) {
      it(`${order}${code} is ${dtype}`, () => {
        const end = bytes === 1 ? '' : order === '>' ? 'BE' : 'LE';
        const elements = numbers(`write${method}${end}` as 'writeInt8', bytes, values);
        const file = npyFile(`${order}${code}`, [json.length], elements);
        expect(read(file, dtype)).toEqual({ dtype, shape: [json.length], data: json, note: undefined });
      });
    }
  }

  it('S is bytes without the padding', () => {
    const { data } = read(npyFile('|S3', [3], Buffer.from('ab\0\0\0\0\xff\0c', 'latin1')), 'string');
    expect(data).toEqual(['ab', '', { base64: '/wBj' }]);
  });

  it('U is strings, in both byte orders', () => {
    const values = ['grün', '', '🎈!'];
    expect(read(npyFile('<U4', [3], unicode(values, 4)), 'string').data).toEqual(values);
    expect(read(npyFile('>U4', [3], unicode(values, 4, false)), 'string').data).toEqual(values);
  });

  it('of no width has empty strings', () => {
    expect(read(npyFile('|S0', [2], Buffer.alloc(0)), 'string').data).toEqual(['', '']);
  });
});

describe('types that a file does not explain', () => {
  it.each<[string, DType, number[], number[]]>([
    ['<V2', 'bfloat16', [0x80, 0x3f, 0x80, 0xbf], [1, -1]],
    ['|V2', 'float16', [0x00, 0x3e], [1.5]],
    ['<V1', 'float8_e4m3fn', [0x38, 0xb8], [1, -1]],
    ['<f1', 'float8_e5m2', [0x3c, 0xbc], [1, -1]],
    ['|V1', 'int4', [0x01, 0x0f, 0xff], [1, -1, -1]],
    ['|V1', 'uint4', [0x01, 0x0f], [1, 15]],
    ['|V1', 'int2', [0x01, 0x03], [1, -1]],
    ['|V1', 'float4_e2m1fn', [0x02, 0x0a], [1, -1]],
  ])('%s is %s where the signature says so', (descr, dtype, bytes, data) => {
    expect(read(npyFile(descr, [data.length], Buffer.from(bytes)), dtype)).toMatchObject({ dtype, data });
  });

  it('and has another size', async () => {
    const error = await failure(() => read(npyFile('<V2', [1], Buffer.alloc(2)), 'float32'));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toMatch('<V2');
  });
});

describe('order and versions', () => {
  it.each([1, 2, 3] as const)('version %i', (version) => {
    const file = npyFile('|u1', [2], Buffer.from([1, 2]), { version });
    expect(read(file, 'uint8').data).toEqual([1, 2]);
  });

  it('Fortran order becomes row-major', () => {
    // [[[1, 2], [3, 4], [5, 6]]] in column-major order.
    const file = npyFile('|u1', [1, 3, 2], Buffer.from([1, 3, 5, 2, 4, 6]), { fortran: true });
    expect(read(file, 'uint8')).toMatchObject({ shape: [1, 3, 2], data: [1, 2, 3, 4, 5, 6] });
  });

  it('Fortran order of complex numbers, strings and big-endian numbers', () => {
    const complex = npyFile('>c8', [2, 2], numbers('writeFloatBE', 4, [1, 2, 5, 6, 3, 4, 7, 8]), {
      fortran: true,
    });
    expect(read(complex, 'complex64').data).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
    const strings = npyFile('<U1', [2, 2], unicode(['a', 'c', 'b', 'd'], 1), { fortran: true });
    expect(read(strings, 'string').data).toEqual(['a', 'b', 'c', 'd']);
  });

  it('scalars and arrays without elements', () => {
    expect(read(npyFile('|u1', [], Buffer.from([7])), 'uint8')).toMatchObject({ shape: [], data: [7] });
    const none = npyFile('<f4', [0, 3], Buffer.alloc(0), { fortran: true });
    expect(read(none, 'float32')).toMatchObject({ shape: [0, 3], data: [] });
  });

  it('elements that do not lie aligned in memory', () => {
    const file = npyFile('<f8', [1], numbers('writeDoubleLE', 8, [0.1]));
    const moved = new Uint8Array(file.length + 1);
    moved.set(file, 1);
    expect(read(moved.subarray(1), 'float64').data).toEqual([0.1]);
  });

  it("Python 2's header, and a file that NumPy wrote", () => {
    const header = `{"descr": "|u1", "fortran_order": False, "shape": (2L,), }`;
    expect(read(npyFile('', [], Buffer.from([1, 2]), { header }), 'uint8').shape).toEqual([2]);
    const path = new URL('../fixtures/basic-pitch/note.npy', import.meta.url);
    const { outputs } = fixtureJson<{ outputs: object }>('basic-pitch');
    expect(outputs).toBeDefined();
    expect(readNpy(readFileSync(path), 'note.npy')).toMatchObject({ dtype: 'float32', descr: '<f4' });
  });
});

describe('conversion to what the signature says', () => {
  it.each<[string, Buffer, DType, unknown[]]>([
    ['<f8', numbers('writeDoubleLE', 8, [0.5, 2]), 'float32', [0.5, 2]],
    ['<i4', numbers('writeInt32LE', 4, [1, -2]), 'float32', [1, -2]],
    ['<i8', numbers('writeBigInt64LE', 8, [1n, -2n]), 'int32', [1, -2]],
    ['<f4', numbers('writeFloatLE', 4, [1, 2]), 'int64', [1, 2]],
    ['<f4', numbers('writeFloatLE', 4, [1.5, 2]), 'float16', [1.5, 2]],
    ['<f2', numbers('writeUInt16LE', 2, [0x3e00]), 'float32', [1.5]],
    ['<f4', numbers('writeFloatLE', 4, [1.5]), 'complex64', [[1.5, 0]]],
    ['|b1', Buffer.from([1, 0]), 'float32', [1, 0]],
    ['<c16', numbers('writeDoubleLE', 8, [1, 2]), 'complex64', [[1, 2]]],
  ])('%s with a note', (descr, elements, dtype, data) => {
    const converted = read(npyFile(descr, [data.length], elements), dtype);
    expect(converted).toMatchObject({ dtype, data, note: expect.stringMatching(`to ${dtype}`) });
  });

  it('integers as quantized types need no note', () => {
    expect(read(npyFile('|i1', [1], Buffer.from([5])), 'qint8')).toMatchObject({
      data: [5],
      note: undefined,
    });
  });

  it.each<[string, string, Buffer, DType]>([
    ['a fraction to an integer', '<f4', numbers('writeFloatLE', 4, [1.5]), 'int32'],
    ['too large a number', '<i4', numbers('writeInt32LE', 4, [300]), 'uint8'],
    ['complex to real', '<c8', numbers('writeFloatLE', 4, [1, 2]), 'float32'],
    ['strings to numbers', '<U1', unicode(['a'], 1), 'float32'],
    ['numbers to strings', '|u1', Buffer.from([1]), 'string'],
  ])('is refused: %s', async (_, descr, elements, dtype) => {
    const error = await failure(() => read(npyFile(descr, [1], elements), dtype));
    expect(error.code).toBe('INVALID_ARGUMENT');
  });
});

describe('what cannot be read', () => {
  const whole = npyFile('<f4', [4], Buffer.alloc(16));

  it('every truncation', async () => {
    for (let length = 0; length < whole.length; length++) {
      const error = await failure(() => readNpy(whole.subarray(0, length), 'x.npy'));
      expect(error.code, `${length} bytes`).toBe('DATA_LOSS');
      expect(error.message).toMatch('x.npy');
    }
  });

  it.each([
    ['Python objects', '|O', 'objects'],
    ['dates', '<M8[ns]', '<M8\\[ns\\]'],
    ['long doubles', '<f16', '<f16'],
  ])('%s', async (_, descr, message) => {
    const error = await failure(() => readNpy(npyFile(descr, [1], Buffer.alloc(16)), 'x.npy'));
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', message: expect.stringMatching(message) });
  });

  it('fields, a version to come, a header that is none', async () => {
    const fields = `{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }`;
    const withFields = npyFile('', [], Buffer.alloc(4), { header: fields });
    expect((await failure(() => readNpy(withFields, 'x.npy'))).code).toBe('UNIMPLEMENTED');
    const future = Buffer.from(whole);
    future[6] = 4;
    expect((await failure(() => readNpy(future, 'x.npy'))).message).toMatch('version 4');
    const broken = npyFile('', [], Buffer.alloc(4), { header: '{}' });
    expect((await failure(() => readNpy(broken, 'x.npy'))).code).toBe('DATA_LOSS');
  });
});

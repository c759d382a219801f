// Files of NumPy's format: headers of every kind, right and wrong, and what follows them.
import { pick } from '../random.mjs';
import { damaged } from './bytes.mjs';

const DESCR = [
  ...[
    'f2',
    'f4',
    'f8',
    'i1',
    'i2',
    'i4',
    'i8',
    'u1',
    'u2',
    'u4',
    'u8',
    'b1',
    'c8',
    'c16',
    'V1',
    'V2',
    'f1',
    'S3',
    'U3',
    'S0',
    'U0',
  ],
  ...[
    'O',
    'f16',
    'i3',
    'M8[ns]',
    'S99999999999',
    'U4294967296',
    'V0',
    'f0',
    'f-4',
    'i',
    '',
    'S',
    'U',
    '4f',
    'f4f4',
    'S1e3',
  ],
];
const ORDERS = ['<', '>', '|', '=', '', '!'];
const SHAPES = [
  '',
  '2,',
  '2, 3',
  '0,',
  '1, 1, 1',
  '2L, 2L',
  '3, 0, 5',
  '-1,',
  '1e3,',
  '99999999999999999999,',
  '4294967296, 4294967296',
  '9007199254740993,',
  '2,,3',
  ',',
  '1, '.repeat(300),
  '65536, 65536, 0',
];

/** A file that may well be right. */
function written(random) {
  const descr = pick(ORDERS, random) + pick(random(2) === 0 ? DESCR.slice(0, 21) : DESCR, random);
  const shape = pick(random(2) === 0 ? SHAPES.slice(0, 7) : SHAPES, random);
  const order = pick(['False', 'False', 'True', 'true', '0'], random);
  let header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`;
  if (random(8) === 0) header = header.replaceAll("'", '"');
  if (random(8) === 0) header = `{'shape': (1,), ${header.slice(1)}`;
  const version = pick([1, 1, 2, 3, 0, 4], random);
  const start = version === 1 ? 10 : 12;
  header = `${header.padEnd(64 - start)}\n`;
  const head = Buffer.alloc(start);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  const length = random(8) === 0 ? pick([0, 1, 65535], random) : header.length;
  if (version === 1) head.writeUInt16LE(length, 8);
  else head.writeUInt32LE(random(16) === 0 ? 2 ** 32 - 1 : length, 8);
  const content = Buffer.from(Array.from({ length: random(200) }, () => random(256)));
  if (random(2) === 0) content.fill(pick([0, 1, 0x41], random));
  return Buffer.concat([head, Buffer.from(header, 'latin1'), content]);
}

export function someNpy(random) {
  const bytes = written(random);
  return random(3) === 0 ? damaged(bytes, written(random), random) : bytes;
}

/** CRC-32C (Castagnoli), with which checkpoints protect each tensor; masked, as LevelDB does it. */
import type { Slices } from '../placement/slices.js';

const POLYNOMIAL = 0x82f63b78;
const MASK = 0xa282ead8;
/** Bytes between two looks at the clock: some 0.1 ms. */
const PIECE = 1 << 16;

/** Table k holds the sum of a byte that k more bytes follow, so that eight go in one step. */
const TABLES = makeTables();

function makeTables(): Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    tables[0]![byte] = sum;
  }
  for (let k = 1; k < 8; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[k - 1]![byte]!;
      tables[k]![byte] = (before >>> 8) ^ tables[0]![before & 0xff]!;
    }
  }
  return tables;
}

function add(sum: number, bytes: Uint8Array, from: number, to: number): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let at = from;
  for (; at + 8 <= to; at += 8) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    sum =
      t7[sum & 0xff]! ^
      t6[(sum >>> 8) & 0xff]! ^
      t5[(sum >>> 16) & 0xff]! ^
      t4[sum >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < to; at++) sum = (sum >>> 8) ^ t0[(sum ^ bytes[at]!) & 0xff]!;
  return sum;
}

/** Whether the masked checksum is that of the bytes. */
export async function isMasked(bytes: Uint8Array, masked: number, slices: Slices): Promise<boolean> {
  let sum = -1;
  for (let at = 0; at < bytes.length; at += PIECE) {
    if (slices.isOver(0)) await slices.next();
    sum = add(sum, bytes, at, Math.min(bytes.length, at + PIECE));
  }
  sum = ~sum;
  return (((sum >>> 15) | (sum << 17)) + MASK) >>> 0 === masked >>> 0;
}

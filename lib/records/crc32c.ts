/** CRC-32C as record files have it. */
import { Slices } from '../placement/slices.js';

/** Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;
const MASK = 0xa282ead8;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc >>> 0;
});

/** Bytes between two looks at the clock. */
const PIECE = 1 << 18;

/** The checksum, turned and shifted, so that a checksum of data with checksums in it is none of theirs. In slices. */
export async function maskedCrc32c(bytes: Uint8Array): Promise<number> {
  const slices = new Slices();
  let crc = 0xffffffff;
  for (let from = 0; from < bytes.length; from += PIECE) {
    if (slices.isOver(0)) await slices.next();
    const end = Math.min(bytes.length, from + PIECE);
    for (let i = from; i < end; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + MASK) >>> 0;
}

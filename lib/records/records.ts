/** Record files, as TensorFlow writes them: of each record its length, a checksum of that, its bytes, a checksum of these. */
import { TensorFlowError } from '../errors.js';
import { maskedCrc32c } from './crc32c.js';

/** The length, eight bytes, and its checksum; all numbers are little-endian. */
const HEAD = 12;
const CHECKSUM = 4;

/** A record as it stands in a file. */
export async function framedRecord(data: Uint8Array): Promise<Buffer> {
  const framed = Buffer.alloc(HEAD + data.length + CHECKSUM);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(await maskedCrc32c(framed.subarray(0, 8)), 8);
  framed.set(data, HEAD);
  framed.writeUInt32LE(await maskedCrc32c(data), HEAD + data.length);
  return framed;
}

/**
 * The records of a file, as views of its bytes.
 *
 * @param name of the file, for messages
 * @throws TensorFlowError DATA_LOSS where a checksum is another, or the last record is cut short
 */
export async function* recordsOf(file: Uint8Array, name: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const damaged = (at: number, what: string) =>
    new TensorFlowError(
      'DATA_LOSS',
      `${name} is damaged, or no file of records (TFRecord): at byte ${at} of ${bytes.length} ${what}.`,
    );
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < HEAD) throw damaged(at, 'a record is cut short');
    if ((await maskedCrc32c(bytes.subarray(at, at + 8))) !== bytes.readUInt32LE(at + 8)) {
      throw damaged(at, 'the length of a record is not what its checksum says');
    }
    const length = bytes.readBigUInt64LE(at);
    const left = bytes.length - at - HEAD - CHECKSUM;
    if (length > left) throw damaged(at, `a record of ${length} bytes is cut short`);
    const end = at + HEAD + Number(length);
    const data = bytes.subarray(at + HEAD, end);
    if ((await maskedCrc32c(data)) !== bytes.readUInt32LE(end)) {
      throw damaged(at, 'a record is not what its checksum says');
    }
    yield data;
    at = end + CHECKSUM;
  }
}

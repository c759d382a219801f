/**
 * Protobuf at the level of the wire: where the fields of a message lie, without decoding what is in them.
 *
 * A saved_model.pb is mostly graph; its tags and signatures are found by stepping over the rest.
 */

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** One field as it lies in its message. */
export interface WireField {
  readonly number: number;
  /** The field with its tag, as it would be copied into another message. */
  readonly whole: Uint8Array;
  /** What a string, a bytes or a message field holds; undefined for the others. */
  readonly payload: Uint8Array | undefined;
}

/**
 * The fields of a serialized message in their order, as views of `bytes`.
 *
 * @throws Error or RangeError where the bytes are no message, or a field is longer than what is there
 */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    let payload: Uint8Array | undefined;
    if (wireType === WireType.LengthDelimited) {
      const length = reader.uint32();
      const left = reader.len - reader.pos;
      if (length > left) {
        throw new RangeError(`field ${number} at byte ${start} says ${length} bytes, ${left} are left`);
      }
      payload = bytes.subarray(reader.pos, reader.pos + length);
      reader.pos += length;
    } else {
      reader.skip(wireType, number);
    }
    yield { number, whole: bytes.subarray(start, reader.pos), payload };
  }
}

/** What the fields with this number hold, in their order. */
export function payloads(bytes: Uint8Array, number: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const field of wireFields(bytes)) {
    if (field.number === number && field.payload !== undefined) found.push(field.payload);
  }
  return found;
}

/** The message without the fields that have these numbers. */
export function withoutFields(bytes: Uint8Array, numbers: ReadonlySet<number>): Uint8Array {
  const kept: Uint8Array[] = [];
  for (const field of wireFields(bytes)) {
    if (!numbers.has(field.number)) kept.push(field.whole);
  }
  return Buffer.concat(kept);
}

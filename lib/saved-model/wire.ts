/**
 * Protobuf at the level of the wire: where the fields of a message lie, without decoding what is in them.
 *
 * A saved_model.pb is mostly graph; its tags and signatures are found by stepping over the rest.
 */

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** One field as it lies in its message. */
export class WireField {
  readonly number: number;
  /** What a string, a bytes or a message field holds; undefined for the others. */
  readonly payload: Uint8Array | undefined;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;

  constructor(
    number: number,
    payload: Uint8Array | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    this.number = number;
    this.payload = payload;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** The field with its tag, as it would be copied into another message. */
  get whole(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }
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
    yield new WireField(number, payload, bytes, start, reader.pos);
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

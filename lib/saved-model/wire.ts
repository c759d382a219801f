/**
 * Protobuf at the level of the wire: where the fields of a message lie, without decoding what is in them.
 *
 * A saved_model.pb is mostly graph; its tags and signatures are found by stepping over the rest.
 */

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** One field as it lies in its message. Views are made when they are asked for: of most fields nobody wants any. */
export class WireField {
  readonly number: number;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** Where what it holds begins; -1 where it is no string, no bytes and no message. */
  readonly #payload: number;
  readonly #end: number;

  constructor(number: number, bytes: Uint8Array, start: number, payload: number, end: number) {
    this.number = number;
    this.#bytes = bytes;
    this.#start = start;
    this.#payload = payload;
    this.#end = end;
  }

  /** What a string, a bytes or a message field holds; undefined for the others. */
  get payload(): Uint8Array | undefined {
    return this.#payload === -1 ? undefined : this.#bytes.subarray(this.#payload, this.#end);
  }

  get hasPayload(): boolean {
    return this.#payload !== -1;
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
    let payload = -1;
    if (wireType === WireType.LengthDelimited) {
      const length = reader.uint32();
      const left = reader.len - reader.pos;
      if (length > left) {
        throw new RangeError(`field ${number} at byte ${start} says ${length} bytes, ${left} are left`);
      }
      payload = reader.pos;
      reader.pos += length;
    } else {
      reader.skip(wireType, number);
    }
    yield new WireField(number, bytes, start, payload, reader.pos);
  }
}

/** What the fields with this number hold, in their order. */
export function payloads(bytes: Uint8Array, number: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const field of wireFields(bytes)) {
    if (field.number === number && field.hasPayload) found.push(field.payload!);
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

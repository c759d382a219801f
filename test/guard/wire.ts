/** Bytes of models as no serializer writes them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { wireFields } from '../../lib/saved-model/wire.js';

/** By number: the fields of SavedModel, and of what is in them, on the way to a message. */
export type Way = readonly number[];

/** Writes a model's file anew, with each message that the way leads to changed. */
export async function rewritten(
  directory: string,
  way: Way,
  change: (bytes: Uint8Array) => Uint8Array,
): Promise<string> {
  const file = join(directory, 'saved_model.pb');
  await writeFile(file, along(await readFile(file), way, change));
  return directory;
}

function along(
  bytes: Uint8Array,
  [next, ...way]: Way,
  change: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  if (next === undefined) return change(bytes);
  const parts = [...wireFields(bytes)].map((field) =>
    field.number === next && field.hasPayload
      ? message(next, along(field.payload!, way, change))
      : field.whole,
  );
  return Buffer.concat(parts);
}

/** The message with an empty one behind its field of that number: protobuf merges the two. */
export function doubled(bytes: Uint8Array, number: number): Uint8Array {
  return Buffer.concat([bytes, message(number, new Uint8Array())]);
}

/** A field that holds a message. */
function message(number: number, payload: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(payload).finish();
}

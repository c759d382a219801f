/**
 * Plain objects into protobuf messages, by protobuf's JSON mapping, with errors made for people.
 *
 * `fromJson` of the protobuf runtime stops at the first mistake with a message that names no path. So the object is
 * walked along the message's descriptor first: every value is checked, read exactly once (getters run once), and
 * copied into clean JSON, which `fromJson` then cannot refuse. Beyond the mapping this takes what JavaScript has:
 * `undefined` is the same as absent, bigint is an integer, Infinity and NaN are themselves, Uint8Array is bytes.
 */

import { isUint8Array } from 'node:util/types';
import {
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { didYouMean, TensorFlowError } from '../errors.js';
import { copyBytes } from '../options.js';
import { isPlainObject, wrongValue } from './describe.js';
import { readEnum, readMapKey, readScalar } from './scalar.js';

type Clean = Record<string, JsonValue>;

/** Messages within messages; the protobuf runtime itself stops at 100. */
const MAX_DEPTH = 90;

/**
 * The bytes of a message given as a plain object, or as its bytes already (checked by decoding, then handed back).
 *
 * @param path what to call the value in error messages, for example `config`
 * @throws TensorFlowError INVALID_OPTION naming the full path of the wrong key, what was given and what is wanted
 */
export function encodeMessage(schema: DescMessage, value: unknown, path: string): Uint8Array {
  if (isUint8Array(value)) {
    // A copy: it must stay what was checked.
    const bytes = copyBytes(value, path);
    decodeMessage(schema, bytes, path);
    return bytes;
  }
  let clean: Clean;
  try {
    clean = readMessage(schema, value, path, 0);
  } catch (error) {
    if (error instanceof TensorFlowError) throw error;
    // A getter or a proxy of the caller's threw.
    const why = error instanceof Error ? error.message : String(error);
    throw new TensorFlowError('INVALID_OPTION', `${path} could not be read: ${why}`, { cause: error });
  }
  try {
    return toBinary(schema, fromJson(schema, clean));
  } catch (error) {
    throw new TensorFlowError('INVALID_OPTION', `${path} is no valid ${schema.typeName}: ${String(error)}`, {
      cause: error,
    });
  }
}

/**
 * The message in `bytes`; fields that the schema lacks are kept and encoded again.
 *
 * @throws TensorFlowError INVALID_OPTION where the bytes are no such message
 */
export function decodeMessage<S extends DescMessage>(
  schema: S,
  bytes: Uint8Array,
  path: string,
): MessageShape<S> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TensorFlowError(
      'INVALID_OPTION',
      `${path} holds ${bytes.length} bytes that are no serialized ${schema.typeName}: ${why}`,
      { cause: error },
    );
  }
}

function readMessage(schema: DescMessage, value: unknown, path: string, depth: number): Clean {
  if (!isPlainObject(value)) {
    const bytes = depth === 0 ? ` or the bytes of a serialized one` : '';
    throw wrongValue(path, value, `an object with the fields of ${schema.typeName}${bytes}`);
  }
  if (depth > MAX_DEPTH) {
    const top = /^[^.[]*/.exec(path)?.[0];
    throw new TensorFlowError(
      'INVALID_OPTION',
      `${top} is nested more than ${MAX_DEPTH} messages deep. Does it contain itself?`,
    );
  }
  const clean: Clean = {};
  const oneofs = new Map<object, string>();
  for (const key of Object.keys(value)) {
    const given = value[key];
    if (given === undefined) continue;
    const field = schema.fields.find((f) => f.jsonName === key || f.name === key);
    if (field === undefined) throw unknownKey(schema, key, path);
    if (given === null) continue; // absent, says the JSON mapping
    if (Object.hasOwn(clean, field.jsonName)) {
      throw new TensorFlowError(
        'INVALID_OPTION',
        `${path} sets ${field.jsonName} twice: also as ${field.name}.`,
      );
    }
    if (field.oneof) {
      const other = oneofs.get(field.oneof);
      if (other !== undefined) {
        throw new TensorFlowError(
          'INVALID_OPTION',
          `${path} sets both ${other} and ${key}; only one may be set.`,
        );
      }
      oneofs.set(field.oneof, key);
    }
    clean[field.jsonName] = readField(field, given, join(path, key), depth);
  }
  return clean;
}

function readField(field: DescField, value: unknown, path: string, depth: number): JsonValue {
  if (field.fieldKind === 'list') {
    if (!Array.isArray(value)) throw wrongValue(path, value, 'an array');
    return Array.from(value, (item, i) => readOne(field, item, `${path}[${i}]`, depth));
  }
  if (field.fieldKind !== 'map') return readOne(field, value, path, depth);
  if (!isPlainObject(value)) throw wrongValue(path, value, 'an object');
  const entries: [string, JsonValue][] = [];
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item === undefined) continue;
    const at = join(path, key);
    entries.push([readMapKey(field.mapKey, key, at), readOne(field, item, at, depth)]);
  }
  return Object.fromEntries(entries); // defines keys, so `__proto__` is a key like any other
}

/** A single value: of a field, or of an element of a list or a map. */
function readOne(field: DescField, value: unknown, path: string, depth: number): JsonValue {
  if (field.message) return readMessage(field.message, value, path, depth + 1);
  if (field.enum) return readEnum(field.enum, value, path);
  return readScalar(field.scalar!, value, path);
}

function unknownKey(schema: DescMessage, key: string, path: string): TensorFlowError {
  const deeper = findDeeper(schema, key, path);
  const hint =
    deeper === undefined
      ? didYouMean(
          key,
          schema.fields.map((field) => field.jsonName),
        )
      : ` It is a field of ${deeper}.`;
  return new TensorFlowError(
    'INVALID_OPTION',
    `${join(path, key)} does not exist: ${schema.typeName} has no field ${JSON.stringify(key)}.${hint}`,
  );
}

/** The path of the message below that does have the key: `config.allowGrowth` is meant for `config.gpuOptions`. */
function findDeeper(schema: DescMessage, key: string, path: string): string | undefined {
  let level: [DescMessage, string][] = [[schema, path]];
  for (let depth = 0; depth < 2; depth++) {
    const next: [DescMessage, string][] = [];
    for (const [message, at] of level) {
      for (const field of message.fields) {
        if (field.fieldKind === 'message') next.push([field.message, join(at, field.jsonName)]);
      }
    }
    const found = next.find(([message]) => message.fields.some((f) => f.jsonName === key || f.name === key));
    if (found) return found[1];
    level = next;
  }
  return undefined;
}

function join(path: string, key: string): string {
  return /^[\w$]+$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

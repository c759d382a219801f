/** Single values of protobuf's JSON mapping: numbers, strings, bytes, enums and the keys of maps. */

import { isUint8Array } from 'node:util/types';
import { type DescEnum, type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { base64Encode } from '@bufbuild/protobuf/wire';
import { didYouMean, TensorFlowError } from '../errors.js';
import { wrongValue } from './describe.js';

/** Inclusive limits of the integer types. */
const INTEGERS = new Map<ScalarType, { min: bigint; max: bigint; wide: boolean }>();
for (const [bits, signed, types] of [
  [32n, true, [ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32]],
  [32n, false, [ScalarType.UINT32, ScalarType.FIXED32]],
  [64n, true, [ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64]],
  [64n, false, [ScalarType.UINT64, ScalarType.FIXED64]],
] as const) {
  const min = signed ? -(2n ** (bits - 1n)) : 0n;
  const max = 2n ** (signed ? bits - 1n : bits) - 1n;
  for (const type of types) INTEGERS.set(type, { min, max, wide: bits === 64n });
}

const FLOAT_MAX = 3.4028234663852886e38;

/** The clean JSON of a scalar. Throws INVALID_OPTION naming `path`. */
export function readScalar(type: ScalarType, value: unknown, path: string): JsonValue {
  switch (type) {
    case ScalarType.BOOL:
      if (typeof value !== 'boolean') throw wrongValue(path, value, 'true or false');
      return value;
    case ScalarType.STRING:
      if (typeof value !== 'string') throw wrongValue(path, value, 'a string');
      if (/\p{Surrogate}/u.test(value)) throw wrongValue(path, value, 'text without lone surrogates');
      return value;
    case ScalarType.BYTES:
      return readBytes(value, path);
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return readFloat(type, value, path);
    default:
      return readInteger(type, value, path);
  }
}

/** An enum's value: a name, or a number, which may be one that a newer TensorFlow knows. */
export function readEnum(type: DescEnum, value: unknown, path: string): JsonValue {
  if (typeof value === 'number') return readInteger(ScalarType.INT32, value, path);
  const names = type.values.map((v) => v.name);
  if (typeof value !== 'string') throw wrongValue(path, value, `one of ${names.join(', ')}, or its number`);
  if (names.includes(value)) return value;
  throw new TensorFlowError(
    'INVALID_OPTION',
    `${path} is ${JSON.stringify(value)}, which ${type.typeName} does not have.${didYouMean(value, names)}` +
      ` There are: ${names.join(', ')}.`,
  );
}

/** The key of a map entry; in JSON all keys are strings. */
export function readMapKey(type: ScalarType, key: string, path: string): string {
  if (type === ScalarType.BOOL) {
    if (key !== 'true' && key !== 'false') throw wrongValue(path, key, 'true or false as key');
    return key;
  }
  return String(readScalar(type, key, path));
}

function readInteger(type: ScalarType, value: unknown, path: string): JsonValue {
  const { min, max, wide } = INTEGERS.get(type)!;
  let integer: bigint | undefined;
  if (typeof value === 'bigint') integer = value;
  else if (Number.isInteger(value)) integer = BigInt(value as number);
  else if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) integer = BigInt(value);
  if (integer === undefined || integer < min || integer > max) {
    throw wrongValue(path, value, `an integer from ${min} to ${max}`);
  }
  return wide ? String(integer) : Number(integer);
}

function readFloat(type: ScalarType, value: unknown, path: string): JsonValue {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return value;
  const number =
    typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number') throw wrongValue(path, value, 'a number');
  if (!Number.isFinite(number)) return String(number);
  if (type === ScalarType.FLOAT && Math.abs(number) > FLOAT_MAX) {
    throw wrongValue(path, value, 'a number that float32 can hold');
  }
  return number;
}

function readBytes(value: unknown, path: string): JsonValue {
  if (isUint8Array(value)) return base64Encode(value);
  if (typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) {
    const digits = value.replace(/=+$/, '').length;
    if (digits % 4 !== 1) return value;
  }
  throw wrongValue(path, value, 'a Uint8Array or base64');
}

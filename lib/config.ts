/**
 * ConfigProto, RunOptions and RunMetadata: the messages that TensorFlow's own `Session` is configured with.
 *
 * Users write plain objects by protobuf's JSON mapping (camelCase keys, enums by name or number), or hand over the
 * serialized message. What is left out keeps TensorFlow's default.
 */

import { types } from 'node:util';
import { fromBinary } from '@bufbuild/protobuf';
import { checkAge } from './config/age.js';
import { checkDeviceFilters, checkThreads } from './config/limits.js';
import { decodeMessage, encodeMessage } from './config/message.js';
import { TensorFlowError } from './errors.js';
import { invalidOption } from './options.js';
import {
  type ConfigProto,
  ConfigProtoSchema,
  type ConfigProtoJson as GeneratedConfigProtoJson,
  type RunOptionsJson as GeneratedRunOptionsJson,
  type RunMetadata,
  RunMetadataSchema,
  type RunOptions,
  RunOptionsSchema,
} from './proto/tensorflow/core/protobuf/config_pb.js';
import { show } from './show.js';

/**
 * What the caller may write for a value whose JSON type is `J` and whose message type is `M`: the JSON mapping, and
 * what JavaScript has for it. 64-bit integers may be numbers or bigints, enums numbers, bytes a Uint8Array, and
 * `undefined` stands for absent.
 */
type Input<J, M> = [M] extends [bigint]
  ? number | bigint | string
  : [M] extends [Uint8Array]
    ? Uint8Array | string
    : [M] extends [number]
      ? J | number
      : J extends readonly (infer E)[]
        ? readonly Input<E, M extends readonly (infer F)[] ? F : unknown>[]
        : J extends object
          ? { readonly [K in keyof J]?: Input<NonNullable<J[K]>, NonNullable<FieldOf<M, K>>> | undefined }
          : J;

/** The message's type of field `K`, also where it stands in a oneof. */
type FieldOf<M, K> = K extends keyof M
  ? M[K]
  : Extract<M[keyof M], { case: K }> extends { value: infer V }
    ? V
    : unknown;

/**
 * TensorFlow's ConfigProto as a plain object, every field optional.
 *
 * ```ts
 * { deviceCount: { GPU: 0 }, allowSoftPlacement: true, gpuOptions: { allowGrowth: true } }
 * ```
 *
 * Keys may be written in snake_case as well, as in TensorFlow's own `.proto`. Unknown keys are errors.
 */
export type ConfigProtoJson = Input<GeneratedConfigProtoJson, ConfigProto>;

/** TensorFlow's RunOptions as a plain object, every field optional: `{ traceLevel: 'FULL_TRACE' }`. */
export type RunOptionsJson = Input<GeneratedRunOptionsJson, RunOptions>;

export type { ConfigProto, RunMetadata, RunOptions };

/**
 * A serialized ConfigProto; undefined stays undefined, TensorFlow's defaults. Bytes are checked and copied.
 *
 * @param path what error messages call it
 * @throws TensorFlowError INVALID_OPTION naming the key, what was given and what is wanted
 */
export function encodeConfig(
  config: ConfigProtoJson | Uint8Array | undefined,
  path = 'config',
): Uint8Array | undefined {
  if (config === undefined) return undefined;
  const bytes = encodeMessage(ConfigProtoSchema, config, path);
  const decoded = decodeConfig(bytes, path);
  checkThreads(decoded, path);
  checkDeviceFilters(decoded, path);
  return bytes;
}

/** A serialized RunOptions, else as `encodeConfig`. */
export function encodeRunOptions(
  options: RunOptionsJson | Uint8Array | undefined,
  path = 'runOptions',
): Uint8Array | undefined {
  return options === undefined ? undefined : encodeMessage(RunOptionsSchema, options, path);
}

/** The ConfigProto in `bytes`. Fields newer than this library's schema are kept. Throws INVALID_OPTION for garbage. */
export function decodeConfig(bytes: Uint8Array, path = 'config'): ConfigProto {
  return decodeMessage(ConfigProtoSchema, bytes, path);
}

/** The RunOptions in `bytes`, as `decodeConfig`. */
export function decodeRunOptions(bytes: Uint8Array, path = 'runOptions'): RunOptions {
  return decodeMessage(RunOptionsSchema, bytes, path);
}

/** Throws LIBRARY_TOO_OLD where a serialized ConfigProto says what TensorFlow `version` does not know. */
export function checkConfigAge(config: Uint8Array | undefined, version: string, path = 'config'): void {
  checkAge(ConfigProtoSchema, config, path, version);
}

/** The same for RunOptions. */
export function checkRunOptionsAge(
  options: Uint8Array | undefined,
  version: string,
  path = 'runOptions',
): void {
  checkAge(RunOptionsSchema, options, path, version);
}

/** What TensorFlow reports about a run. Throws DATA_LOSS for bytes that are no RunMetadata, INVALID_OPTION for what are no bytes. */
export function decodeRunMetadata(bytes: Uint8Array): RunMetadata {
  if (!types.isUint8Array(bytes)) throw invalidOption(`RunMetadata is a Uint8Array, not ${show(bytes)}.`);
  try {
    return fromBinary(RunMetadataSchema, bytes);
  } catch (error) {
    throw new TensorFlowError(
      'DATA_LOSS',
      `TensorFlow's RunMetadata (${bytes.length} bytes) is unreadable.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * The index of a checkpoint (`variables/variables.index`): which tensors lie where in its data files.
 *
 * The file is a table of LevelDB's format: blocks of sorted, prefix-compressed keys, a block that lists those blocks, and
 * a footer of 48 bytes. The value at the empty key is a BundleHeaderProto, every other one a BundleEntryProto.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { DTYPES } from '../dtype.js';
import { TensorFlowError } from '../errors.js';
import { Slices } from '../placement/slices.js';
import type { TensorSliceProto_Extent } from '../proto/tensorflow/core/framework/tensor_slice_pb.js';
import {
  type BundleEntryProto,
  BundleEntryProtoSchema,
  BundleHeaderProtoSchema,
} from '../proto/tensorflow/core/protobuf/tensor_bundle_pb.js';
import { MOST_DIMENSIONS } from '../tensor-shape.js';
import { codeOf, fileError } from './directory.js';

const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;
/** After each block: one byte that names its compression, four of checksum. */
const TRAILER_BYTES = 5;

export interface CheckpointIndex {
  /** How many data files the checkpoint has. */
  readonly shards: number;
  /** What is saved, by key. */
  readonly entries: ReadonlyMap<string, BundleEntryProto>;
}

/**
 * Reads the index of the checkpoint `prefix` (for a SavedModel `<directory>/variables/variables`).
 *
 * @throws TensorFlowError NOT_FOUND or PERMISSION_DENIED; DATA_LOSS where the file is damaged; UNIMPLEMENTED where it is
 * compressed, which TensorFlow itself never does
 */
export async function readCheckpointIndex(prefix: string): Promise<CheckpointIndex> {
  const path = `${prefix}.index`;
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw fileError(error, path);
  }
  try {
    return await parseIndex(bytes);
  } catch (error) {
    if (error instanceof TensorFlowError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new TensorFlowError(
      'DATA_LOSS',
      `${path} (${bytes.length} bytes) is damaged or no checkpoint index: ${why}.`,
      { cause: error },
    );
  }
}

/** `variables.data-00000-of-00001` and so on. */
export function dataFile(prefix: string, shard: number, shards: number): string {
  const five = (n: number) => String(n).padStart(5, '0');
  return `${prefix}.data-${five(shard)}-of-${five(shards)}`;
}

/** The data files of a checkpoint that are there, whatever its index says. */
export async function dataFiles(prefix: string): Promise<string[]> {
  const folder = dirname(prefix);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(`${basename(prefix)}.data-`))
    .map((name) => join(folder, name));
}

/**
 * Resolves if the index can be read and every data file is there, as long as the index says. Contents aren't compared
 * with their checksums: TensorFlow does that.
 *
 * @throws TensorFlowError NOT_FOUND, PERMISSION_DENIED or DATA_LOSS, naming the file
 */
export async function checkCheckpoint(prefix: string): Promise<void> {
  const index = await readCheckpointIndex(prefix);
  const wanted = new Array<bigint>(index.shards).fill(0n);
  for (const { shardId, offset, size } of index.entries.values()) {
    const end = offset + size;
    if (end > (wanted[shardId] ?? 0n)) wanted[shardId] = end;
  }
  for (const [shard, end] of wanted.entries()) {
    const path = dataFile(prefix, shard, index.shards);
    let size: number;
    try {
      const stats = await stat(path);
      if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
      size = stats.size;
    } catch (error) {
      // A data file that holds nothing need not be there.
      if (end === 0n && codeOf(error) === 'ENOENT') continue;
      throw fileError(error, path);
    }
    if (BigInt(size) < end) {
      throw new TensorFlowError('DATA_LOSS', `${path} is cut off: ${size} bytes of at least ${end}.`);
    }
  }
}

async function parseIndex(bytes: Buffer): Promise<CheckpointIndex> {
  const slices = new Slices();
  const footer = bytes.length - FOOTER_BYTES;
  if (footer < 0) throw new Error('it is too short');
  if (bytes.readBigUInt64LE(bytes.length - 8) !== MAGIC)
    throw new Error('it does not end as such a file does');
  const handles = new BinaryReader(bytes.subarray(footer, bytes.length - 8));
  block(bytes, handles); // of metadata, empty
  let shards: number | undefined;
  const entries = new Map<string, BundleEntryProto>();
  for (const [, handle] of blockEntries(block(bytes, handles))) {
    for (const [key, value] of blockEntries(block(bytes, new BinaryReader(handle)))) {
      if (slices.isOver(0)) await slices.next();
      if (key === '') shards = fromBinary(BundleHeaderProtoSchema, value).numShards;
      else entries.set(key, fromBinary(BundleEntryProtoSchema, value));
    }
  }
  if (shards === undefined) throw new Error('it has no header');
  for (const [key, entry] of entries) {
    const { shardId, offset, size } = entry;
    if (shardId < 0 || shardId >= shards || offset < 0n || size < 0n)
      throw new Error(`its entry ${key} is wrong`);
    if (!fitsItsShape(entry)) throw new Error(`its entry ${key} does not fit its shape`);
  }
  // A table of billions of files is damage too; each is a key in a real checkpoint.
  if (shards < 0 || shards > 100_000) throw new Error(`it counts ${shards} data files`);
  return { shards, entries };
}

/**
 * Whether a tensor of this type and shape takes as many bytes as the entry says. TensorFlow makes the tensor first and
 * compares later: terabytes, if the shape says so.
 */
function fitsItsShape({ dtype, shape, size, slices }: BundleEntryProto): boolean {
  const sizes = (shape?.dim ?? []).map((dim) => dim.size);
  if (shape?.unknownRank || sizes.length > MOST_DIMENSIONS || sizes.some((each) => each < 0n)) return false;
  const info = DTYPES.find(({ number }) => number === dtype);
  if (slices.length > 0) return slices.every(({ extent }) => liesIn(extent, sizes)); // each is an entry of its own
  if (info === undefined) return true;
  const elements = sizes.reduce((product, each) => product * each, 1n);
  if (info.name === 'string') return elements <= size; // each has a length before it
  return info.array === undefined || elements * BigInt(info.bytes) === size;
}

/** Whether a part of a tensor lies in its shape. TensorFlow ends the process over one that does not. */
function liesIn(extent: TensorSliceProto_Extent[], sizes: readonly bigint[]): boolean {
  return (
    extent.length === sizes.length &&
    extent.every(({ start, hasLengthHack: { value: length } }, i) => {
      if (length === undefined) return start === 0n; // all of it
      return start >= 0n && length >= 0n && start + length <= sizes[i]!;
    })
  );
}

/** The block that the next handle (offset, size) of `handles` points at. */
function block(bytes: Buffer, handles: BinaryReader): Buffer {
  const [offset, size] = [Number(handles.uint64()), Number(handles.uint64())];
  if (offset + size + TRAILER_BYTES > bytes.length) throw new RangeError('a block lies beyond its end');
  const compression = bytes[offset + size];
  if (compression !== 0) {
    throw new TensorFlowError('UNIMPLEMENTED', 'The checkpoint index is compressed, which is not read here.');
  }
  return bytes.subarray(offset, offset + size);
}

/** Keys and values of a block; each key is written as what it adds to the one before. */
function* blockEntries(data: Buffer): Generator<[string, Buffer]> {
  if (data.length < 4) throw new RangeError('a block is too short');
  const end = data.length - 4 - 4 * data.readUInt32LE(data.length - 4); // the restart points
  if (end < 0) throw new RangeError('a block is too short');
  const reader = new BinaryReader(data.subarray(0, end));
  let key = Buffer.alloc(0);
  while (reader.pos < end) {
    const [shared, added, length] = [reader.uint32(), reader.uint32(), reader.uint32()];
    if (shared > key.length || reader.pos + added + length > end)
      throw new RangeError('an entry is too long');
    const keyEnd = reader.pos + added;
    key = Buffer.concat([key.subarray(0, shared), data.subarray(reader.pos, keyEnd)]);
    reader.pos = keyEnd + length;
    yield [key.toString('utf8'), data.subarray(keyEnd, reader.pos)];
  }
}

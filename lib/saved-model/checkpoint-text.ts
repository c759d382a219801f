/** A string tensor of a checkpoint with one element: that is how the graph of objects is kept. */
import { open } from 'node:fs/promises';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { TensorFlowError } from '../errors.js';
import { type CheckpointIndex, dataFile } from './checkpoint.js';
import { fileError } from './directory.js';

/** Between the lengths and the strings: the lengths' checksum. */
const CHECKSUM_BYTES = 4;

/**
 * The bytes of the string; undefined where the checkpoint has no such entry.
 *
 * @throws TensorFlowError DATA_LOSS where it is cut off; NOT_FOUND or PERMISSION_DENIED naming the file
 */
export async function readText(
  prefix: string,
  index: CheckpointIndex,
  key: string,
): Promise<Uint8Array | undefined> {
  const entry = index.entries.get(key);
  if (entry === undefined) return undefined;
  const path = dataFile(prefix, entry.shardId, index.shards);
  const bytes = await readPart(path, Number(entry.offset), Number(entry.size));
  try {
    const reader = new BinaryReader(bytes);
    const length = reader.uint32();
    const text = bytes.subarray(reader.pos + CHECKSUM_BYTES);
    if (text.length !== length) throw new RangeError(`${length} bytes are said, ${text.length} are there`);
    return text;
  } catch (error) {
    throw new TensorFlowError('DATA_LOSS', `${path}: ${key} is damaged: ${String(error)}.`, { cause: error });
  }
}

async function readPart(path: string, offset: number, size: number): Promise<Uint8Array> {
  const file = await open(path).catch((error) => {
    throw fileError(error, path);
  });
  try {
    // What an index says of a size may be anything.
    const left = (await file.stat()).size - offset;
    if (size > left) throw new TensorFlowError('DATA_LOSS', `${path} is cut off.`);
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** TensorBoard's event files: records of TensorFlow's own Event message, each with checksums. */
import { mkdir, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { EventSchema } from '../../proto/tensorflow/core/util/event_pb.js';
import { maskedCrc32c } from './crc32c.js';

export type EventContents = NonNullable<MessageInitShape<typeof EventSchema>['what']>;

/** TensorBoard tells runs apart by folder, and reads any file whose name holds this. */
const NAME = 'events.out.tfevents';
let files = 0;

/**
 * Writes a new file into a folder, which is made where it is not there.
 *
 * @returns its path
 * @throws what the file system says: ENOSPC, EACCES
 */
export async function writeEventFile(folder: string, contents: readonly EventContents[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const seconds = Date.now() / 1000;
  const name = `${NAME}.${Math.floor(seconds)}.${hostname()}.${process.pid}.${files++}`;
  const path = join(folder, name);
  const file = await open(path, 'wx');
  try {
    for (const what of [{ case: 'fileVersion', value: 'brain.Event:2' } as const, ...contents]) {
      await file.write(await record(toBinary(EventSchema, create(EventSchema, { wallTime: seconds, what }))));
    }
  } finally {
    await file.close();
  }
  return path;
}

/** Length, its checksum, the bytes, theirs; all little-endian. */
async function record(data: Uint8Array): Promise<Buffer> {
  const framed = Buffer.alloc(16 + data.length);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(await maskedCrc32c(framed.subarray(0, 8)), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(await maskedCrc32c(data), 12 + data.length);
  return framed;
}

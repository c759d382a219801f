/** TensorBoard's event files: records of TensorFlow's own Event message, each with checksums. */
import { mkdir, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { EventSchema } from '../../proto/tensorflow/core/util/event_pb.js';
import { framedRecord } from '../../records/records.js';

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
      await file.write(
        await framedRecord(toBinary(EventSchema, create(EventSchema, { wallTime: seconds, what }))),
      );
    }
  } finally {
    await file.close();
  }
  return path;
}

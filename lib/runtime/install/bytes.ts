/** Bytes on their way: counted, hashed and written in one pass, off the event loop as far as Node allows. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { InstallProgress, StepContext } from './types.js';

/** Large enough that a file of 800 MB takes few turns of the event loop, small enough that each is short. */
export const CHUNK_BYTES = 1 << 18;

export interface Measured {
  bytes: number;
  /** SHA-256 as hex. */
  sha256: string;
  crc32: number;
}

/** A stream that passes bytes on and knows their sum, SHA-256 and CRC-32 once they have gone through. */
export class Meter extends Transform {
  #hash = createHash('sha256');
  #bytes = 0;
  #crc = 0;
  readonly #onBytes: ((bytes: number) => void) | undefined;

  constructor(onBytes?: (bytes: number) => void) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#onBytes = onBytes;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk);
    this.#crc = crc32(chunk, this.#crc);
    this.#bytes += chunk.length;
    this.#onBytes?.(chunk.length);
    done(null, chunk);
  }

  result(): Measured {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex'), crc32: this.#crc };
  }
}

/** Writes a new file through the given streams, and to the disk before it returns. */
export async function writeMeasured(
  streams: readonly [NodeJS.ReadableStream, ...NodeJS.ReadWriteStream[]],
  target: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<Measured> {
  await mkdir(dirname(target), { recursive: true });
  const meter = new Meter(onBytes);
  const file = createWriteStream(target, { flags: 'wx', highWaterMark: CHUNK_BYTES, flush: true });
  await pipeline([...streams, meter, file], signal === undefined ? {} : { signal });
  return meter.result();
}

/** Copies a file, links followed, as `writeMeasured`. */
export function copyMeasured(
  from: string,
  target: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<Measured> {
  return writeMeasured([createReadStream(from, { highWaterMark: CHUNK_BYTES })], target, onBytes, signal);
}

/** Reads a file for its size and hashes. */
export async function measureFile(
  file: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<Measured> {
  const meter = new Meter(onBytes);
  meter.resume();
  const options = signal === undefined ? {} : { signal };
  await pipeline([createReadStream(file, { highWaterMark: CHUNK_BYTES }), meter], options);
  return meter.result();
}

/** The first bytes of a file, to tell what it is. */
export async function firstBytes(file: string, count: number): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Adds up the bytes of one step and reports them. */
export function counter(
  context: StepContext,
  step: string,
  total: number | undefined,
): (bytes: number) => void {
  const progress: InstallProgress = { step, done: 0, total };
  context.onProgress({ ...progress });
  return (bytes) => {
    progress.done += bytes;
    context.onProgress({ ...progress });
  };
}

/** Hashes a file as one step of the install. */
export async function measureStep(file: string, context: StepContext): Promise<Measured> {
  const onBytes = counter(context, 'Checking', (await stat(file)).size);
  return measureFile(file, onBytes, context.signal);
}

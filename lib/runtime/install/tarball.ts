/** Unpacks the official C archive, a tar file, mostly gzipped. */
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type ReadEntry, Unpack } from 'tar';
import { TensorFlowError } from '../../errors.js';
import { CHUNK_BYTES, counter, type Measured, Meter } from './bytes.js';
import type { StepContext } from './types.js';

/**
 * Unpacks an archive into `folder` and returns the archive's own size and hash. Refuses one with anything that
 * would lie, or lead, outside of the folder.
 */
export async function unpackTarball(
  file: string,
  folder: string,
  gzipped: boolean,
  context: StepContext,
): Promise<Measured> {
  await mkdir(folder, { recursive: true });
  const meter = new Meter(counter(context, 'Unpacking', (await stat(file)).size));
  let unsafe: string | undefined;
  const unpack = new Unpack({
    cwd: folder,
    strict: true,
    filter: (path, entry) => {
      unsafe ??= escapes(path, entry as ReadEntry);
      return unsafe === undefined;
    },
  });
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  const closed = new Promise<void>((resolve, reject) => {
    unpack.on('close', resolve);
    unpack.on('error', reject);
  });
  // Awaited at the end; until then a rejection is no unhandled one.
  closed.catch(() => undefined);
  try {
    // tar's own gunzip is synchronous: it would hold the event loop.
    const bytes = meterInto(source, meter, gzipped);
    for await (const chunk of bytes) {
      context.signal?.throwIfAborted();
      if (unsafe !== undefined) break;
      if (!unpack.write(chunk as Buffer)) await Promise.race([drained(unpack), closed]);
    }
    if (unsafe === undefined) {
      unpack.end();
      await closed;
    }
  } catch (error) {
    if (context.signal?.aborted || isSystemError(error)) throw error;
    throw new TensorFlowError(
      'DATA_LOSS',
      `${file} is truncated or damaged: ${(error as Error).message}. Fetch it again.`,
      { cause: error },
    );
  } finally {
    source.destroy();
  }
  if (unsafe !== undefined) {
    throw new TensorFlowError(
      'INVALID_OPTION',
      `${file} is refused: ${unsafe}. Official archives hold nothing of the kind.`,
    );
  }
  return meter.result();
}

function meterInto(source: Readable, meter: Meter, gzipped: boolean): Readable {
  source.on('error', (error) => meter.destroy(error));
  const metered = source.pipe(meter);
  if (!gzipped) return metered;
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  metered.on('error', (error) => gunzip.destroy(error));
  return metered.pipe(gunzip);
}

function drained(unpack: Unpack): Promise<void> {
  return new Promise((resolve) => unpack.once('drain', resolve));
}

/** Why an entry may not be unpacked. */
function escapes(path: string, entry: ReadEntry): string | undefined {
  if (isAbsolute(path) || normalize(path).startsWith('..') || path.includes('\\')) {
    return `its entry ${JSON.stringify(path)} would lie outside of the folder it is unpacked into`;
  }
  if (entry.type === 'SymbolicLink' || entry.type === 'Link') {
    const link = entry.linkpath ?? '';
    const from = entry.type === 'SymbolicLink' ? dirname(path) : '.';
    if (isAbsolute(link) || normalize(join(from, link)).startsWith('..')) {
      return `its link ${JSON.stringify(path)} leads outside of it, to ${JSON.stringify(link)}`;
    }
    return undefined;
  }
  const plain = ['File', 'OldFile', 'ContiguousFile', 'Directory', 'GNUDumpDir'];
  return plain.includes(entry.type) ? undefined : `its entry ${JSON.stringify(path)} is a ${entry.type}`;
}

function isSystemError(error: unknown): boolean {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return typeof syscall === 'string' && code !== undefined && !code.startsWith('Z_');
}

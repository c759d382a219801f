/** Unpacks the official C archive, a tar file, mostly gzipped. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Entry, type Extract, extract } from 'tar-stream';
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
  const meter = new Meter(counter(context, 'Unpacking', (await stat(file)).size));
  const archive = extract();
  const read = pipeline(
    [
      createReadStream(file, { highWaterMark: CHUNK_BYTES }),
      meter,
      ...(gzipped ? [createGunzip({ chunkSize: CHUNK_BYTES })] : []),
      archive,
    ],
    context.signal === undefined ? {} : { signal: context.signal },
  );
  // Without this the loop over the entries waits for ever where the reading fails before the first one.
  read.catch((error: Error) => archive.destroy(error));
  try {
    await writeEntries(archive, file, folder);
    await read;
  } catch (error) {
    archive.destroy();
    if (context.signal?.aborted || error instanceof TensorFlowError) throw error;
    // Where both fail, the reader knows why and the entries only that they broke off.
    const cause = await read.then(
      () => error,
      (reason: unknown) => (isSystemError(error) ? error : reason),
    );
    if (isSystemError(cause)) throw cause;
    throw new TensorFlowError(
      'DATA_LOSS',
      `${file} is truncated or damaged: ${(cause as Error).message}. Fetch it again.`,
      { cause },
    );
  }
  return meter.result();
}

/** Links are made last: no file is ever written through one. */
async function writeEntries(archive: Extract, file: string, folder: string): Promise<void> {
  const links: { name: string; to: string }[] = [];
  for await (const entry of archive) {
    const { name, type, linkname } = entry.header;
    const unsafe = whyUnsafe(entry);
    if (unsafe !== undefined) throw refused(file, unsafe);
    const path = join(folder, name);
    if (type === 'file' || type === 'contiguous-file') {
      await mkdir(dirname(path), { recursive: true });
      // Readable.from: the entry may have been destroyed meanwhile, which a pipeline would wait for in vain.
      await pipeline(Readable.from(entry), createWriteStream(path, { highWaterMark: CHUNK_BYTES }));
      continue;
    }
    if (type === 'symlink') links.push({ name: normalize(name), to: linkname ?? '' });
    entry.resume();
  }
  const names = new Set(links.map(({ name }) => name));
  for (const { name, to } of links) {
    if (passesThrough(names, name) || passesThrough(names, `${dirname(name)}/${to}`)) {
      throw refused(file, `its link ${JSON.stringify(name)} lies behind, or leads through, another link`);
    }
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(to, path);
  }
}

function refused(file: string, why: string): TensorFlowError {
  return new TensorFlowError(
    'INVALID_OPTION',
    `${file} is refused: ${why}. Official archives hold nothing of the kind.`,
  );
}

/** Whether the way to a path goes by way of one of the links: what its `..` means cannot be told by its text. */
function passesThrough(links: ReadonlySet<string>, path: string): boolean {
  const way: string[] = [];
  for (const part of path.split('/')) {
    if (links.has(way.join('/'))) return true;
    if (part === '..') way.pop();
    else if (part !== '.' && part !== '') way.push(part);
  }
  return false;
}

/** Why an entry may not be unpacked. */
function whyUnsafe({ header: { name, type, linkname } }: Entry): string | undefined {
  const quoted = JSON.stringify(name);
  if (isOutside(name)) return `its entry ${quoted} would lie outside of the folder it is unpacked into`;
  if (type === 'file' || type === 'contiguous-file' || type === 'directory') return undefined;
  if (type !== 'symlink') return `its entry ${quoted} is a ${type}`;
  const to = linkname ?? '';
  if (isAbsolute(to) || isOutside(join(dirname(name), to))) {
    return `its link ${quoted} leads outside of the folder it is unpacked into, to ${JSON.stringify(to)}`;
  }
  return undefined;
}

function isOutside(path: string): boolean {
  return isAbsolute(path) || path.includes('\\') || /^\.\.(?:\/|$)/.test(normalize(path));
}

/** An error of the disk; zlib's carry a code too, and no system call. */
function isSystemError(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

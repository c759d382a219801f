/** Reads zip archives, as which Python's wheels come. */
import { chmod } from 'node:fs/promises';
import { createInflateRaw } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { TensorFlowError } from '../../errors.js';
import { CHUNK_BYTES, type Measured, writeMeasured } from './bytes.js';

export type { Entry } from 'yauzl';

/** An open archive. To be closed. */
export class Zip {
  /** Everything in the archive, in its order. */
  readonly entries: readonly Entry[];
  readonly #file: string;
  readonly #zip: ZipFile;

  private constructor(file: string, zip: ZipFile, entries: Entry[]) {
    this.#file = file;
    this.#zip = zip;
    this.entries = entries;
  }

  /** Throws DATA_LOSS where the file is none, or damaged. */
  static async open(file: string): Promise<Zip> {
    let zip: ZipFile | undefined;
    try {
      zip = await openPromise(file, { lazyEntries: true, autoClose: false, strictFileNames: true });
      const entries: Entry[] = [];
      for await (const entry of zip.eachEntry()) entries.push(entry);
      return new Zip(file, zip, entries);
    } catch (error) {
      zip?.close();
      throw damaged(file, error);
    }
  }

  close(): void {
    this.#zip.close();
  }

  /** Writes one entry to a new file. Throws DATA_LOSS where it isn't what the archive says. */
  async extract(
    entry: Entry,
    target: string,
    onBytes: (bytes: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<Measured> {
    try {
      const measured = await writeMeasured(await this.#streams(entry), target, onBytes, signal);
      if (measured.bytes !== entry.uncompressedSize || measured.crc32 !== entry.crc32) {
        throw new Error('its checksum is wrong');
      }
      if (isProgram(entry)) await chmod(target, 0o755);
      return measured;
    } catch (error) {
      if (signal?.aborted) throw error;
      // The folder was new and empty.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw damaged(this.#file, twice(entry));
      if (isSystemError(error)) throw error;
      throw damaged(this.#file, new Error(`${entry.fileName}: ${(error as Error).message}`));
    }
  }

  /** A small entry as text. */
  async text(entry: Entry): Promise<string> {
    try {
      const stream = await this.#zip.openReadStreamPromise(entry);
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    } catch (error) {
      throw damaged(this.#file, error);
    }
  }

  /** Bytes are inflated here, in large pieces: yauzl's own stream makes small ones. */
  async #streams(entry: Entry): Promise<[NodeJS.ReadableStream, ...NodeJS.ReadWriteStream[]]> {
    if (entry.isEncrypted() || !entry.canDecodeFileData()) throw new Error('it is encrypted or oddly packed');
    const raw = await this.#zip.openReadStreamPromise(entry, { decodeFileData: false });
    return entry.compressionMethod === 8 ? [raw, createInflateRaw({ chunkSize: CHUNK_BYTES })] : [raw];
  }
}

/** Whether the archive was made on Unix and says that its owner may execute the file. */
function isProgram(entry: Entry): boolean {
  return entry.versionMadeBy >>> 8 === 3 && ((entry.externalFileAttributes >>> 16) & 0o100) !== 0;
}

function twice({ fileName }: Entry): Error {
  return new Error(`it holds ${JSON.stringify(fileName)} twice`);
}

/** Errors of the disk keep their own message; zlib's carry a code too, `Z_…`. */
function isSystemError(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

function damaged(file: string, error: unknown): unknown {
  if (isSystemError(error)) return error;
  return new TensorFlowError(
    'DATA_LOSS',
    `${file} is truncated or damaged, or not a zip archive: ${(error as Error).message}. Fetch it again.`,
    { cause: error },
  );
}

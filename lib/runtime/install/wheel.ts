/** Takes libtensorflow out of a Python wheel, which is a zip archive. */
import { basename, join } from 'node:path';
import { createInflateRaw } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { TensorFlowError } from '../../errors.js';
import { CHUNK_BYTES, counter, writeMeasured } from './bytes.js';
import { isKeptHeader } from './headers.js';
import type { StepContext, Unpacked } from './types.js';

const LIBRARY = process.platform === 'darwin' ? 'libtensorflow_cc.2.dylib' : 'libtensorflow_cc.so.2';
const LIBRARIES = new Map(
  [LIBRARY, LIBRARY.replace('_cc', '_framework')].map((name) => [`tensorflow/${name}`, `lib/${name}`]),
);
const NOTICES = new Map([
  ['tensorflow/include/LICENSE', 'LICENSE'],
  ['tensorflow/THIRD_PARTY_NOTICES.txt', 'THIRD_PARTY_NOTICES.txt'],
]);

/** What the archive's list of contents tells. */
interface Contents {
  wanted: { entry: Entry; target: string; isLibrary: boolean }[];
  version: string | undefined;
  /** Up to 2.11 the whole of TensorFlow was linked into this Python extension. */
  hasPythonLibrary: boolean;
  /** A libtensorflow_cc of another platform. */
  foreign: string | undefined;
}

/** Unpacks the two libraries and the C headers of a wheel into `folder`. */
export async function unpackWheel(file: string, folder: string, context: StepContext): Promise<Unpacked> {
  const zip = await openZip(file);
  try {
    const contents = await listContents(zip, file);
    if (!contents.wanted.some((w) => w.target === `lib/${LIBRARY}`)) throw noLibrary(file, contents);
    const total = contents.wanted.reduce((sum, w) => sum + w.entry.uncompressedSize, 0);
    const onBytes = counter(context, 'Unpacking', total);
    const files: Unpacked['files'] = [];
    for (const { entry, target, isLibrary } of contents.wanted) {
      const { bytes, sha256 } = await extract(
        zip,
        entry,
        join(folder, target),
        file,
        onBytes,
        context.signal,
      );
      if (isLibrary) files.push({ path: target, bytes, sha256 });
    }
    return { library: `lib/${LIBRARY}`, files, version: contents.version };
  } finally {
    zip.close();
  }
}

async function openZip(file: string): Promise<ZipFile> {
  try {
    return await openPromise(file, { lazyEntries: true, autoClose: false, strictFileNames: true });
  } catch (error) {
    throw damaged(file, error);
  }
}

async function listContents(zip: ZipFile, file: string): Promise<Contents> {
  const contents: Contents = { wanted: [], version: undefined, hasPythonLibrary: false, foreign: undefined };
  try {
    for await (const entry of zip.eachEntry()) {
      const name = entry.fileName;
      const target = targetOf(name);
      if (target !== undefined) contents.wanted.push({ entry, target, isLibrary: LIBRARIES.has(name) });
      else if (name === 'tensorflow/python/_pywrap_tensorflow_internal.so') contents.hasPythonLibrary = true;
      else if (/^tensorflow\/(?:lib)?tensorflow_cc\.[^/]+$/.test(name)) contents.foreign = name;
      contents.version ??= /^tensorflow\w*-([^-/]+)\.dist-info\/METADATA$/.exec(name)?.[1];
    }
  } catch (error) {
    throw damaged(file, error);
  }
  return contents;
}

/** Where an entry goes below the installation's folder; `undefined` for all that isn't wanted. */
function targetOf(name: string): string | undefined {
  const include = 'tensorflow/include/';
  if (name.startsWith(include) && isKeptHeader(name.slice(include.length))) {
    return name.slice('tensorflow/'.length);
  }
  return LIBRARIES.get(name) ?? NOTICES.get(name);
}

async function extract(
  zip: ZipFile,
  entry: Entry,
  target: string,
  file: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; sha256: string }> {
  try {
    if (entry.isEncrypted() || !entry.canDecodeFileData()) throw new Error('it is encrypted or oddly packed');
    const raw = await zip.openReadStreamPromise(entry, { decodeFileData: false });
    const packed = entry.compressionMethod === 8;
    const inflate = packed ? [createInflateRaw({ chunkSize: CHUNK_BYTES })] : [];
    const measured = await writeMeasured([raw, ...inflate], target, onBytes, signal);
    if (measured.bytes !== entry.uncompressedSize || measured.crc32 !== entry.crc32) {
      throw new Error('its checksum is wrong');
    }
    return measured;
  } catch (error) {
    if (isSystemError(error) || signal?.aborted) throw error;
    throw damaged(file, new Error(`${entry.fileName}: ${(error as Error).message}`));
  }
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

function noLibrary(file: string, contents: Contents): TensorFlowError {
  const name = basename(file);
  if (contents.foreign !== undefined) {
    return new TensorFlowError(
      'FAILED_PRECONDITION',
      `${file} is for another platform: it holds ${contents.foreign}, and this is ${process.platform} ` +
        `${process.arch}. Take the wheel for this platform.`,
    );
  }
  const why = contents.hasPythonLibrary
    ? `The wheel ${name} holds no libtensorflow: up to TensorFlow 2.11 wheels carry it inside a Python extension only. ` +
      'Take version 2.12 or later, or the official C archive of that version with `tf-session install --from FILE`.'
    : `${file} holds no tensorflow/${LIBRARY}. Wheels that do are those of tensorflow-cpu and tensorflow, from 2.12 on.`;
  return new TensorFlowError('FAILED_PRECONDITION', why);
}

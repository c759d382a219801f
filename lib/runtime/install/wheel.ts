/** Takes libtensorflow out of a Python wheel, which is a zip archive. */
import { basename, join } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import { counter } from './bytes.js';
import { isKeptHeader } from './headers.js';
import type { StepContext, Unpacked } from './types.js';
import { versionInName } from './version-in-folder.js';
import { type Entry, Zip } from './zip.js';

const LIBRARY = process.platform === 'darwin' ? 'libtensorflow_cc.2.dylib' : 'libtensorflow_cc.so.2';
const LIBRARIES = new Map(
  [LIBRARY, LIBRARY.replace('_cc', '_framework')].map((name) => [`tensorflow/${name}`, `lib/${name}`]),
);
const NOTICES = new Map([
  ['tensorflow/include/LICENSE', 'LICENSE'],
  ['tensorflow/THIRD_PARTY_NOTICES.txt', 'THIRD_PARTY_NOTICES.txt'],
]);
/** The C library as auditwheel packs it into wheels of others, its name changed and still with the version. */
const BUNDLED = /^[^/]+\.libs\/(libtensorflow-[0-9a-f]+\.so\.\d+\.\d+\.\d+)$/;

/** What the archive's list of contents tells. */
interface Contents {
  wanted: { entry: Entry; target: string; isLibrary: boolean }[];
  /** The library that is opened, as a target; `undefined` where there is none. */
  library: string | undefined;
  version: string | undefined;
  /** Up to 2.11 the whole of TensorFlow was linked into this Python extension. */
  hasPythonLibrary: boolean;
  /** A libtensorflow_cc of another platform. */
  foreign: string | undefined;
}

/** Unpacks the libraries and the C headers of a wheel into `folder`. */
export async function unpackWheel(file: string, folder: string, context: StepContext): Promise<Unpacked> {
  const zip = await Zip.open(file);
  try {
    const contents = listContents(zip);
    if (contents.library === undefined) throw noLibrary(file, contents);
    const total = contents.wanted.reduce((sum, w) => sum + w.entry.uncompressedSize, 0);
    const onBytes = counter(context, 'Unpacking', total);
    const files: Unpacked['files'] = [];
    for (const { entry, target, isLibrary } of contents.wanted) {
      const { bytes, sha256 } = await zip.extract(entry, join(folder, target), onBytes, context.signal);
      if (isLibrary) files.push({ path: target, bytes, sha256 });
    }
    return { library: contents.library, files, version: contents.version };
  } finally {
    zip.close();
  }
}

function listContents(zip: Zip): Contents {
  const contents: Contents = {
    wanted: [],
    library: undefined,
    version: undefined,
    hasPythonLibrary: false,
    foreign: undefined,
  };
  for (const entry of zip.entries) {
    const name = entry.fileName;
    const bundled = BUNDLED.exec(name)?.[1];
    const library = LIBRARIES.get(name) ?? (bundled === undefined ? undefined : `lib/${bundled}`);
    const target = library ?? targetOf(name);
    if (target !== undefined) contents.wanted.push({ entry, target, isLibrary: library !== undefined });
    else if (name === 'tensorflow/python/_pywrap_tensorflow_internal.so') contents.hasPythonLibrary = true;
    else if (/^tensorflow\/(?:lib)?tensorflow_cc\.[^/]+$/.test(name)) contents.foreign = name;
    if (target === `lib/${LIBRARY}` || bundled !== undefined) contents.library = target;
    contents.version ??=
      /^tensorflow\w*-([^-/]+)\.dist-info\/METADATA$/.exec(name)?.[1] ?? versionInName(bundled ?? '');
  }
  return contents;
}

/** Where an entry that is no library goes below the installation's folder; `undefined` for all that isn't wanted. */
function targetOf(name: string): string | undefined {
  const include = 'tensorflow/include/';
  if (name.startsWith(include) && isKeptHeader(name.slice(include.length))) {
    return name.slice('tensorflow/'.length);
  }
  return NOTICES.get(name);
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

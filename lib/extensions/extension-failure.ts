/** Why an op library or a plug-in could not be loaded, and what helps. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { type ErrorCode, TensorFlowError } from '../errors.js';
import { minorOf } from '../minor-version.js';
import type { Extension } from './extensions.js';

const TITLES = { opLibraries: 'op library', pluggableDevices: 'pluggable device' } as const;

/** Symbols of TensorFlow and of what its libraries export along with it. */
const OF_TENSORFLOW = /tensorflow|absl|\d(?:tsl|xla)|protobuf|Eigen|^TF_/;
const OF_CUDA = /^_*cu(?:da|dnn|blas|[A-Z])/;

/** A file that is none, or not for here. */
export function faultyExtension(
  option: Extension['option'],
  path: string,
  { fault, code }: { fault: string; code: ErrorCode },
): TensorFlowError {
  const ways: Partial<Record<ErrorCode, string>> = {
    NOT_FOUND: isAbsolute(path) ? '' : ` Paths start at the working directory, ${process.cwd()}.`,
    DATA_LOSS: ' Take it out of its package again.',
  };
  const way =
    ways[code] ??
    ` ${option} names shared objects, such as the \`.so\` files in a Python package for TensorFlow.`;
  return new TensorFlowError(
    code === 'INVALID_OPTION' ? 'INVALID_ARGUMENT' : code,
    `The ${TITLES[option]} ${path} ${fault}.${way}`,
  );
}

/** A better error for what the addon or TensorFlow threw, which is its `cause`. Never rejects. */
export async function explainExtensionFailure(
  { option, path, needed }: Extension,
  error: unknown,
  library: { path: string; version: string },
): Promise<unknown> {
  if (!(error instanceof TensorFlowError)) return error;
  if (error.code === 'LIBRARY_TOO_OLD') {
    return new TensorFlowError(error.code, `\`${option}\` can't be used: ${error.message}`, { cause: error });
  }
  const title = `The ${TITLES[option]} ${path}`;
  const opened = `TensorFlow ${library.version} (${library.path})`;
  const explained = (code: ErrorCode, text: string) =>
    new TensorFlowError(code, `${title} ${text}`, { cause: error });

  const symbol = /undefined symbol: ([^\s,]+)/.exec(error.message)?.[1];
  if (symbol !== undefined && OF_CUDA.test(symbol)) {
    return explained(
      'FAILED_PRECONDITION',
      `is built for GPUs: it needs ${symbol}, and ${opened} has not brought CUDA. Take a build for CPUs, or open a TensorFlow for GPUs.`,
    );
  }
  const ofTensorFlow = needed.filter((name) => name.includes('tensorflow'));
  if (symbol !== undefined && ofTensorFlow.length === 0) {
    return explained(
      'FAILED_PRECONDITION',
      `does not name a library of TensorFlow as needed, and so finds its symbol ${symbol} nowhere. Link it with libtensorflow_framework.`,
    );
  }
  if (symbol !== undefined) {
    const why = OF_TENSORFLOW.test(symbol)
      ? 'was built for another TensorFlow'
      : 'is incomplete, or was built for another TensorFlow';
    return explained(
      'FAILED_PRECONDITION',
      `${why}: it needs the symbol ${symbol}, which ${ofTensorFlow.join(', ')} of ${opened} does not have.${await wayToFit(path, library.version)}`,
    );
  }
  const absent = /needs (libtensorflow_[^\s,]*), which is not loaded/.exec(error.message)?.[1];
  if (absent !== undefined) {
    // Before 1.14 the name had no number.
    const major = /\.so\.(\d+)$/.exec(absent)?.[1] ?? '1';
    const sources = absent.startsWith('libtensorflow_cc')
      ? 'the wheels'
      : 'the wheels and the official archives';
    const way =
      major === library.version.split('.')[0]
        ? ` Open a TensorFlow that comes in two files, as in ${sources} (tensorflow.open({ library }), --library).`
        : await wayToFit(path, library.version);
    return explained(
      'FAILED_PRECONDITION',
      `needs ${absent}, which did not come with the opened ${opened}.${way}`,
    );
  }
  const missing = /([^\s:]+): cannot open shared object file/.exec(error.message)?.[1];
  if (missing?.startsWith('_pywrap_tensorflow')) {
    return explained(
      'NOT_FOUND',
      `needs ${missing}, which is TensorFlow as Python has it. The opened library serves as well: put a link of that name, to ${library.path}, into a folder that LD_LIBRARY_PATH names before Node.js starts.`,
    );
  }
  if (missing !== undefined) {
    return explained(
      'NOT_FOUND',
      `needs ${missing}, which is neither beside it nor in the system's library path. Leave it in its package's folder, as pip lays it out, or install what it needs.`,
    );
  }
  const version = /version `([^']+)' not found/.exec(error.message)?.[1];
  if (version !== undefined) {
    return explained('FAILED_PRECONDITION', `needs ${version}, which is newer than what this system has.`);
  }
  if (error.message.startsWith(path)) {
    return new TensorFlowError(error.code, `${title}${error.message.slice(path.length)}`, { cause: error });
  }
  return explained(error.code, `could not be loaded: ${error.message}`);
}

/** Which release is wanted, and whose the file is, where its package tells. */
async function wayToFit(path: string, version: string): Promise<string> {
  const found = await packageOf(path).catch(() => undefined);
  const whose =
    found === undefined
      ? ''
      : ` It belongs to ${found.name} ${found.version}${found.wants === undefined ? '' : `, which is for TensorFlow ${found.wants}`}.`;
  return `${whose} Take the release that is for TensorFlow ${minorOf(version)}, or open the TensorFlow that it was built for (tensorflow.open({ library }), --library).`;
}

/** The Python package that a file lies in, by what pip wrote beside it. */
async function packageOf(
  path: string,
): Promise<{ name: string; version: string; wants: string | undefined } | undefined> {
  for (let folder = dirname(path); dirname(folder) !== folder; folder = dirname(folder)) {
    const name = basename(folder);
    const entries = await readdir(dirname(folder));
    const info = entries.find((entry) => entry.startsWith(`${name}-`) && entry.endsWith('.dist-info'));
    if (info === undefined) continue;
    const metadata = await readFile(join(dirname(folder), info, 'METADATA'), 'utf8').catch(() => '');
    const wants = /^Requires-Dist: tensorflow\s*\(?([<>=~!][^;)\n]*)/m.exec(metadata)?.[1]?.trim();
    return { name, version: info.slice(name.length + 1, -'.dist-info'.length), wants };
  }
  return undefined;
}

/** The CUDA libraries that TensorFlow's GPU wheel wants beside it: which wheels hold them, and what is taken of those. */
import { basename, join } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import type { InstalledFile } from '../cache.js';
import { counter } from './bytes.js';
import type { StepContext } from './types.js';
import { Zip } from './zip.js';

const EXTRA = 'and-cuda';
const REQUIRES = 'Requires-Dist:';

/**
 * What is taken: shared objects, and what TensorFlow's just-in-time compiler looks for by its path (`ptxas`, libdevice).
 * Headers, static libraries and Python files are not.
 */
const WANTED = [
  /^nvidia\/[\w.-]+\/lib\/[\w.-]+\.so(?:\.[\w.-]+)?$/,
  /^nvidia\/[\w.-]+\/bin\/[\w.-]+$/,
  /^nvidia\/[\w.-]+\/nvvm\/libdevice\/[\w.-]+$/,
];
const LICENCE = /^([\w.-]+)\.dist-info\/(?:licenses\/)?(licen[cs]e[\w.-]*)$/i;

/**
 * The CUDA packages that a wheel's extra `and-cuda` names, as pip takes them: `nvidia-cublas-cu12<13.0,>=12.5.3.2`.
 * Empty before TensorFlow 2.14, which had no such extra.
 */
export async function cudaRequirements(wheel: string): Promise<string[]> {
  const zip = await Zip.open(wheel);
  try {
    const metadata = zip.entries.find(({ fileName }) => /^[^/]+\.dist-info\/METADATA$/.test(fileName));
    return metadata === undefined ? [] : parseRequirements(await zip.text(metadata));
  } finally {
    zip.close();
  }
}

/**
 * From the lines `Requires-Dist: NAME SPECIFIERS ; extra == "and-cuda"`, with or without parentheses. The description,
 * which follows the first empty line, may hold any text. Addresses (`NAME @ …`) are left out: an index has the packages.
 */
export function parseRequirements(metadata: string): string[] {
  const found: string[] = [];
  for (const line of metadata.split(/\r?\n/)) {
    if (line === '') break;
    if (!line.startsWith(REQUIRES)) continue;
    const [requirement = '', ...marker] = line.slice(REQUIRES.length).split(';');
    if (!new RegExp(`extra *== *["']${EXTRA}["']`).test(marker.join(';'))) continue;
    const asked = requirement.replace(/[\s()]/g, '');
    if (/^nvidia-[\w.-]+(?:[<>=!~][\w.*+!<>=~,-]*)?$/.test(asked)) found.push(asked);
  }
  return found;
}

/** The name in a requirement. */
export function projectOf(requirement: string): string {
  return /^[\w.-]+/.exec(requirement)?.[0] ?? requirement;
}

/** A package's name for people: `cublas` of `nvidia-cublas-cu12`, whichever way it is written. */
export function shortName(project: string): string {
  return project.replaceAll('_', '-').replace(/^nvidia-|-cu\d+$/g, '');
}

/** Unpacks what TensorFlow needs of one CUDA wheel into `folder`, laid out as pip lays it out: `nvidia/cublas/lib/…`. */
export async function unpackCudaWheel(
  file: string,
  folder: string,
  context: StepContext,
): Promise<InstalledFile[]> {
  const zip = await Zip.open(file);
  try {
    const wanted = zip.entries.flatMap((entry) => {
      const [, wheel, licence] = LICENCE.exec(entry.fileName) ?? [];
      if (wheel !== undefined && licence !== undefined) {
        return [{ entry, target: `nvidia/licenses/${wheel}/${licence}` }];
      }
      return WANTED.some((pattern) => pattern.test(entry.fileName))
        ? [{ entry, target: entry.fileName }]
        : [];
    });
    const total = wanted.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
    const onBytes = counter(context, `Unpacking ${shortName(basename(file).split('-')[0]!)}`, total);
    const files: InstalledFile[] = [];
    for (const { entry, target } of wanted) {
      const { bytes, sha256 } = await zip.extract(entry, join(folder, target), onBytes, context.signal);
      files.push({ path: target, bytes, sha256 });
    }
    if (files.some(({ path }) => WANTED.some((pattern) => pattern.test(path)))) return files;
    throw new TensorFlowError(
      'FAILED_PRECONDITION',
      `${file} holds no CUDA library (nvidia/PART/lib/*.so), though TensorFlow's wheel names it. Fetch it again.`,
    );
  } finally {
    zip.close();
  }
}

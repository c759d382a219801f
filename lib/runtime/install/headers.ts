/** Which of TensorFlow's headers an installation keeps: those of the C API, and what they include. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isFolder } from '../library-names.js';

/**
 * Below `include`. The C headers include a status from TSL and a string from platform, which moved between
 * folders from version to version; the version's own header tells the version of a library that has no name.
 */
const KEPT = [
  /^tensorflow\/c\/.+\.h$/,
  /^(?:.+\/)?tsl\/c\/[^/]+\.h$/,
  /^(?:.+\/)?platform\/(?:ctstring|ctstring_internal|platform)\.h$/,
  /^tensorflow\/core\/common_runtime\/next_pluggable_device\/c\/[^/]+\.h$/,
  /^tensorflow\/core\/public\/version\.h$/,
];

/** The folders below `include` that hold them: /usr/local/include holds much else. */
const ROOTS = ['tensorflow', 'tsl', 'xla'];

/** Whether an installation keeps this header, named below `include`, with `/`. */
export function isKeptHeader(path: string): boolean {
  return KEPT.some((pattern) => pattern.test(path));
}

/** The headers in an include folder that an installation keeps, named below it. */
export async function keptHeaders(include: string): Promise<string[]> {
  const kept: string[] = [];
  for (const root of ROOTS) {
    const folder = join(include, root);
    if (!(await isFolder(folder))) continue;
    for (const found of await readdir(folder, { recursive: true })) {
      const path = relative(include, join(folder, found)).replaceAll(sep, '/');
      if (isKeptHeader(path)) kept.push(path);
    }
  }
  return kept;
}

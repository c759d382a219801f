/** Checks of options at the door: what does not exist or has the wrong type is an error that names the key. */
import { didYouMean, TensorFlowError } from './errors.js';
import { show } from './show.js';

/** Above what any machine does at once. */
const MOST = 65536;

/** An INVALID_OPTION error. */
export function invalidOption(message: string): TensorFlowError {
  return new TensorFlowError('INVALID_OPTION', message);
}

/**
 * A copy of the options, each read once: a getter may give another value at the next read. What it throws is passed on.
 * Throws INVALID_OPTION as `checkKeys`.
 */
export function readOptions<T extends object>(options: T, known: readonly string[], where: string): T {
  checkKeys(options, known, where);
  const copy: Record<string, unknown> = {};
  for (const key of known) {
    const value = (options as Record<string, unknown>)[key];
    if (value !== undefined) copy[key] = value;
  }
  return copy as T;
}

/** Throws INVALID_OPTION where `options` is no plain object or has a key that is not known. `where` names it. */
export function checkKeys(options: object, known: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidOption(`${where} must be an object.`);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw invalidOption(
      `${where} has no key ${JSON.stringify(key)}.${didYouMean(key, known)} There are: ${known.join(', ')}.`,
    );
  }
}

/** Throws INVALID_OPTION where a value is none of those allowed; undefined is always allowed. */
export function checkOneOf(value: unknown, allowed: readonly unknown[], where: string): void {
  if (value === undefined || allowed.includes(value)) return;
  const list = allowed.map((entry) => JSON.stringify(entry)).join(' or ');
  throw invalidOption(`${where} must be ${list}, not ${show(value)}.`);
}

/** A copy of an array of strings, each read once. Throws INVALID_OPTION where it is none. */
export function readStrings(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) throw notStrings(where);
  const copy: string[] = [];
  // Holes, too, are no strings.
  for (let i = 0; i < value.length; i++) {
    const entry: unknown = value[i];
    if (typeof entry !== 'string') throw notStrings(where);
    // TensorFlow's C functions would read them up to there.
    if (entry.includes('\0')) throw invalidOption(`${where} must not contain NUL characters.`);
    copy.push(entry);
  }
  return copy;
}

function notStrings(where: string): TensorFlowError {
  return invalidOption(`${where} must be an array of strings.`);
}

/** A copy of bytes, which stays what it is. Throws INVALID_OPTION where their memory was given away. */
export function copyBytes(bytes: Uint8Array, where: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new TensorFlowError(
      'INVALID_OPTION',
      `${where} is a Uint8Array whose memory is gone: its buffer was transferred, or made smaller.`,
      { cause },
    );
  }
}

/** Throws INVALID_OPTION where the options of a `close` are wrong. */
export function checkClose(options: { cancel?: boolean }): void {
  checkKeys(options, ['cancel'], 'The options of close');
  checkOneOf(options.cancel, [true, false], 'cancel');
}

/** Throws INVALID_OPTION where a value is no whole number of 1 or more; undefined is allowed. */
export function checkCount(value: unknown, where: string): void {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST))
    return;
  throw invalidOption(`${where} must be a whole number from 1 to ${MOST}, not ${show(value)}.`);
}

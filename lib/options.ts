/** Checks of options at the door: what does not exist or has the wrong type is an error that names the key. */
import { didYouMean, TensorFlowError } from './errors.js';
import { show } from './show.js';

/** Above what any machine does at once. */
const MOST = 65536;

/** An INVALID_OPTION error. */
export function invalidOption(message: string): TensorFlowError {
  return new TensorFlowError('INVALID_OPTION', message);
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

/** Throws INVALID_OPTION where a value is no array of strings. */
export function checkStrings(value: unknown, where: string): asserts value is readonly string[] {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw invalidOption(`${where} must be an array of strings.`);
  }
  // TensorFlow's C functions would read them up to there.
  if (value.some((entry) => entry.includes('\0'))) {
    throw invalidOption(`${where} must not contain NUL characters.`);
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

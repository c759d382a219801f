import { UsageError } from './usage-error.js';

/** A whole number that an option was given, or undefined. */
export function countOption(
  text: string | undefined,
  option: string,
  { least = 1 }: { least?: number } = {},
): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (text.trim() !== '' && Number.isInteger(count) && count >= least) return count;
  throw new UsageError(`${option} must be a whole number of ${least} or more, not ${JSON.stringify(text)}.`);
}

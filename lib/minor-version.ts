/** Minor versions of TensorFlow, the steps in which it gains ops, fields and functions. */

/**
 * Whether a version, `1.15.5`, is of an earlier minor version than another, `2.4`. Not where either is no number: builds of
 * one's own may call themselves anything, and nothing is refused or blamed on a guess.
 */
export function isOlder(version: string, than: string): boolean {
  const [major, minor] = parts(version);
  const [otherMajor, otherMinor] = parts(than);
  return major === otherMajor ? minor < otherMinor : major < otherMajor;
}

/** `2.21` of `2.21.0-rc1`. */
export function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

function parts(version: string): [major: number, minor: number] {
  const match = /^(\d+)\.(\d+)/.exec(version);
  return match === null ? [Number.NaN, Number.NaN] : [Number(match[1]), Number(match[2])];
}

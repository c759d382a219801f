/** Whether a TensorFlow version, `1.15.5`, is of an earlier minor version than another, `2.4`. */
export function isOlder(version: string, than: string): boolean {
  const [major, minor] = parts(version);
  const [otherMajor, otherMinor] = parts(than);
  return major === otherMajor ? minor < otherMinor : major < otherMajor;
}

/** What is no number counts as newest: builds of one's own may call themselves anything. */
function parts(version: string): [major: number, minor: number] {
  const match = /^(\d+)\.(\d+)/.exec(version);
  return match === null ? [Infinity, 0] : [Number(match[1]), Number(match[2])];
}

/** The version that `tf-session install` fetches when asked for none, and that the finder prefers. */
export const DEFAULT_VERSION = '2.21.0';

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-?(a|b|rc)(\d+))?(?:\.post(\d+))?$/;

/** Whether a text is a TensorFlow release: `2.21.0`, `2.21.0rc1` or `2.21.0-rc1`. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/** A release as pip names it, `2.21.0rc1`, by which installations are named as well. */
export function pipVersion(version: string): string {
  return version.replace('-', '');
}

/** Sorts versions upwards; candidates come before their release, what is no version before everything. */
export function compareVersions(a: string, b: string): number {
  const x = parts(a);
  const y = parts(b);
  for (let i = 0; i < x.length; i++) {
    const difference = x[i]! - y[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function parts(version: string): number[] {
  const match = VERSION.exec(version);
  if (match === null) return [-1, 0, 0, 0, 0, 0];
  const stage = match[4] === undefined ? 3 : ['a', 'b', 'rc'].indexOf(match[4]);
  return [
    Number(match[1]),
    Number(match[2]),
    Number(match[3]),
    stage,
    Number(match[5] ?? 0),
    Number(match[6] ?? 0),
  ];
}

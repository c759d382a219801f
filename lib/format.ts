/** Sizes, times and numbers of things for people; of pages, too. */

/** `0 B`, `1.5 kB`, `102 MB`: three digits. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  // 999.5 would be written as 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `12.5 us`, `1.27 ms`, `3.40 s`: three digits. */
export function formatUs(us: number): string {
  if (us < 999.5) return `${us.toPrecision(3)} us`;
  return us < 999_500 ? `${(us / 1000).toPrecision(3)} ms` : `${(us / 1e6).toPrecision(3)} s`;
}

/** Rows a second, and the like: three digits, or whole. */
export function perSecond(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** `1 op`, `2 ops`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

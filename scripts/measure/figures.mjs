// Figures of several values, and of this process.

import { performance } from 'node:perf_hooks';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value below which this share of all lies. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Least squares: by how much `y` grows where `x` grows by one. */
export function slope(points) {
  const mean = (key) => points.reduce((sum, point) => sum + point[key], 0) / points.length;
  const [x, y] = [mean('x'), mean('y')];
  const over = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  const under = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

export const megabytes = (bytes) => bytes / 2 ** 20;

/** Resident memory of this process, in MB. */
export const resident = () => megabytes(process.memoryUsage.rss());

/** How late a timer of 1 ms comes at most, until the returned function is called. */
export function watch() {
  let longest = 0;
  let due = performance.now() + 1;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - due);
    due = performance.now() + 1;
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

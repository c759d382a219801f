import { describe, expect, it } from 'vitest';
import { formatBytes, formatUs } from '../lib/format.js';

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [1536, '1.54 kB'],
    [9996, '10.0 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [102_400_000, '102 MB'],
    [5e15, '5000 TB'],
  ])('%i are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

it.each([
  [0.5, '0.500 us'],
  [22.46, '22.5 us'],
  [999.6, '1.00 ms'],
  [14_600, '14.6 ms'],
  [1_270_000, '1.27 s'],
])('%d microseconds are %s', (us, text) => {
  expect(formatUs(us)).toBe(text);
});

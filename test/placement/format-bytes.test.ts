import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../lib/format-bytes.js';

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

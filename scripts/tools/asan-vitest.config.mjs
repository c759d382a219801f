// The tests under AddressSanitizer, by asan.mjs.
import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

export default mergeConfig(base, {
  root: new URL('../..', import.meta.url).pathname,
  test: { setupFiles: ['scripts/tools/asan-setup.mjs'], testTimeout: 180_000 },
});

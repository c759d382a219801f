// The tests as coverage.mjs runs them: lib/ is what they import, so it is counted as it is written.
import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

export default mergeConfig(base, {
  root: new URL('../..', import.meta.url).pathname,
  test: {
    coverage: {
      provider: 'v8',
      enabled: true,
      include: ['lib/**/*.ts'],
      // Generated, and for browsers.
      exclude: ['lib/proto/**', 'lib/page/app/**'],
      reportsDirectory: 'coverage/typescript',
      reporter: ['text', 'html', 'json-summary', 'json'],
      reportOnFailure: true,
    },
    testTimeout: 300_000,
  },
});

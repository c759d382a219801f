// For each file of tests that runs under AddressSanitizer: leaks are looked for when all of its tests have ended.
import { createRequire } from 'node:module';
import { afterAll } from 'vitest';

const { hasLeaks } = createRequire(import.meta.url)('../../build/asan/Release/leak_check.node');

afterAll(async () => {
  // What the collector may free is freed first: V8's own memory, which holds pointers to the rest, is not looked through.
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Whose leaks they are, asan.mjs reads in the log.
  hasLeaks();
});

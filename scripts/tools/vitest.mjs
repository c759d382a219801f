// vitest, run and counted.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './dist.mjs';
import { attempt } from './spawn.mjs';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed a file that can't be imported, and a process that died, count as one each
 * @property {number} skipped
 * @property {string[]} failures a line each
 *
 * @param {readonly string[]} args what vitest is to run, and its options
 * @param {{ node?: string, env?: NodeJS.ProcessEnv, capture?: boolean }} [options] `node`: the program that runs it;
 *   `capture`: show nothing
 * @returns {Promise<Counts>}
 */
export async function runVitest(args, { node = process.execPath, env, capture = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-test-'));
  try {
    const file = join(folder, 'report.json');
    const reporters = [
      ...(capture ? [] : ['--reporter=default']),
      '--reporter=json',
      `--outputFile.json=${file}`,
    ];
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const { status, output } = await attempt(node, [vitest, 'run', ...reporters, ...args], {
      cwd: ROOT,
      env,
      capture,
    });
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) {
      const failure = `vitest gave no report, exit status ${status}: ${output.trim().slice(-500)}`;
      return { passed: 0, failed: 1, skipped: 0, failures: [failure] };
    }
    const counts = count(JSON.parse(text));
    // A process that died took tests with it that no report counts.
    if (status !== 0 && counts.failed === 0) {
      return { ...counts, failed: 1, failures: [`vitest ended with exit status ${status}`] };
    }
    return counts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function count({ numPassedTests, numPendingTests, numTodoTests, testResults }) {
  const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (status === 'failed' && failed.length === 0) return [`${name}: ${message.split('\n')[0]}`];
    return failed.map((test) => `${test.fullName}: ${(test.failureMessages[0] ?? '').split('\n')[0]}`);
  });
  return {
    passed: numPassedTests,
    failed: failures.length,
    skipped: numPendingTests + numTodoTests,
    failures,
  };
}

// vitest's JSON report in three numbers.

/**
 * A file that fails without a failed test, as one that can't be imported, counts as a failed test.
 *
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function count({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests,
  };
}

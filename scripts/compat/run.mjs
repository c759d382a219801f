// `npm run compat`: the tests in test/compat on libraries of every version, and the table that the README shows.
//
//   node scripts/compat/run.mjs                     every version of versions.mjs
//   node scripts/compat/run.mjs 1.15.5 2.9.3        some
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { attempt } from '../tools/spawn.mjs';
import { compatLibrary } from './library.mjs';
import { VERSIONS } from './versions.mjs';

await main(async () => {
  const known = VERSIONS.map(({ version }) => version);
  const asked = process.argv.length > 2 ? process.argv.slice(2) : known;
  const rows = [];
  for (const version of asked) {
    const row = await testOn(version);
    rows.push(row);
    console.error(
      `TensorFlow ${version}: ${row.passed} passed, ${row.failed} failed, ${row.skipped} skipped`,
    );
    for (const failure of row.failures) console.error(`  ${failure}`);
  }
  console.log('| TensorFlow | from | passed | failed | skipped |\n| --- | --- | --- | --- | --- |');
  for (const { version, passed, failed, skipped } of rows) {
    const { requirement = `tensorflow-cpu==${version}`, note } = VERSIONS.find((v) => v.version === version);
    const from = note === undefined ? `\`${requirement}\`` : `\`${requirement}\`: ${note}`;
    console.log(`| ${version} | ${from} | ${passed} | ${failed} | ${skipped} |`);
  }
  const red = rows.filter(({ passed, failed }) => failed > 0 || passed === 0).map(({ version }) => version);
  if (red.length > 0) throw new Failure(`Not everything passes on TensorFlow ${red.join(', ')}.`);
});

/** One process of vitest, and in it one a file: a process opens one library. */
async function testOn(version) {
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-compat-'));
  try {
    const report = join(folder, 'report.json');
    const env = {
      ...process.env,
      TF_SESSION_LIBRARY: await compatLibrary(version),
      TF_SESSION_COMPAT: version,
    };
    const args = [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=json',
      `--outputFile=${report}`,
    ];
    const { status, output } = await attempt(process.execPath, [...args, 'test/compat'], {
      cwd: ROOT,
      env,
      capture: true,
    });
    const text = await readFile(report, 'utf8').catch(() => undefined);
    if (text === undefined) throw new Failure(`vitest gave no report on TensorFlow ${version}:\n${output}`);
    const row = { version, ...counts(JSON.parse(text)) };
    // A process that died took tests with it that no report counts.
    if (status !== 0 && row.failed === 0) row.failures.push(`the tests ended with exit status ${status}`);
    return { ...row, failed: row.failures.length };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function counts({ numPassedTests, numPendingTests, testResults }) {
  const failures = testResults.flatMap(({ name, message, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    // A file that could not be imported has no tests.
    if (status === 'failed' && failed.length === 0) return [`${name}: ${message}`];
    return failed.map((test) => `${test.fullName}: ${test.failureMessages.join(' ').split('\n')[0]}`);
  });
  return {
    passed: numPassedTests,
    failed: failures.length,
    skipped: numPendingTests,
    failures,
  };
}

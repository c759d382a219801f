// What the tests execute: the addon, built into build/coverage and counted by gcov, and lib/, counted by V8 as the tests
// import it. What runs in processes of its own from dist/ (commands, children, the planner's thread) counts for the addon
// alone.
//
//   node scripts/tools/coverage.mjs [TESTS…]     all of them unless told otherwise; arguments go to vitest
//
// Prints a line a file; pages are in coverage/native and coverage/typescript. Needs gcov, which comes with g++.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.mjs';
import { ROOT } from './dist.mjs';
import { Failure, main } from './failure.mjs';
import { pipPrograms } from './pip-programs.mjs';
import { attempt } from './spawn.mjs';
import { runVitest } from './vitest.mjs';

const GCOVR = '8.8';
const BUILD = join(ROOT, 'build/coverage');

await main(async () => {
  await run(process.execPath, ['scripts/build.mjs', '--native-only', '--coverage', '--if-needed'], {
    cwd: ROOT,
  });
  // Of runs before.
  for (const name of await readdir(BUILD, { recursive: true }))
    if (name.endsWith('.gcda')) await rm(join(BUILD, name));
  const config = join(ROOT, 'scripts/tools/coverage-vitest.config.mjs');
  const env = { ...process.env, TF_SESSION_ADDON: join(BUILD, 'Release/tf-session.node') };
  const { passed, failed } = await runVitest(['--config', config, ...process.argv.slice(2)], { env });
  await native();
  console.error(`${passed} tests passed, ${failed} failed.`);
  if (failed > 0) throw new Failure('Some tests failed, so what they execute is not counted whole.');
});

async function native() {
  const [gcovr] = await pipPrograms(`gcovr-${GCOVR}`, 'gcovr', [`gcovr==${GCOVR}`], ['gcovr/__main__.py']);
  const folder = join(ROOT, 'coverage/native');
  await mkdir(folder, { recursive: true });
  const pages = [
    '--html-details',
    join(folder, 'index.html'),
    '--json-summary',
    join(folder, 'summary.json'),
    '--txt',
    '-',
  ];
  const files = ['--root', ROOT, '--filter', 'native/', '--object-directory', BUILD, BUILD];
  const { status } = await attempt('python3', ['-m', 'gcovr', ...files, ...pages], {
    cwd: ROOT,
    env: { ...process.env, PYTHONPATH: join(gcovr, '../..') },
  });
  if (status !== 0) throw new Failure('gcovr failed; see above.');
}

// `npm test`: everything that is checked, from nothing: builds and fetches what is missing first. Arguments go to
// vitest: `npm test -- test/cli`. The last line counts vitest's tests.
import { performance } from 'node:perf_hooks';
import { ROOT } from './tools/dist.mjs';
import { attempt } from './tools/spawn.mjs';
import { runVitest } from './tools/vitest.mjs';

const start = performance.now();
const node = async (...args) => (await attempt(process.execPath, args, { cwd: ROOT })).status === 0;
const npm = async (...args) =>
  (await attempt('npm', ['run', '--silent', ...args], { cwd: ROOT })).status === 0;

const TARGET = `${process.platform}-${process.arch}`;
let counts = '';
const steps = [
  // What comes after these would fail for their reasons.
  { name: 'library', isNeeded: true, run: () => node('scripts/tools/library.mjs') },
  { name: 'build', isNeeded: true, run: () => node('scripts/build.mjs', '--if-needed') },
  { name: 'lint', run: () => node('scripts/lint.mjs') },
  { name: 'types', run: () => npm('types') },
  { name: 'model', run: () => node('scripts/models/basic-pitch.mjs') },
  { name: 'sanitizers', run: () => node('scripts/tools/asan.mjs') },
  // Some seconds of it: more by hand.
  { name: 'fuzz', run: () => node('scripts/fuzz/native.mjs', '--seconds', '8') },
  { name: 'prebuilt', run: () => node('scripts/prebuild/make.mjs', TARGET) },
  // On what is shipped. The newest library is that of the tests below, too; `npm run compat` has them all.
  {
    name: 'compat',
    run: () => node('scripts/compat/run.mjs', '--skip-missing', '1.10.1', '1.15.5', '2.9.3', '2.21.0'),
  },
  { name: 'linked', run: () => node('scripts/compat/linked.mjs') },
  { name: 'tests', run: () => tests(process.argv.slice(2)) },
];

const done = [];
for (const { name, isNeeded = false, run } of steps) {
  console.log(`\n== ${name}`);
  const from = performance.now();
  const isOk = await run();
  done.push({ name, isOk, time: seconds(performance.now() - from) });
  if (isNeeded && !isOk) break;
}

console.log('');
for (const { name, isOk, time } of done)
  console.log(`${isOk ? 'ok    ' : 'FAILED'} ${name.padEnd(10)} ${time}`);
console.log(`Everything took ${seconds(performance.now() - start)}`);
if (counts !== '') console.log(counts);
process.exitCode = done.length === steps.length && done.every(({ isOk }) => isOk) ? 0 : 1;

async function tests(args) {
  const { passed, failed, skipped } = await runVitest(args);
  counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  return failed === 0;
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

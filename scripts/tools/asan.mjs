// The addon under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, built into build/asan: the tests that use
// it most, then asan-driver.mjs, which does what tests do not.
//
//   node scripts/tools/asan.mjs                     both
//   node scripts/tools/asan.mjs tests [FILE…]       tests alone: others
//   node scripts/tools/asan.mjs FILE [ARGS…]        another script
//
// Ends with a status other than 0 when one of them reports something. Where g++ has no libasan, says so and ends
// with status 0. Of leaks only the addon's own count: Node and TensorFlow free little at their end.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { run } from '../run.mjs';
import { sanitizerReports } from './asan-reports.mjs';
import { ROOT } from './dist.mjs';
import { Failure, main } from './failure.mjs';
import { attempt } from './spawn.mjs';
import { runVitest } from './vitest.mjs';

/** What the driver prints last: without it something ended the process before, whatever its status says. */
const END = 'The driver came to its end.';
/** A hang must not be taken for patience. */
const LIMIT_MS = 600_000;
const ADDON = join(ROOT, 'build/asan/Release/tf-session.node');

/** The sanitizers slow tests down two to three times: those that take long and bring them nothing new are left out. */
const SLOW = [
  'placement', // a model of the wild, split in many ways
  'log-placement', // of what processes print
  'pluggable-devices', // compiles plug-ins
  'op-libraries',
  'basic-pitch',
].map((name) => `test/native/${name}.test.ts`);
const TESTS = ['test/native', 'test/process/workers.test.ts'];

await main(async () => {
  const library = sanitizerLibrary();
  if (library === undefined) {
    console.error('SKIPPED: g++ has no libasan here, so the addon was not run under AddressSanitizer.');
    return;
  }
  const build = ['scripts/build.mjs', '--native-only', '--asan', '--if-needed'];
  await run(process.execPath, build, { cwd: ROOT });

  const logs = mkdtempSync(join(tmpdir(), 'tf-session-asan-'));
  const env = environment(library, logs);
  try {
    await proveIsOn(env, logs);
    const [script, ...args] = process.argv.slice(2);
    if (script === undefined || script === 'tests') await tests(env, args);
    if (script !== 'tests') await driver(env, script, args);
    report(logs);
  } finally {
    rmSync(logs, { recursive: true, force: true });
  }
});

function environment(library, logs) {
  // Of each frame its module, by which the addon's own are told.
  const common = `log_path=${join(logs, 'log')}:exitcode=99:stack_trace_format='    #%n %f %S (%m)'`;
  return {
    ...process.env,
    TF_SESSION_ADDON: ADDON,
    TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '3',
    LD_PRELOAD: library,
    ASAN_OPTIONS: `detect_leaks=1:${common}`,
    // Whose a leak is, the log tells; how a process ended is what its tests look at.
    LSAN_OPTIONS: 'exitcode=0',
    UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=1:${common}`,
  };
}

/** A leak on purpose is found and taken for the addon's own, else all of this would say nothing. */
async function proveIsOn(env, logs) {
  const leak = "require('./build/asan/Release/leak_check.node').leak()";
  await attempt(process.execPath, ['-e', leak], { cwd: ROOT, env, capture: true });
  const { leaks } = sanitizerReports(logs, 'leak_check.node');
  if (leaks.length === 0) throw new Failure('A leak on purpose was not found: LeakSanitizer is not at work.');
}

async function tests(env, files) {
  const chosen = files.length > 0 ? files : [...TESTS, ...SLOW.flatMap((file) => ['--exclude', file])];
  const config = join(ROOT, 'scripts/tools/asan-vitest.config.mjs');
  const { failed, passed } = await runVitest(['--config', config, ...chosen], { env });
  console.error(`Under the sanitizers ${passed} tests passed, ${failed} failed.`);
  if (failed > 0) process.exitCode = 1;
}

async function driver(env, script = join(ROOT, 'scripts/tools/asan-driver.mjs'), args = []) {
  const { status, output } = await attempt(process.execPath, ['--expose-gc', script, ...args], {
    cwd: ROOT,
    capture: true,
    timeout: LIMIT_MS,
    env,
  });
  console.error(output.trim());
  if (status !== 0 || (process.argv.length === 2 && !output.includes(END))) {
    console.error(`The script under the sanitizers ended with status ${status}.`);
    process.exitCode = 1;
  }
}

function report(logs) {
  const { errors, leaks, processes } = sanitizerReports(logs, 'tf-session.node');
  for (const text of [...errors, ...leaks]) console.error(text);
  if (errors.length + leaks.length > 0) throw new Failure('A sanitizer reported the above.');
  if (process.exitCode) throw new Failure('No sanitizer reported anything, but see above.');
  console.error(`No sanitizer reported anything of the addon's, in ${processes} logs.`);
}

/** g++ prints the bare name where it has no such file. */
function sanitizerLibrary() {
  const { status, stdout } = spawnSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const path = stdout?.trim();
  return status === 0 && isAbsolute(path) && existsSync(path) ? path : undefined;
}

// The addon under AddressSanitizer and UndefinedBehaviorSanitizer: built into build/asan, driven by asan-driver.mjs.
//
//   node scripts/tools/asan.mjs [FILE [ARGS…]]     runs another script under them
//
// Ends with a status other than 0 when one of them reports something. Where g++ has no libasan, says so and ends
// with status 0. Leaks are not looked for: Node and TensorFlow free little at their end.
import { spawnSync } from 'node:child_process';
import { isAbsolute, join } from 'node:path';
import { run } from '../run.mjs';
import { ROOT } from './dist.mjs';
import { Failure, main } from './failure.mjs';
import { attempt } from './spawn.mjs';

/** What the driver prints last: without it something ended the process before, whatever its status says. */
const END = 'The driver came to its end.';

/** It takes 40 s; a hang must not be taken for patience. */
const LIMIT_MS = 300_000;

await main(async () => {
  const library = sanitizerLibrary();
  if (library === undefined) {
    console.error('SKIPPED: g++ has no libasan here, so the addon was not run under AddressSanitizer.');
    return;
  }
  const build = ['scripts/build.mjs', '--native-only', '--asan', '--if-needed'];
  await run(process.execPath, build, { cwd: ROOT });

  const [script = join(ROOT, 'scripts/tools/asan-driver.mjs'), ...args] = process.argv.slice(2);
  const { status, output } = await attempt(process.execPath, ['--expose-gc', script, ...args], {
    cwd: ROOT,
    capture: true,
    timeout: LIMIT_MS,
    env: {
      ...process.env,
      TF_SESSION_ADDON: join(ROOT, 'build/asan/Release/tf-session.node'),
      TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '3',
      LD_PRELOAD: library,
      ASAN_OPTIONS: 'detect_leaks=0:exitcode=99',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1:exitcode=99',
    },
  });
  console.error(output.trim());
  if (status === 99) throw new Failure('A sanitizer reported the above.');
  if (status !== 0) throw new Failure(`The script under the sanitizers ended with status ${status}.`);
  if (process.argv.length === 2 && !output.includes(END))
    throw new Failure('The driver ended before its end.');
});

/** g++ prints the bare name where it has no such file. */
function sanitizerLibrary() {
  const { status, stdout } = spawnSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const path = stdout?.trim();
  return status === 0 && isAbsolute(path) ? path : undefined;
}

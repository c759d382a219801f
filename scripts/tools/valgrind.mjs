// The parts of the addon that many threads use, under valgrind's memcheck, without Node: what is read before it was
// written, which the other sanitizers do not see.
//
//   node scripts/tools/valgrind.mjs [--rounds N]     N: how often each part is done; 1 unless told otherwise
//
// Ends with a status other than 0 when it reports something with a frame of ours. Takes minutes: valgrind runs one thread
// at a time, and each instruction some twenty times as long.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure, main } from './failure.mjs';
import { nativeDriver } from './native-driver.mjs';
import { attempt } from './spawn.mjs';

const LIMIT_MS = 1_800_000;

await main(async () => {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1' } } });
  const { program, args, isWhole } = await nativeDriver('valgrind', ['-O1', '-fno-omit-frame-pointer']);
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-valgrind-'));
  try {
    const log = join(folder, 'log');
    const options = [
      '--leak-check=no',
      '--fair-sched=yes',
      '--num-callers=40',
      '--error-limit=no',
      `--log-file=${log}`,
    ];
    const { output } = await attempt('valgrind', [...options, program, ...args, '--rounds', values.rounds], {
      capture: true,
      timeout: LIMIT_MS,
      // It knows no AVX-512, which TensorFlow's libraries take where the processor has it.
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', TF_ENABLE_ONEDNN_OPTS: '0' },
    });
    console.error(output.trim());
    const text = await readFile(log, 'utf8');
    const reports = text.split(/^==\d+== *$/m);
    const own = reports.filter((report) => /\b(?:by|at) 0x/.test(report) && isOwn(report));
    for (const report of own) console.error(report.trim());
    console.error(
      `${/ERROR SUMMARY: .*/.exec(text)?.[0]}; ${own.length} of them with a frame of ours on top.`,
    );
    if (own.length > 0) throw new Failure('valgrind reported the above.');
    if (!isWhole(output)) throw new Failure(`The driver did not come to its end.\n${text.slice(-2000)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 'node scripts/tools/valgrind.mjs [--rounds N]');

/** What happens within TensorFlow is its own: it was called by us, too. */
function isOwn(report) {
  const top = report
    .split('\n')
    .find((line) => /\bat 0x|\bby 0x/.test(line) && !/vgpreload|libstdc|libc\.so/.test(line));
  return (
    top !== undefined &&
    /libparts\.so|tf_session::|\((?:session_core|work_line|run_gate|library|graph|status)\.cc:/.test(top)
  );
}

// The parts of the addon that many threads use, under ThreadSanitizer, without Node: it sees what was compiled with it
// alone, and neither Node nor TensorFlow is.
//
//   node scripts/tools/tsan.mjs [--rounds N]     N: how often each part is done; 10 unless told otherwise
//
// Ends with a status other than 0 when it reports something.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './dist.mjs';
import { Failure, main } from './failure.mjs';
import { nativeDriver } from './native-driver.mjs';
import { attempt } from './spawn.mjs';

const REPORTED = 66;
const LIMIT_MS = 900_000;

await main(async () => {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
  const { program, args, isWhole } = await nativeDriver('tsan', ['-fsanitize=thread', '-O1']);
  const suppressions = join(ROOT, 'scripts/tools/native/tsan.supp');
  // Of 32 random bits of addresses, which newer kernels give, g++'s library can do with 28.
  const { status, output } = await attempt('setarch', ['-R', program, ...args, '--rounds', values.rounds], {
    capture: true,
    timeout: LIMIT_MS,
    env: {
      ...process.env,
      TF_CPP_MIN_LOG_LEVEL: '3',
      TSAN_OPTIONS: `suppressions=${suppressions}:ignore_noninstrumented_modules=1:exitcode=${REPORTED}`,
    },
  });
  console.error(output.trim());
  if (status === REPORTED) throw new Failure('ThreadSanitizer reported the above.');
  if (status !== 0 || !isWhole(output)) throw new Failure(`The driver ended with status ${status}.`);
}, 'node scripts/tools/tsan.mjs [--rounds N]');

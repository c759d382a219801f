// Ends processes and worker threads in the midst of things, again and again: races show only now and then.
//
//     node scripts/stress/ends.mjs [--times 50] [--limit 60] [NAME]…
//
// NAME: cases to run, `exit.mjs queued` for instance (default: all). Prints for each how often which end came, and
// ends with status 1 where one was not what it should be; the last lines of that process go to stderr.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '50' }, limit: { type: 'string', default: '60' } },
});
const CHILDREN = new URL('../../test/process/children/', import.meta.url);

/** The script with its arguments, and the status that it should end with. `%` becomes a moment that changes. */
const CASES = {
  'exit.mjs endless': 7,
  'exit.mjs at-once': 7,
  'exit.mjs queued': 7,
  'exit.mjs closing': 7,
  'exit.mjs load %': 7,
  'exit.mjs uncaught': 1,
  'end.mjs waiting': 0,
  'end.mjs closing': 0,
  'end.mjs abandoned': 0,
  'workers.mjs four': 0,
  'workers.mjs worker-first': 0,
  'workers.mjs worker-exits': 0,
  'workers.mjs worker-throws': 0,
  'workers.mjs main-exits': 5,
  'workers.mjs main-exits-anew': 5,
  'workers.mjs main-unaware-exits': 5,
  'workers.mjs main-unaware-exits-waiting': 5,
  'terminate.mjs long run 2 %': 0,
  'terminate.mjs waiting run 2 %': 0,
  'terminate.mjs loading run 4 %': 0,
  'terminate.mjs closing run 2 %': 0,
  'terminate.mjs cancelling run 4 %': 0,
  'terminate.mjs outputs run 4 %': 0,
  'terminate.mjs devices run 4 %': 0,
  'terminate.mjs endless run 2 %': 0,
  'terminate.mjs endless exit': 5,
};

let wrong = 0;
for (const [name, status] of Object.entries(CASES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const ends = {};
  const started = performance.now();
  for (let i = 0; i < Number(values.times); i++) {
    const [script, ...args] = name.replace('%', String((i * 37) % 100)).split(' ');
    const { end, stderr } = await endOf(script, args);
    ends[end] = (ends[end] ?? 0) + 1;
    if (end === String(status)) continue;
    wrong++;
    console.error(`${name} (${args.at(-1)}): ${end}\n${stderr.split('\n').slice(-8).join('\n')}`);
  }
  const seconds = (performance.now() - started) / 1000 / Number(values.times);
  console.log(`${name}: ${JSON.stringify(ends)}, ${seconds.toFixed(2)} s each`);
}
process.exitCode = wrong > 0 ? 1 : 0;

function endOf(script, args) {
  const path = fileURLToPath(new URL(script, CHILDREN));
  const child = spawn(process.execPath, ['--expose-gc', path, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  let stuck = false;
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const timer = setTimeout(() => {
    stuck = true;
    child.kill('SIGKILL');
  }, Number(values.limit) * 1000);
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ end: stuck ? 'never' : String(status ?? signal), stderr });
    });
  });
}

// What this library claims of GPUs, tried on one: in a checkout, and in the bundle that `bundle.mjs` makes.
//
//     node scripts/gpu/run.mjs --help
//
// Each check has a process of its own, since what the first session of a process asks of a GPU holds for all. Every line says
// what was seen. report.json and report.md have the same, with the machine, the card and the library.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kit } from './rig/kit.mjs';
import { lacks, lookAround } from './rig/machine.mjs';
import { lines, markdown, REHEARSAL, tally, tallyLine } from './rig/report.mjs';
import { runChild } from './rig/start.mjs';

const USAGE = `node scripts/gpu/run.mjs [options]
  --library FILE_OR_DIR   the libtensorflow to open; default: the bundle's, or what is found
  --only NAME             one check, or "bench", the measurements; may be given several times
  --list                  the checks there are
  --rehearse              without a GPU: CPU devices in its place, so that the checks themselves are tried
  --no-bench              no measurements after the checks
  --quick                 shorter: less waiting, fewer models and measurements
  --minutes N             no check begins later, and the measurements take what is left
  --out DIR               for report.json and report.md; default: gpu-report
Ends with 0 when all that ran held, 1 when something failed or there is no GPU, 2 for wrong usage.`;

const CHECKS = fileURLToPath(new URL('checks/', import.meta.url));
/** What all others rest on. */
const FIRST = ['devices', 'libraries', 'own-files'];
/** The measurements, which are a program of their own. */
const BENCH = 'bench';
/** Seconds. For a card that TensorFlow was not compiled for, the driver compiles each kernel at its first use. */
const LIMIT = 600;
/** What has begun may take so many, whenever the time is over. */
const LEAST = 60;

const options = {
  library: { type: 'string' },
  only: { type: 'string', multiple: true },
  list: { type: 'boolean', default: false },
  rehearse: { type: 'boolean', default: false },
  'no-bench': { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  minutes: { type: 'string' },
  out: { type: 'string', default: 'gpu-report' },
  help: { type: 'boolean', default: false },
};

const load = (name) => import(`./checks/${name}.mjs`);

async function main() {
  const names = await checkNames();
  let flags;
  try {
    flags = parseArgs({ options }).values;
    const wrong = flags.only?.find((name) => ![...names, BENCH].includes(name));
    if (wrong !== undefined) {
      throw new Error(`There is no check "${wrong}". There are: ${[...names, BENCH].join(', ')}.`);
    }
    if (flags.minutes !== undefined && !(Number(flags.minutes) > 0)) {
      throw new Error(`--minutes takes a number above 0, not "${flags.minutes}".`);
    }
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (flags.help) console.log(USAGE);
  if (flags.list) for (const name of names) console.log(`${name}: ${(await load(name)).title}`);
  if (flags.help || flags.list) return 0;
  const { only = [...names, BENCH] } = flags;
  const isBench = only.includes(BENCH) && !flags['no-bench'];
  return work(
    { ...flags, isBench },
    only.filter((name) => name !== BENCH),
  );
}

async function checkNames() {
  const files = (await readdir(CHECKS)).filter((file) => file.endsWith('.mjs'));
  const others = files.map((file) => file.slice(0, -4)).filter((name) => !FIRST.includes(name));
  return [...FIRST, ...others.sort()];
}

async function work({ library: asked, rehearse, quick, minutes, out: folder, only, isBench }, names) {
  const rest = () => (minutes === undefined ? Infinity : minutes * 60 - process.uptime());
  const found = await kit(asked === undefined ? undefined : resolve(asked));
  const machine = await lookAround(found);
  const { library, gpus, whyNoGpu } = machine;
  const refuse = (status, ...sentences) => {
    console.error(sentences.join('\n'));
    return status;
  };
  if (library === undefined) return refuse(1, machine.failure);
  if (gpus.length > 0 && rehearse) {
    return refuse(2, 'There is a GPU: leave --rehearse out, or hide it (CUDA_VISIBLE_DEVICES=-1).');
  }
  if (gpus.length === 0 && !rehearse) {
    return refuse(
      1,
      `There is no GPU, so nothing was checked. ${whyNoGpu}`,
      '--rehearse tries the checks themselves without one.',
    );
  }
  const say = (line) => console.log(rehearse ? `rehearsal  ${line}` : line);
  if (rehearse) console.log(`${REHEARSAL}\n`);
  say(`TensorFlow ${library.version}, ${library.path}`);
  for (const { name, totalMiB, driver } of machine.cards) say(`${name}, ${totalMiB} MiB, driver ${driver}`);

  const given = { library: library.path, rehearse, quick };
  const out = resolve(folder);
  await mkdir(out, { recursive: true });
  const report = {
    rehearsal: rehearse,
    about: rehearse ? REHEARSAL : 'On a GPU.',
    only,
    machine,
    results: [],
  };
  for (const name of names) {
    const result = await checkOne(name, machine, given, rest());
    for (const line of lines(result)) say(line);
    report.results.push(result);
    // After each: who loses the machine keeps what there is.
    await write(out, report);
  }
  const canMeasure = !found.isBundle || found.models !== undefined;
  const isTime = rest() > LEAST;
  if (isBench && !canMeasure) say('skip  bench: this bundle has no models');
  else if (isBench && !isTime) say('skip  bench: the time was over');
  const isMeasured = isBench && canMeasure && isTime;
  const measured = isMeasured
    ? await measure({ ...given, kit: found, out, log: say, most: rest() })
    : undefined;
  await write(out, report, measured?.summary);
  const counts = tally(report.results);
  const measurements = measured === undefined ? '' : `; of the measurements ${measured.failures} failed`;
  console.log(`\n${rehearse ? `${REHEARSAL}\n` : ''}${tallyLine(counts)}${measurements}`);
  console.log(join(out, 'report.md'));
  return counts.failed + (measured?.failures ?? 0) > 0 ? 1 : 0;
}

async function write(out, report, summary) {
  const counts = tally(report.results);
  await writeFile(join(out, 'report.json'), `${JSON.stringify({ ...report, counts }, null, 2)}\n`);
  const text = markdown(report);
  await writeFile(join(out, 'report.md'), summary === undefined ? text : `${text}\n${summary}\n`);
}

/** What cannot be told here is run all the same in a rehearsal, without judging, so that its code is known to run. */
async function checkOne(name, machine, given, rest) {
  const { title, needs, judge, limit = LIMIT } = await load(name);
  const most = Math.min(limit, Math.max(rest, LEAST));
  const missing = needs.map((need) => lacks(need, machine)).filter((need) => need !== undefined);
  const isOnlyTried = given.rehearse && missing.length > 0 && needs.includes('gpu');
  const result = { name, title, expectations: [], skipped: [], seconds: 0 };
  if (rest <= 0) {
    result.skipped.push('the time was over');
    return result;
  }
  if (missing.length > 0) {
    result.skipped.push(`needs ${missing.join(' and ')}${isOnlyTried ? '; its steps ran on the CPU' : ''}`);
    if (!isOnlyTried) return result;
  }
  const smi = lacks('nvidia-smi', machine) === undefined ? machine.smi : undefined;
  const { seen, failure, seconds } = await runChild(
    { ...given, name, smi, seconds: most },
    { seconds: most },
  );
  Object.assign(result, { seen, failure, seconds });
  if (failure !== undefined) result.skipped = [];
  if (failure !== undefined || isOnlyTried) return result;
  result.skipped = seen.skipped ?? [];
  try {
    result.expectations = judge(seen);
    if (result.expectations.length === 0) result.failure = 'nothing was expected of what was seen';
  } catch (error) {
    result.failure = `what was seen cannot be judged: ${error.message}`;
  }
  return result;
}

async function measure(given) {
  try {
    const { bench } = await import('./bench/run.mjs');
    return await bench(given);
  } catch (error) {
    console.error(error);
    return { summary: `## Measurements\n\n**FAIL**: ${error.message}`, failures: 1 };
  }
}

process.exitCode = await main();

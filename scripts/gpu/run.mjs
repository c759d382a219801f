// What this library claims of GPUs, tried on one: in a checkout, and in the bundle that `bundle.mjs` makes.
//
//     node scripts/gpu/run.mjs --help
//
// Each check has a process of its own, since what the first session of a process asks of a GPU holds for all. Every line says
// what was seen. report.json and report.md have the same, with the machine, the card and the library.
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kit } from './kit.mjs';
import { lacks, lookAround } from './machine.mjs';
import { failuresOf, lines, markdown, REHEARSAL, tally, tallyLine } from './report.mjs';
import { runChild } from './start.mjs';

const USAGE = `node scripts/gpu/run.mjs [options]
  --library FILE_OR_DIR   the libtensorflow to open; default: the bundle's, or what is found
  --only NAME             one check; may be given several times
  --list                  the checks there are
  --rehearse              without a GPU: CPU devices in its place, so that the checks themselves are tried
  --no-bench              no measurements after the checks
  --quick                 shorter
  --out DIR               for report.json and report.md; default: gpu-report
Ends with 0 when all that ran held, 1 when something failed or there is no GPU, 2 for wrong usage.`;

const CHECKS = fileURLToPath(new URL('checks/', import.meta.url));
const LIMIT = 180;

const options = {
  library: { type: 'string' },
  only: { type: 'string', multiple: true },
  list: { type: 'boolean', default: false },
  rehearse: { type: 'boolean', default: false },
  'no-bench': { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  out: { type: 'string', default: 'gpu-report' },
  help: { type: 'boolean', default: false },
};

async function main() {
  const names = (await readdir(CHECKS))
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.slice(0, -4));
  let flags;
  try {
    flags = parseArgs({ options }).values;
    for (const name of flags.only ?? []) {
      if (!names.includes(name))
        throw new Error(`There is no check "${name}". There are: ${names.join(', ')}.`);
    }
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (flags.help) console.log(USAGE);
  if (flags.list) for (const name of names) console.log(`${name}: ${(await load(name)).title}`);
  if (flags.help || flags.list) return 0;
  return work(flags, flags.only ?? names);
}

const load = (name) => import(`./checks/${name}.mjs`);

async function work({ library: asked, rehearse, quick, out: folder, 'no-bench': isBare }, names) {
  const found = await kit(asked === undefined ? undefined : resolve(asked));
  const machine = await lookAround(found);
  const { library, gpus, whyNoGpu } = machine;
  if (library === undefined) {
    console.error(machine.failure);
    return 1;
  }
  if (gpus.length > 0 && rehearse) {
    console.error(
      'There is a GPU: nothing is to be rehearsed. Leave --rehearse out, or hide it (CUDA_VISIBLE_DEVICES=-1).',
    );
    return 2;
  }
  if (gpus.length === 0 && !rehearse) {
    console.error(
      `There is no GPU, so nothing was checked. ${whyNoGpu}\n--rehearse tries the checks themselves without one.`,
    );
    return 1;
  }
  if (rehearse) console.log(`${REHEARSAL}\n`);
  console.log(`TensorFlow ${library.version}, ${library.path}`);
  for (const { name, totalMiB, driver } of machine.cards)
    console.log(`${name}, ${totalMiB} MiB, driver ${driver}`);
  const results = [];
  for (const name of names) {
    const result = await checkOne(name, machine, { library: library.path, rehearse, quick });
    for (const line of lines(result)) console.log(rehearse ? `rehearsal  ${line}` : line);
    results.push(result);
  }
  const out = resolve(folder);
  await mkdir(out, { recursive: true });
  const counts = tally(results);
  const report = { rehearsal: rehearse, about: rehearse ? REHEARSAL : 'On a GPU.', counts, machine, results };
  await writeFile(join(out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  let text = markdown(report);
  await writeFile(join(out, 'report.md'), text);
  const measured = isBare
    ? undefined
    : await measure({ library: library.path, kit: found, quick, rehearse, out });
  if (measured !== undefined) {
    text += `\n${measured.summary}\n`;
    await writeFile(join(out, 'report.md'), text);
  }
  console.log(
    `\n${rehearse ? `${REHEARSAL}\n` : ''}${tallyLine(counts)}${measured ? `; of measurements ${measured.failures} failed` : ''}`,
  );
  console.log(join(out, 'report.md'));
  return counts.failed + (measured?.failures ?? 0) > 0 ? 1 : 0;
}

/** What cannot be told here is run all the same in a rehearsal, without judging, so that its code is known to run. */
async function checkOne(name, machine, given) {
  const { title, needs, judge, limit = LIMIT } = await load(name);
  const missing = needs.map((need) => lacks(need, machine)).filter((need) => need !== undefined);
  const isOnlyTried = given.rehearse && missing.length > 0 && needs.includes('gpu');
  const result = { name, title, expectations: [], skipped: [], seconds: 0 };
  if (missing.length > 0)
    result.skipped.push(`needs ${missing.join(' and ')}${isOnlyTried ? '; its steps ran on the CPU' : ''}`);
  if (missing.length > 0 && !isOnlyTried) return result;
  const smi = lacks('nvidia-smi', machine) === undefined ? machine.smi : undefined;
  const { seen, failure, seconds } = await runChild(
    { ...given, name, smi, seconds: limit },
    { seconds: limit },
  );
  Object.assign(result, { seen, failure, seconds });
  if (failure !== undefined && isOnlyTried) result.skipped = [];
  if (failure !== undefined || isOnlyTried) return result;
  try {
    result.expectations = judge(seen);
  } catch (error) {
    result.failure = `what was seen cannot be judged: ${error.message}`;
  }
  result.skipped.push(...(seen.skipped ?? []));
  if (failuresOf(result) === 0 && result.expectations.length === 0)
    result.failure = 'nothing was expected of what was seen';
  return result;
}

/** The measurements, which are a program of their own. */
async function measure(given) {
  const program = new URL('bench/run.mjs', import.meta.url);
  if (!existsSync(program)) {
    console.log('skip  bench: scripts/gpu/bench/run.mjs is not there');
    return undefined;
  }
  try {
    const { bench } = await import(program.href);
    return await bench({
      ...given,
      log: (line) => console.log(given.rehearse ? `rehearsal  ${line}` : line),
    });
  } catch (error) {
    console.error(error);
    return { summary: `## Measurements\n\n**FAIL**: ${error.message}`, failures: 1 };
  }
}

process.exitCode = await main();

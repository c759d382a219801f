// The benchmark CPU against GPU, on a machine with a GPU: this library, raw C and Python on one library and the same models.
//
//     node scripts/gpu/bench/run.mjs [--library F] [--quick] [--rehearse] [--only TEXT]… [--out DIR]
//
// Writes bench.json and bench.html to DIR (default: gpu-bench), and prints the tables. Full it takes 9 minutes at most,
// --quick 3. --rehearse: without a GPU; a second CPU stands for it, and what is measured says nothing. --only keeps what has
// one of the texts in its name (`ResNet50, GPU, as saved, ours`). Ends with status 1 where something failed that should not.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kit as findKit } from '../rig/kit.mjs';
import { attempt, cards, findSmi } from '../rig/nvidia-smi.mjs';
import { sheetOf } from './cards.mjs';
import { configOf, MODELS, planOf } from './cases.mjs';
import { configBytes } from './config.mjs';
import { measureAll, program, STAND_IN } from './measure.mjs';
import { pageOf, summaryOf } from './page.mjs';
import { printed } from './processes.mjs';
import { productPage } from './product-page.mjs';
import { startSampler } from './sampler.mjs';
import { REHEARSAL } from './tables.mjs';

const USAGE =
  'node scripts/gpu/bench/run.mjs [--library F] [--quick] [--rehearse] [--only TEXT]… [--out DIR]';
/** What opening the library, multiplying matrices, and the page of `tf-session bench` may take at most. */
const SECONDS = { about: 120, matmul: 90, page: 90 };

/**
 * @param {object} given
 * @param {string} [given.library]
 * @param {import('../rig/kit.mjs').Kit} given.kit
 * @param {boolean} [given.quick]
 * @param {boolean} [given.rehearse] Without a GPU: /CPU:1 stands for it.
 * @param {string[]} [given.only]
 * @param {number} [given.most] Seconds that there are.
 * @param {string} given.out A folder, made where it is missing.
 * @param {(text: string) => void} [given.log]
 * @returns {Promise<{ summary: string, failures: number }>} `summary` in Markdown; `failures` that are not to be expected.
 */
export async function bench({
  library,
  kit,
  quick = false,
  rehearse = false,
  only = [],
  most = Infinity,
  out,
  log = () => {},
}) {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  await mkdir(out, { recursive: true });
  if (rehearse) log(REHEARSAL);
  const failed = (why) => ({ summary: `## tf-session, CPU against GPU\n\n${why}`, failures: 1 });

  const about = await ask('about.mjs', { library: library ?? kit.library }, SECONDS.about);
  if (about.failure !== undefined)
    return failed(`TensorFlow could not be asked for its devices: ${about.failure}`);
  const [{ version, path, devices }] = about.lines;
  if (!rehearse && !devices.some(({ type }) => type === 'GPU'))
    return failed(`TensorFlow ${version} (${path}) has no GPU device: \`tf-session info\` says why.`);
  const full = await withPrograms(kit, log);
  if (full.models === undefined) return failed('The models are not there.');

  const smi = rehearse ? undefined : findSmi();
  const card = smi && attempt(() => shown(cards(smi)));
  const plan = planOf({ quick, rehearse, only, most: most - SECONDS.page });
  const file = join(out, 'bench.json');
  const sampler = startSampler(smi, card?.uuid);
  let measured;
  let peaks;
  try {
    peaks = await peaksOf({ kit: full, library: path, plan, rehearse, log });
    const keep = (state) => writeFile(file, JSON.stringify({ isWhole: false, peak: peaks.peak, ...state }));
    measured = await measureAll({ plan, kit: full, library: path, rehearse, elapsed, log, keep });
  } finally {
    sampler.stop();
  }
  const rest = Math.min(SECONDS.page, most - elapsed());
  const page =
    only.length === 0 && rest > SECONDS.page / 3
      ? await productPage({ kit: full, library: path, quick, rehearse, out, log, seconds: rest })
      : { pages: [], problems: [] };
  const result = {
    rehearsal: rehearse,
    about: rehearse ? REHEARSAL : 'On a GPU.',
    quick,
    made: new Date().toISOString(),
    ...{ tensorflow: version, library: path, node: process.version, python: full.python?.command },
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() },
    ...{ card, sheet: rehearse ? undefined : sheetOf(card?.name), flops: await flopsOf(full.models) },
    matrix: plan.matrix,
    peak: peaks.peak,
    ...measured,
    measurements: measured.measurements.map((each) => ({
      ...each,
      ...sampler.sampled(each.beganAt, each.endedAt),
    })),
    problems: [...peaks.problems, ...measured.problems, ...page.problems],
    seconds: elapsed(),
  };
  const missing = result.leftOut.filter(({ isExpected }) => !isExpected);
  const failures = result.problems.filter(({ isExpected }) => !isExpected).length + missing.length;
  await writeFile(file, `${JSON.stringify({ ...result, failures }, null, 2)}\n`);
  await writeFile(join(out, 'bench.html'), pageOf(result, page.pages));
  return { summary: summaryOf(result), failures };
}

function ask(name, job, seconds) {
  return printed(process.execPath, [program(name), JSON.stringify(job)], { seconds });
}

/** The card that is TensorFlow's first: children count them as nvidia-smi does. */
function shown(all) {
  const [first] = (process.env.CUDA_VISIBLE_DEVICES ?? '').split(',');
  return all.find(({ uuid }, i) => [uuid, String(i)].includes(first)) ?? all[0];
}

/** In a checkout what is missing is made, as for `npm run bench`. */
async function withPrograms(kit, log) {
  if (kit.isBundle) return kit;
  const peers = await import(new URL('../../bench/peers.mjs', import.meta.url).href);
  const source = fileURLToPath(new URL('../../bench/native/raw.cc', import.meta.url));
  const raw = await peers.native('raw', source).catch((error) => log(`raw C is left out: ${error.message}`));
  return { ...kit, raw, models: await peers.models() };
}

/** What large matrix products come to, by data type. */
async function peaksOf({ kit, library, plan, rehearse, log }) {
  log(`products of ${plan.matrix} x ${plan.matrix} matrices`);
  const job = {
    library,
    folder: join(kit.models, 'matmul'),
    config: configBytes(configOf('saved', 'GPU', rehearse)).toString('base64'),
    ...(rehearse && { device: STAND_IN }),
    size: plan.matrix,
    seconds: plan.seconds,
  };
  const { lines, failure } = await ask('matmul.mjs', job, SECONDS.matmul);
  const problems = lines.flatMap(({ dtype, error }) =>
    error === undefined ? [] : [{ what: `MatMul, ${dtype}`, error, isExpected: false }],
  );
  if (failure !== undefined) problems.push({ what: 'MatMul', error: failure, isExpected: false });
  const peak = lines.filter(({ flopsPerSecond }) => flopsPerSecond > 0);
  return { problems, peak: Object.fromEntries(peak.map((line) => [line.dtype, line.flopsPerSecond])) };
}

async function flopsOf(models) {
  const flops = {};
  for (const model of Object.keys(MODELS)) {
    const file = join(models, model, 'flops.json');
    if (existsSync(file)) flops[model] = JSON.parse(await readFile(file, 'utf8')).flopsPerRow;
  }
  return flops;
}

async function command() {
  const { values } = parseArgs({
    options: {
      library: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rehearse: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'gpu-bench' },
    },
  });
  const { out, ...rest } = values;
  const given = { ...rest, out: resolve(out), kit: await findKit(values.library), log: console.error };
  const { summary, failures } = await bench(given);
  console.log(summary);
  if (existsSync(join(given.out, 'bench.html'))) console.log(`\n${given.out}: bench.json, bench.html`);
  if (failures > 0) {
    console.error(`${failures} failed`);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await command().catch((error) => {
    const isUsage = String(error.code).startsWith('ERR_PARSE_ARGS');
    console.error(isUsage ? `${error.message}\n\n${USAGE}` : error);
    process.exitCode = isUsage ? 2 : 1;
  });
}

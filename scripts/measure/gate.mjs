// How long a file system call waits while sixteen runs are asked for at once: with the default limit of runs in
// flight, and with none to speak of.
//
//     node scripts/measure/gate.mjs [--milliseconds 50] [--runs 16] [--rounds 5] [--json]
//
// Each limit is measured in rounds of its own, in turn. A round asks for all runs, then for one `fs.stat` after the
// other until the last run has ended, and notes the first, the median and the longest of them.
import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SavedModel, tensorflow } from '../../dist/index.js';
import { addon } from '../../dist/runtime/addon.js';
import { median } from './figures.mjs';

const { values } = parseArgs({
  options: {
    milliseconds: { type: 'string', default: '50' },
    runs: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const RUNS = Number(values.runs);
const FILE = fileURLToPath(import.meta.url);

await tensorflow.open();
const usual = addon().setMaxInFlight(undefined);
const model = await SavedModel.load(new URL('../../test/fixtures/slow/saved_model', import.meta.url));
const size = await calibrated(Number(values.milliseconds));

const rows = [usual, RUNS].map((limit) => ({ limit, rounds: [] }));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const row of rows) {
    addon().setMaxInFlight(row.limit);
    row.rounds.push(await measureRound());
  }
}
await model.close();

const results = rows.map(({ limit, rounds }) => ({
  limit,
  first: median(rounds.map((round) => round.first)),
  middle: median(rounds.map((round) => round.middle)),
  longest: median(rounds.map((round) => round.longest)),
  all: median(rounds.map((round) => round.all)),
}));
const ratio = results[1].first / results[0].first;
if (values.json) {
  console.log(JSON.stringify({ size, run: size.milliseconds, results, ratio }));
} else {
  console.log(
    `${RUNS} runs of ${size.milliseconds.toFixed(0)} ms each, medians of ${values.rounds} rounds, ms`,
  );
  console.log('runs in flight   first fs.stat   median   longest   all runs');
  for (const { limit, first, middle, longest, all } of results) {
    const name = `${limit}${limit === usual ? ' (default)' : ''}`;
    const cells = [
      first.toFixed(2).padStart(15),
      middle.toFixed(2).padStart(9),
      longest.toFixed(1).padStart(10),
    ];
    console.log(`${name.padEnd(14)}${cells.join('')}${all.toFixed(0).padStart(11)}`);
  }
  console.log(`the first fs.stat waits ${ratio.toFixed(0)} times as long without the limit`);
}

/** Products of matrices that take about this long, one run alone. */
async function calibrated(wanted) {
  const n = 256;
  const time = async (k) => {
    const times = [];
    for (let i = 0; i < 5; i++) {
      const started = performance.now();
      await model.run({ n, k });
      times.push(performance.now() - started);
    }
    return median(times);
  };
  await time(20);
  const k = Math.max(1, Math.round((wanted / (await time(100))) * 100));
  return { n, k, milliseconds: await time(k) };
}

async function measureRound() {
  const started = performance.now();
  let running = true;
  const { n, k } = size;
  const runs = Promise.all(Array.from({ length: RUNS }, () => model.run({ n, k }))).then(() => {
    running = false;
    return performance.now() - started;
  });
  const waits = [];
  while (running) {
    const asked = performance.now();
    await stat(FILE);
    waits.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { first: waits[0], middle: median(waits), longest: Math.max(...waits), all: await runs };
}

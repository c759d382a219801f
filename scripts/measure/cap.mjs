// What the cap on runs in flight (`maxRunsInFlight`) costs and saves: runs a second of several models at once, and how long
// files and names wait meanwhile, for several caps and sizes of libuv's pool.
//
//     node scripts/measure/cap.mjs [--caps 1,2,3,4,8] [--pools 4,16] [--seconds 1] [--rounds 5] [--json]
//
// Each pool is a process of its own (libuv reads UV_THREADPOOL_SIZE once), asked in turn; in each the caps take turns. Two
// loads: three small models with 16 callers in all, and ResNet50 with 8. Meanwhile one `fs.stat` after the other, and one
// `dns.lookup('localhost')`. Of the runs the median over rounds and its spread, of the waits the median and the 99th percentile.

import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SavedModel, Tensor, tensorflow } from '../../dist/index.js';
import { addon } from '../../dist/runtime/addon.js';
import { median, quantile } from './figures.mjs';

const { values } = parseArgs({
  options: {
    caps: { type: 'string', default: '1,2,3,4,8' },
    pools: { type: 'string', default: '4,16' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
});
const FILE = fileURLToPath(import.meta.url);
const MILLISECONDS = Number(values.seconds) * 1000;
const CACHE = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const RESNET = join(CACHE, 'tf-session', 'models', 'resnet50', 'saved_model');

await (values.child ? serve() : measure());

async function measure() {
  const caps = values.caps.split(',').map(Number);
  const pools = values.pools.split(',').map((size) => ({ size, ask: child(size) }));
  const rows = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { size, ask } of pools) {
      for (const cap of caps) {
        for (const result of await ask({ cap })) {
          const isRow = (row) => row.pool === size && row.cap === cap && row.load === result.load;
          let row = rows.find(isRow);
          if (row === undefined) {
            row = { pool: size, cap, load: result.load, results: [] };
            rows.push(row);
          }
          row.results.push(result);
        }
      }
    }
  }
  for (const { ask } of pools) ask(undefined);
  const table = rows.map(({ results, ...row }) => {
    const of = (key) => results.map((result) => result[key]);
    return {
      ...row,
      perSecond: median(of('perSecond')),
      spread: [Math.min(...of('perSecond')), Math.max(...of('perSecond'))],
      files: median(of('files')),
      filesP99: median(of('filesP99')),
      names: median(of('names')),
      namesP99: median(of('namesP99')),
    };
  });
  if (values.json) return console.log(JSON.stringify(table));
  console.log(
    'load      pool  cap   runs/s (least to most)        fs.stat ms (99 %)    dns.lookup ms (99 %)',
  );
  table.sort((a, b) => a.load.localeCompare(b.load) || a.pool - b.pool || a.cap - b.cap);
  for (const row of table) {
    const runs = `${row.perSecond.toFixed(1)} (${row.spread.map((value) => value.toFixed(1)).join(' to ')})`;
    const waits = ['files', 'names'].map((key) => `${row[key].toFixed(2)} (${row[`${key}P99`].toFixed(1)})`);
    console.log(
      `${row.load.padEnd(10)}${row.pool.padStart(4)}${String(row.cap).padStart(5)}   ${runs.padEnd(30)}${waits[0].padEnd(21)}${waits[1]}`,
    );
  }
}

/** A process with a pool of this size; it answers what it is asked, and ends when it is asked nothing. */
function child(size) {
  const process_ = spawn(process.execPath, [FILE, '--child', '--seconds', values.seconds], {
    env: { ...process.env, UV_THREADPOOL_SIZE: size, TF_CPP_MIN_LOG_LEVEL: '2' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  return async (question) => {
    if (question === undefined) return process_.stdin.end();
    process_.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('The child has ended.');
    return JSON.parse(value);
  };
}

async function serve() {
  await tensorflow.open();
  const load = (name) => SavedModel.load(new URL(`../../test/fixtures/${name}/saved_model`, import.meta.url));
  const small = await Promise.all(['tf2-functions', 'keras-nested', 'counter'].map(load));
  const inputs = [{ x: Tensor.from(new Float32Array(8), [1, 8]) }, undefined, { by: 1 }];
  inputs[1] = Object.fromEntries(
    Object.entries(small[1].signatures.serving_default.inputs).map(([name, { shape }]) => {
      const own = shape.map((size) => Math.max(1, size));
      return [name, Tensor.from(new Float32Array(own.reduce((all, size) => all * size, 1)), own)];
    }),
  );
  const loads = { small: { callers: 16, run: (i) => small[i % 3].run(inputs[i % 3]) } };
  if (existsSync(RESNET)) {
    const model = await SavedModel.load(RESNET, { freeze: true });
    const [name] = Object.keys(model.signatures.serving_default.inputs);
    const image = Tensor.from(new Float32Array(224 * 224 * 3), [1, 224, 224, 3]);
    loads.ResNet50 = { callers: 8, run: () => model.run({ [name]: image }) };
  } else {
    console.error('Without ResNet50: node scripts/models/resnet50.mjs makes it.');
  }
  for (const { callers, run } of Object.values(loads)) {
    for (let i = 0; i < callers; i++) await run(i);
  }
  for await (const line of createInterface({ input: process.stdin })) {
    addon().setMaxInFlight(JSON.parse(line).cap);
    const results = [];
    for (const [name, each] of Object.entries(loads)) results.push({ load: name, ...(await under(each)) });
    console.log(JSON.stringify(results));
  }
}

async function under({ callers, run }) {
  const end = performance.now() + MILLISECONDS;
  const started = performance.now();
  let runs = 0;
  const working = Array.from({ length: callers }, async (_, i) => {
    while (performance.now() < end) {
      await run(i);
      runs++;
    }
  });
  const waiting = async (ask) => {
    const waits = [];
    while (performance.now() < end) {
      const asked = performance.now();
      await ask();
      waits.push(performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return waits;
  };
  const [files, names] = await Promise.all([
    waiting(() => stat(FILE)),
    waiting(() => lookup('localhost')),
    ...working,
  ]);
  const perSecond = (runs / (performance.now() - started)) * 1000;
  return {
    perSecond,
    files: median(files),
    filesP99: quantile(files, 0.99),
    names: median(names),
    namesP99: quantile(names, 0.99),
  };
}

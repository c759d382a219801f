// Whether memory stays level: over many runs with large inputs and outputs, over strings, over loads and closes.
//
//     node --expose-gc scripts/measure/memory.mjs [--runs 10000] [--strings 2000] [--loads 200] [--json]
//
// Resident memory is sampled at equal distances. The level after the first tenth is compared with the level at the
// end; the line through all samples after that tenth (least squares) says what a further tenth would cost. Ends with
// status 1 where the growth exceeds 5 % or 20 MB, or where a native object is left over.
import { parseArgs } from 'node:util';
import { SavedModel, Tensor } from '../../dist/index.js';
import { addon } from '../../dist/runtime/addon.js';
import { median, resident, slope } from './figures.mjs';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    strings: { type: 'string', default: '2000' },
    loads: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
if (globalThis.gc === undefined) {
  console.error('Start it with: node --expose-gc scripts/measure/memory.mjs');
  process.exit(2);
}
const SAMPLES = 100;
const MOST_SHARE = 0.05;
const MOST_MEGABYTES = 20;
const MEGABYTE = 2 ** 20;
const load = (name, options) =>
  SavedModel.load(new URL(`../../test/fixtures/${name}/saved_model`, import.meta.url), options);

const results = [
  await runsOfNumbers(),
  await runsOfStrings(),
  await loadsAndCloses(),
  await placedLoadsAndCloses(),
];
const left = await leftOver();
const level = results.every((result) => result.level);
const nothingLeft = Object.values(left).every((count) => count === 0);

if (values.json) console.log(JSON.stringify({ results, left, within: level && nothingLeft }));
else print();
process.exitCode = level && nothingLeft ? 0 : 1;

/** 1 MB in and out: fresh memory, the input's own memory under another shape, and memory that is lent. */
async function runsOfNumbers() {
  const model = await load('copies');
  const elements = MEGABYTE / 4;
  const input = Tensor.from(new Float32Array(elements).fill(1), [elements / 4, 4]);
  const lent = Tensor.allocate('float32', [elements / 4, 4]);
  const variants = [
    ['plus_one', () => input],
    ['identity', () => input],
    ['reshape', () => input],
    ['plus_one', () => lent],
    ['identity', () => lent],
    ['plus_one', () => Tensor.allocate('float32', [elements / 4, 4])],
  ];
  const result = await sampled('runs with 1 MB in and out', Number(values.runs), async (i) => {
    const [signature, x] = variants[i % variants.length];
    const { y } = await model.run({ x: x() }, { signature });
    if (y.data.length !== elements) throw new Error(`${signature} gave ${y.data.length} elements`);
  });
  await model.close();
  return result;
}

/** 1,000 strings of 1 KB: TensorFlow keeps such strings in memory of their own. */
async function runsOfStrings() {
  const model = await load('strings');
  const text = Array.from({ length: 1024 }, (_, i) => `${i} `.padEnd(1024, 'abcdefgh'));
  const result = await sampled('runs with 1 MB of strings in and out', Number(values.strings), async (i) => {
    const signature = i % 2 === 0 ? 'upper' : 'same';
    const outputs = await model.run({ text: Tensor.from(text) }, { signature });
    if (outputs.text.data[7].length !== 1024) throw new Error(`${signature} gave other strings`);
  });
  await model.close();
  return result;
}

function loadsAndCloses() {
  return sampled('loads and closes', Number(values.loads), async () => {
    const model = await load('tf2-functions');
    await model.run({ x: Tensor.from(new Float32Array(8), [1, 8]) });
    await model.close();
  });
}

/** The same with rules, a second session for a device, and a report. */
function placedLoadsAndCloses() {
  return sampled('placed loads, reports and closes', Number(values.loads), async () => {
    const model = await load('tf2-functions', {
      config: { deviceCount: { CPU: 2 } },
      placement: [{ type: 'MatMul', device: '/CPU:1' }],
    });
    const x = Tensor.from(new Float32Array(8), [1, 8]);
    await model.explain({ x });
    await model.run({ x }, { device: '/CPU:1' });
    await model.close();
  });
}

async function sampled(name, count, work) {
  const every = Math.max(1, Math.floor(count / SAMPLES));
  const samples = [];
  const started = performance.now();
  for (let i = 1; i <= count; i++) {
    await work(i);
    if (i % every === 0) samples.push({ x: i, y: resident() });
  }
  const milliseconds = (performance.now() - started) / count;
  const tenth = count / 10;
  const after = samples.filter(({ x }) => x > tenth);
  const levelOf = (some) => median(some.map(({ y }) => y));
  const first = levelOf(after.slice(0, Math.ceil(after.length / 10)));
  const last = levelOf(after.slice(-Math.ceil(after.length / 10)));
  const growth = last - first;
  return {
    name,
    count,
    milliseconds,
    first,
    last,
    highest: Math.max(...samples.map(({ y }) => y)),
    perTenth: slope(after) * tenth,
    level: growth <= MOST_MEGABYTES && growth <= first * MOST_SHARE,
  };
}

async function leftOver() {
  for (let i = 0; i < 10; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return addon().counts();
}

function print() {
  for (const { name, count, milliseconds, first, last, highest, perTenth, level: is } of results) {
    console.log(
      `${count} ${name}: ${first.toFixed(1)} MB after a tenth, ${last.toFixed(1)} MB at the end, highest ` +
        `${highest.toFixed(1)} MB, ${perTenth.toFixed(2)} MB per ${count / 10}, ${milliseconds.toFixed(2)} ms each: ` +
        `${is ? 'level' : 'GROWS'}`,
    );
  }
  console.log(`native objects left: ${JSON.stringify(left)}`);
}

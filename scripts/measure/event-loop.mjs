// How long the event loop stands still while models of ResNet50's size are loaded, run and closed.
//
//     node scripts/measure/event-loop.mjs [FOLDER] [--rounds 5] [--runs 40] [--limit 10] [--freeze] [--json]
//
// FOLDER holds a SavedModel with one image input (default: ResNet50, made where it is not in the cache). Each round
// loads it, keeps four runs in flight until `--runs` have ended, and closes it, while a timer of 1 ms notes by how
// much it came too late. Ends with status 1 where the median of the rounds' longest delays reaches `--limit` ms.
// The first round is one of them: nothing is warmed up. A second process, which does nothing but the same timer,
// tells what the machine itself adds: where it is as late, no thread got a core. What this library has to answer for
// is the work of the main thread, which Linux counts.
import { fork } from 'node:child_process';
import { openSync, readSync } from 'node:fs';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SavedModel, Tensor, tensorflow } from '../../dist/index.js';
import { median } from './figures.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '40' },
    limit: { type: 'string', default: '10' },
    freeze: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const IN_FLIGHT = 4;
const SPACE = 32;
const ZERO = 48;
const neighbour = fork(fileURLToPath(new URL('idle-neighbour.mjs', import.meta.url)));
const folder = positionals[0] ?? (await defaultModel());

const clock = threadClock();
/** What the program was doing, for the delays below. */
let phase = 'start';
const collections = [];
const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
observer.observe({ entryTypes: ['gc'] });

const rounds = [];
for (let round = 0; round < Number(values.rounds); round++) rounds.push(await measureRound());
observer.disconnect();
neighbour.disconnect();

const worst = median(rounds.map((round) => round.longest.delay));
const limit = Number(values.limit);
const within = worst < limit;
if (values.json) {
  console.log(JSON.stringify({ tensorflow: tensorflow.version, rounds, median: worst, limit, within }));
} else {
  rounds.forEach((round, i) => {
    const phases = Object.entries(round.phases).map(([name, delay]) => `${name} ${delay.toFixed(1)}`);
    const { delay, phase: where, busy, queued, collection } = round.longest;
    console.log(
      `round ${i + 1}: longest delay ${delay.toFixed(1)} ms, in ${where} (working ${busy.toFixed(1)}, waiting for a ` +
        `core ${queued.toFixed(1)}, collecting garbage ${collection.toFixed(1)}); by phase: ${phases.join(', ')}; ` +
        `most work at a stretch ${round.work.busy.toFixed(1)}, in ${round.work.phase}; ` +
        `a run took ${round.run.toFixed(1)} (median); longest in an idle process beside it: ${round.beside.toFixed(1)}`,
    );
  });
  console.log(`median ${worst.toFixed(1)} ms, limit ${limit} ms: ${within ? 'within' : 'NOT within'}`);
}
process.exitCode = within ? 0 : 1;

async function measureRound() {
  const longest = {};
  let work = { phase: 'load', busy: 0 };
  await neighbourDelay();
  let due = performance.now() + 1;
  let [busyBefore, queuedBefore] = clock();
  const timer = setInterval(() => {
    const delay = performance.now() - due;
    const [busy, queued] = clock();
    // The longest of each phase only: a list of all would make the garbage that this is to measure.
    if (delay > (longest[phase]?.delay ?? 0)) {
      longest[phase] = { phase, delay, at: due, busy: busy - busyBefore, queued: queued - queuedBefore };
    }
    if (busy - busyBefore > work.busy && phase !== 'preparing') work = { phase, busy: busy - busyBefore };
    [busyBefore, queuedBefore] = [busy, queued];
    due = performance.now() + 1;
  }, 1);
  phase = 'load';
  const model = await SavedModel.load(folder, { freeze: values.freeze });
  // Making the image is this script's work, not the library's: between two ticks of its own.
  await pause();
  phase = 'preparing';
  const inputs = imageFor(model);
  await pause();
  phase = 'runs';
  const times = await runAll(model, inputs);
  phase = 'close';
  await model.close();
  phase = 'after';
  await new Promise((resolve) => setTimeout(resolve, 20));
  clearInterval(timer);
  const beside = await neighbourDelay();
  delete longest.preparing;
  const entries = Object.values(longest);
  const phases = Object.fromEntries(entries.map(({ phase: name, delay }) => [name, delay]));
  const worst = entries.reduce((a, b) => (b.delay > a.delay ? b : a));
  return { longest: { ...worst, collection: collectionIn(worst) }, phases, work, run: median(times), beside };
}

/** Reads what the main thread has worked, and has waited for a core, in ms; Linux alone tells. Leaves no garbage. */
function threadClock() {
  const text = Buffer.alloc(128);
  let file;
  try {
    file = openSync(`/proc/self/task/${process.pid}/schedstat`);
  } catch {
    return () => [Number.NaN, Number.NaN];
  }
  return () => {
    const length = readSync(file, text, 0, text.length, 0);
    const numbers = [0, 0];
    let which = 0;
    for (let i = 0; i < length && which < 2; i++) {
      if (text[i] === SPACE) which++;
      else numbers[which] = numbers[which] * 10 + (text[i] - ZERO);
    }
    return [numbers[0] / 1e6, numbers[1] / 1e6];
  };
}

/** The longest delay that the idle process has seen since it was last asked. */
function neighbourDelay() {
  return new Promise((resolve) => {
    neighbour.once('message', resolve);
    neighbour.send('longest');
  });
}

/** Milliseconds of garbage collection within a delay. */
function collectionIn({ at, delay }) {
  return collections
    .filter(({ startTime, duration }) => startTime < at + delay && startTime + duration > at)
    .reduce((sum, { duration }) => sum + duration, 0);
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

function imageFor(model) {
  const [signature] = Object.values(model.signatures);
  const [[name, info]] = Object.entries(signature.inputs);
  const shape = info.shape.map((size) => (size === -1 ? 1 : size));
  const size = shape.reduce((a, b) => a * b, 1);
  return { [name]: Tensor.from(new Float32Array(size).fill(0.5), shape) };
}

/** The time of each run, with others in flight beside it. */
async function runAll(model, inputs) {
  const times = [];
  let left = Number(values.runs);
  const lane = async () => {
    while (left-- > 0) {
      const started = performance.now();
      await model.run(inputs);
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return times;
}

async function defaultModel() {
  const { resnet50 } = await import('../models/resnet50.mjs');
  return resnet50();
}

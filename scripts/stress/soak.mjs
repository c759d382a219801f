// Everything at once, for a long time: callers of many models mixed, with time limits, aborts, refusals, memory that is lent, models
// that are closed and loaded again, worker threads that end in the midst.
//
//     node --expose-gc scripts/stress/soak.mjs [--minutes 5] [--callers 64] [--seed 1] [--json]
//
// Each request carries values of its own and is checked: ends with status 1 where one is lost (never settles), gets a wrong answer or
// one twice, rejects with what it should not; where something native is left over; or where resident memory grows by more than 1 MB
// with 10,000 runs. Restless segments, in which models are loaded and worker threads come and go, and calm ones take turns, so that
// growth by runs is told from that by loads. Linux (/proc).
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { TensorFlowError, tensorflow } from '../../dist/index.js';
import { addon } from '../../dist/runtime/addon.js';
import { makeRandom, many, nameOf, sleep } from './common.mjs';
import { makeKinds, makeOwn } from './soak/models.mjs';
import { Watch } from './soak/watch.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    callers: { type: 'string', default: '64' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const MOST_MEGABYTES = 1;
const SEGMENTS = 10;
/** A request that takes longer is lost. */
const LOST_MS = 60_000;

const random = makeRandom(Number(values.seed));
const faults = new Map();
const fault = (what) => faults.set(what, (faults.get(what) ?? 0) + 1);
process.on('warning', ({ code, message }) => {
  if (code !== 'TF_SESSION_REPLICAS') fault(`warning: ${message}`);
});
process.on('unhandledRejection', (reason) => fault(`unhandled: ${nameOf(reason)}`));

await tensorflow.open();
const { kinds, slots } = await makeKinds();
const lottery = Object.keys(kinds).flatMap((name) => many(kinds[name].weight, () => name));
const watch = new Watch(makeRandom(2));
const ends = Object.fromEntries(Object.keys(kinds).map((name) => [name, {}]));
/** Requests under way, and since when. */
const pending = new Map();
let requests = 0;
let settled = 0;
let reloads = 0;
let threads = 0;
let isOver = false;
let isCalm = false;

const milliseconds = Number(values.minutes) * 60_000;
watch.begin(isCalm);
const callers = many(Number(values.callers), call);
const restless = [...slots.map(renewing), threading(), threading()];
for (let segment = 0; segment < SEGMENTS; segment++) {
  isCalm = segment % 2 === 1;
  if (segment > 0) watch.begin(isCalm);
  const end = performance.now() + milliseconds / SEGMENTS;
  // What a restless segment has begun ends, and what it freed is given back, before a calm one is measured.
  const settling = performance.now() + milliseconds / SEGMENTS / 5;
  while (performance.now() < end) {
    await sleep(Math.min(500, milliseconds / SEGMENTS / 20));
    if (performance.now() > settling) watch.sample(settled);
    for (const [id, { name, since }] of pending) {
      if (performance.now() - since < LOST_MS) continue;
      fault(`${name}: lost`);
      pending.delete(id);
    }
  }
  watch.end();
  if (!values.json) printSegment(segment, watch.segments.at(-1));
}
isOver = true;
await Promise.race([Promise.all([...callers, ...restless]), sleep(LOST_MS)]);
for (const { name } of pending.values()) fault(`${name}: lost`);
await Promise.all(slots.map((slot) => slot.end()));
const left = await leftOver();
if (Object.values(left).some((count) => count > 0)) fault(`left: ${JSON.stringify(left)}`);

const perTenThousand = watch.perTenThousandRuns;
const report = {
  requests,
  settled,
  reloads,
  threads,
  ends,
  faults: Object.fromEntries(faults),
  megabytesPerTenThousandRuns: perTenThousand,
  kilobytesPerLoad: watch.kilobytesPerLoad,
  isLevel: perTenThousand < MOST_MEGABYTES,
};
if (values.json) {
  console.log(JSON.stringify({ ...report, segments: watch.segments.map(({ samples, ...rest }) => rest) }));
} else {
  print();
}
process.exit(faults.size > 0 || !report.isLevel ? 1 : 0);

/** Asks for one thing after the other. */
async function call() {
  const own = makeOwn();
  while (!isOver) {
    const name = lottery[random(lottery.length)];
    const { slot, ask } = kinds[name];
    const options = {};
    const chance = random(20);
    if (chance === 0) options.timeout = 1 + random(20);
    let timer;
    if (chance === 1) {
      const abort = new AbortController();
      options.signal = abort.signal;
      timer = setTimeout(() => abort.abort(new Error('aborted')), random(10));
    }
    const n = requests++;
    const { life } = slot;
    const since = performance.now();
    pending.set(n, { name, since });
    let end;
    try {
      end = (await ask(n, options, own)) ? 'right' : 'wrong';
      watch.took(performance.now() - since);
    } catch (error) {
      end = nameOf(error);
      if (!(error instanceof TensorFlowError) && end !== 'aborted')
        fault(`${name}: ${error?.stack ?? error}`);
      // Who is refused at once would ask again at once.
      await sleep(1);
    }
    clearTimeout(timer);
    settled++;
    if (!pending.delete(n)) fault(`${name}: settled although lost`);
    ends[name][end] = (ends[name][end] ?? 0) + 1;
    if (!mayEnd(end, name, options, slot, life)) fault(`${name}: ${end}`);
  }
}

function mayEnd(end, name, options, slot, life) {
  if (end === 'right') return true;
  if (end === 'DEADLINE_EXCEEDED') return options.timeout !== undefined;
  if (end === 'aborted') return options.signal !== undefined;
  if (end === 'RESOURCE_EXHAUSTED') return slot.options.maxPending !== undefined;
  if (end === 'UNAVAILABLE') return name === 'batcher';
  return (end === 'CANCELLED' || end === 'FAILED_PRECONDITION') && (slot.life !== life || life % 2 === 1);
}

/** Closes a model and loads it again, now and then. */
async function renewing(slot) {
  while (!isOver) {
    await sleep(200 + random(800));
    if (isCalm || isOver) continue;
    await slot.renew(random(2) === 0, random(2) === 0).catch((error) => fault(`load: ${error.stack}`));
    reloads++;
    watch.loaded();
  }
}

/** Worker threads, which end by themselves or are terminated. */
async function threading() {
  while (!isOver) {
    await sleep(100);
    if (isCalm || isOver) continue;
    threads++;
    const worker = new Worker(new URL('soak/worker.mjs', import.meta.url), {
      workerData: { runs: 1 + random(100) },
    });
    worker.on('message', (isRight) => isRight || fault('worker: wrong'));
    worker.on('error', (error) => fault(`worker: ${error.stack}`));
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    if (random(2) === 0) setTimeout(() => worker.terminate(), random(1000));
    if ((await Promise.race([ended, sleep(LOST_MS).then(() => 'stuck')])) === 'stuck') fault('worker: stuck');
  }
}

async function leftOver() {
  let counts = addon().counts();
  // What was in flight at a time limit or abort may go on behind it.
  for (let i = 0; i < 100 && Object.values(counts).some((count) => count > 0); i++) {
    globalThis.gc?.();
    await sleep(20);
    counts = addon().counts();
  }
  // Without gc() what JavaScript holds tells nothing.
  return globalThis.gc === undefined ? { runs: counts.runs } : counts;
}

function printSegment(number, segment) {
  const { count, loads, p50, p99, lagP99, lagMost, megabytes, descriptors, handles } = segment;
  console.log(
    `${String(number).padStart(2)} ${segment.isCalm ? 'calm    ' : 'restless'} ${String(count).padStart(8)} answers, ${String(loads).padStart(4)} loads, ` +
      `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(1)} ms, loop p99 ${lagP99.toFixed(1)} ms, most ${lagMost.toFixed(0)} ms, ` +
      `${megabytes.toFixed(0)} MB, ${descriptors} descriptors, ${segment.threads} threads, ${handles} handles`,
  );
}

function print() {
  for (const [name, counts] of Object.entries(ends)) console.log(`${name}: ${JSON.stringify(counts)}`);
  console.log(
    `${requests} requests, ${settled} settled, ${reloads} models closed and loaded again, ${threads} worker threads`,
  );
  console.log(
    `memory: ${perTenThousand.toFixed(4)} MB per 10,000 runs, ${report.kilobytesPerLoad.toFixed(0)} kB per load`,
  );
  for (const [what, count] of faults) console.log(`FAULT ${count} x ${what}`);
  console.log(faults.size === 0 && report.isLevel ? 'held' : 'NOT HELD');
}

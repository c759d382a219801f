// This library and the bare addon in one process, in slices that take turns: what differs between two processes (where the
// system puts their threads, what else the machine does meanwhile) is the same for both, so that a difference of a few
// hundredths can be told. Both sessions share TensorFlow's threads.
// Argument: JSON of { addon, hopFirst, folder, options, warmUp, feed, fetch, shape, mode, beside, seconds }.
import { createRequire } from 'node:module';
import { median } from '../../measure/figures.mjs';
import { values } from './timing.mjs';

const { addon, hopFirst, folder, options, warmUp, feed, fetch, shape, mode, beside, seconds } = JSON.parse(
  process.argv[2],
);
const SLICE_MS = 100;
/** Not counted at the begin of a slice: the caches are full of the other's. */
const UNCOUNTED = 3;

const { SavedModel, Tensor, tensorflow } = await import('../../../dist/index.js');
await tensorflow.open();

/** V8 compiles what runs often: a large model would be over before its few runs came to that. */
async function warm() {
  const model = await SavedModel.load(warmUp);
  const call = model.prepare();
  const inputs = { x: Tensor.from(values([1, 8]), [1, 8]) };
  for (let i = 0; i < 20_000; i++) {
    await call.run(inputs);
    call.runSync(inputs);
  }
  await model.close();
}
await warm();

const hop = createRequire(import.meta.url)(addon);
if (hopFirst) hop.load(folder, feed, fetch, shape, true);
const model = await SavedModel.load(folder, options);
if (!hopFirst) hop.load(folder, feed, fetch, shape, true);
const call = model.prepare();
const [input] = Object.keys(model.signatures.serving_default.inputs);
const data = values(shape);
const inputs = { [input]: Tensor.from(data, shape) };

/** Runs for a slice; the time of each run in microseconds. */
const timed = (once, isSync) => async () => {
  const times = [];
  const end = performance.now() + SLICE_MS;
  while (times.length < 5 + UNCOUNTED || performance.now() < end) {
    const start = performance.now();
    if (isSync) once();
    else await once();
    times.push((performance.now() - start) * 1000);
  }
  return times;
};
const WAYS = {
  await: timed(() => call.run(inputs), false),
  sync: timed(() => call.runSync(inputs), true),
  empty: timed(() => hop.run(), false),
  'hop await': timed(() => hop.run(data), false),
  'hop sync': timed(() => hop.runSync(data), true),
  raw: () => hop.raw(data, SLICE_MS, false),
  'raw, caller': () => hop.raw(data, SLICE_MS, true),
};

const times = new Map([mode, ...beside].map((name) => [name, []]));
// Long enough for the choice of an executor, too.
for (const name of times.keys()) for (let i = 0; i < 3; i++) await WAYS[name]();
const end = performance.now() + seconds * 1000 * times.size;
for (let turn = 0; turn < 4 || performance.now() < end; turn++) {
  const names = [...times.keys()];
  for (const name of turn % 2 === 0 ? names : names.reverse()) {
    for (const time of (await WAYS[name]()).slice(UNCOUNTED)) times.get(name).push(time);
  }
}
const medianUs = median(times.get(mode));
const besideUs = beside.reduce((sum, name) => sum + median(times.get(name)), 0);
console.log(JSON.stringify({ medianUs, besideUs, ratio: medianUs / besideUs }));
process.exit();

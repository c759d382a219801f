// This library: one model, its batches one after the other. Argument: JSON of { library, folder, config, freeze, device,
// batches, seconds, limitMs, inFlight, look }. Prints a line of JSON for what is loaded, for each batch, for so many runs in flight at
// the largest one, and for where its ops ran.
import { SavedModel, Tensor, tensorflow } from 'tf-session';
import { measure, values } from '../../../bench/programs/timing.mjs';

const { library, folder, config, freeze, device, batches, seconds, limitMs, inFlight, look } = JSON.parse(
  process.argv[2],
);
/** A run above this is measured a few times only, and above the other not several at a time: that would take minutes. */
const SLOW_MS = 250;
const VERY_SLOW_MS = 1000;
const LEAST_SLOW = 3;
/** The graph is prepared in the first of them; XLA compiles for another batch in the second. */
const UNCOUNTED = 3;

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const timed = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

await tensorflow.open({ library, ...(inFlight && { maxRunsInFlight: inFlight }) });
const options = { config: Buffer.from(config, 'base64'), freeze, ...(device && { devices: [device] }) };
let model;
const loadMs = await timed(async () => {
  model = await SavedModel.load(folder, options);
});
const { serving_default: signature } = model.signatures;
const [[input, { name: feed, shape }]] = Object.entries(signature.inputs);
const [{ name: fetch }] = Object.values(signature.outputs);
say({ loadMs, feed, fetch, shape });

function inputsOf(batch) {
  const dims = [batch, ...shape.slice(1)];
  return { [input]: Tensor.from(values(dims), dims) };
}

async function measured(batch) {
  const inputs = inputsOf(batch);
  // One of its own for each batch.
  const call = model.prepare({ device });
  const before = [];
  for (let i = 0; i < UNCOUNTED; i++) before.push(await timed(() => call.run(inputs)));
  const isSlow = before.at(-1) > SLOW_MS;
  const beganAt = Date.now();
  const figures = await measure(
    () => call.run(inputs),
    seconds,
    isSlow ? { warmUp: 0, least: LEAST_SLOW } : {},
  );
  return { batch, ...figures, firstUs: Math.max(...before) * 1000, beganAt, endedAt: Date.now() };
}

/** Copies of one run and the work of another go on at the same time; the input lies where TensorFlow reads it. */
async function throughput({ batch, medianUs }) {
  const dims = [batch, ...shape.slice(1)];
  const tensor = Tensor.allocate('float32', dims);
  tensor.data.set(values(dims));
  const call = model.prepare({ device });
  const runs = medianUs / 1000 > SLOW_MS ? 1 : 4;
  const callers = () =>
    Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (let i = 0; i < runs; i++) await call.run({ [input]: tensor });
      }),
    );
  const beganAt = Date.now();
  const counts = inFlight * runs;
  const { medianUs: each } = await measure(callers, seconds, { counts, warmUp: 1, least: LEAST_SLOW });
  return { batch, inFlight, medianUs: each, beganAt, endedAt: Date.now() };
}

/** Kernels by device; how many gave halves, and how many clusters XLA has compiled. */
async function seen(batch) {
  const { events } = await model.trace(inputsOf(batch), { device, traceLevel: 'SOFTWARE_TRACE' });
  const kernels = events.filter(({ stream }) => stream === '');
  const byDevice = {};
  for (const { device: full } of kernels) {
    const name = full.split('/device:').at(-1);
    byDevice[name] = (byDevice[name] ?? 0) + 1;
  }
  const gives = (dtype) => kernels.filter(({ outputs }) => outputs.some((each) => each.dtype === dtype));
  return {
    kernels: byDevice,
    halves: gives('float16').length + gives('bfloat16').length,
    clusters: new Set(
      kernels.filter(({ kernel }) => /xla_?(run|launch)/i.test(kernel.type)).map(({ name }) => name),
    ).size,
  };
}

const fails = (batch, error) => say({ batch, error: `${error.code ?? error.name}: ${error.message}` });
let last;
for (const batch of batches) {
  const expectedMs = last === undefined ? 0 : (last.medianUs / 1000) * (batch / last.batch);
  if (expectedMs > limitMs) {
    say({ batch, skipped: `a run would take about ${(expectedMs / 1000).toFixed(0)} s` });
    continue;
  }
  try {
    last = await measured(batch);
    say(last);
  } catch (error) {
    fails(batch, error);
    break;
  }
}
if (inFlight && last?.batch === batches.at(-1) && last.medianUs / 1000 < VERY_SLOW_MS) {
  await throughput(last).then(say, (error) => fails(last.batch, error));
}
if (look && last !== undefined) {
  say({ seen: await seen(batches[0]).catch((error) => ({ error: error.message })) });
}
process.exit();

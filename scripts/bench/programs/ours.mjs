// This library. Argument: JSON of { folder, mode, shape, dtype, options, seconds }. Prints one line of JSON.
import { readFileSync } from 'node:fs';
import { measure, peakKb, values } from './timing.mjs';

const { folder, mode, shape, dtype, options, seconds } = JSON.parse(process.argv[2]);

const importStart = performance.now();
const { SavedModel, Tensor, tensorflow } = await import('../../../dist/index.js');
const importMs = performance.now() - importStart;
if (mode === 'import') {
  if (/libtensorflow/.test(readFileSync('/proc/self/maps', 'utf8')))
    throw new Error('import opened libtensorflow');
  console.log(JSON.stringify({ loadMs: importMs, medianUs: importMs * 1000 }));
  process.exit();
}

await tensorflow.open();
const loadStart = performance.now();
const model = await SavedModel.load(folder, options);
const loadMs = performance.now() - loadStart;
const call = model.prepare();
const [input] = Object.keys(model.signatures.serving_default.inputs);
const data = values(shape, dtype);
let tensor = Tensor.from(data, shape);
if (mode === 'allocate') {
  tensor = Tensor.allocate('float32', shape);
  tensor.data.set(data);
}
const inputs = { [input]: tensor };
const firstStart = performance.now();
await call.run(inputs);
const firstUs = (performance.now() - firstStart) * 1000;

const CALLERS = 64;
const ROUNDS = 16;
/** So many callers, each so many runs one after the other. */
const callers = (count, run) => () =>
  Promise.all(
    Array.from({ length: count }, async () => {
      for (let i = 0; i < ROUNDS; i++) await run();
    }),
  );
const modes = {
  await: () => measure(() => call.run(inputs), seconds),
  allocate: () => measure(() => call.run(inputs), seconds),
  sync: () => measure(() => call.runSync(inputs), seconds, { isSync: true }),
  flight: () =>
    measure(
      callers(16, () => call.run(inputs)),
      seconds,
      { counts: 16 * ROUNDS },
    ),
  callers: () =>
    measure(
      callers(CALLERS, () => call.run(inputs)),
      seconds,
      { counts: CALLERS * ROUNDS },
    ),
  batcher: () => {
    const batcher = model.batcher({ maxBatchSize: CALLERS });
    return measure(
      callers(CALLERS, () => batcher.run(inputs)),
      seconds,
      { counts: CALLERS * ROUNDS },
    );
  },
};
const figures = await modes[mode]();
console.log(JSON.stringify({ ...figures, loadMs, firstUs, peakKb: peakKb() }));
process.exit();

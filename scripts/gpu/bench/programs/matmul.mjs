// What a device can do at most, in the same library: products of large matrices. Argument: JSON of { library, folder, config,
// device, size, seconds }. Prints a line of JSON for each data type. A chain of matrices less a shorter one: what both do
// besides, the call and the making of the matrices, is in neither.
import { SavedModel, tensorflow } from 'tf-session';
import { measure } from '../../../bench/programs/timing.mjs';

const { library, folder, config, device, size, seconds } = JSON.parse(process.argv[2]);
const LENGTHS = [2, 10];
/** A chain that takes as long as this is run a few times only. */
const SLOW_MS = 250;

await tensorflow.open({ library });
const model = await SavedModel.load(folder, {
  config: Buffer.from(config, 'base64'),
  ...(device && { devices: [device] }),
});
for (const dtype of ['float32', 'float16']) {
  try {
    const [short, long] = await chains(dtype);
    const flops = 2 * size ** 3 * (LENGTHS[1] - LENGTHS[0]);
    say({ dtype, size, flopsPerSecond: (flops * 1e6) / (long.medianUs - short.medianUs) });
  } catch (error) {
    say({ dtype, error: `${error.code ?? error.name}: ${error.message}` });
  }
}
process.exit();

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function chains(dtype) {
  const figures = [];
  for (const length of LENGTHS) {
    const call = model.prepare({ signature: `${dtype}_${length}`, device });
    await call.run({ size });
    const start = performance.now();
    await call.run({ size });
    const isSlow = performance.now() - start > SLOW_MS;
    figures.push(
      await measure(() => call.run({ size }), seconds, isSlow ? { warmUp: 0, least: 3 } : { warmUp: 3 }),
    );
  }
  return figures;
}

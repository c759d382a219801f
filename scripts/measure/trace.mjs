// How long a timer waits while RunMetadata is decoded: in the JS thread, and in a thread of its own as model.trace does.
//
//   node scripts/measure/trace.mjs [--times 20]    the metadata of so many runs of Basic Pitch, as one
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { basicPitch } from '../models/basic-pitch.mjs';
import { fromDist } from '../tools/dist.mjs';
import { main } from '../tools/failure.mjs';
import { ensureLibrary } from '../tools/library.mjs';

const ROUNDS = 5;

await main(async () => {
  const { values } = parseArgs({ options: { times: { type: 'string', default: '20' } } });
  await ensureLibrary();
  const { SavedModel, Tensor } = await fromDist('index.js');
  const { readRecorded } = await fromDist('trace/recorded.js');
  const { readRecordedAside } = await fromDist('trace/recorded-aside.js');
  const model = await SavedModel.load(await basicPitch(), { config: { deviceCount: { CPU: 4 } } });
  const { metadata } = await model.trace({ input_2: Tensor.from(new Float32Array(43844), [1, 43844, 1]) });
  await model.close();
  // Messages one behind the other are one message with all that is in them.
  const bytes = Buffer.concat(Array.from({ length: Number(values.times) }, () => metadata));
  console.log(
    `${(bytes.length / 1e6).toFixed(1)} MB of RunMetadata, medians of ${ROUNDS} rounds that take turns`,
  );
  const ways = { 'in the JS thread': readRecorded, 'in a thread of its own': readRecordedAside };
  const found = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, read] of Object.entries(ways)) {
      const measured = await timed(() => read(bytes));
      if (round > 0) found[name].push(measured); // the first warms up
    }
  }
  for (const [name, rounds] of Object.entries(found)) {
    const median = (key) => rounds.map((each) => each[key]).sort((a, b) => a - b)[rounds.length >> 1];
    console.log(
      `${name.padEnd(24)} ${median('ms').toFixed(1)} ms, longest delay of a timer ${median('delay').toFixed(1)} ms`,
    );
  }
}, 'node scripts/measure/trace.mjs');

async function timed(work) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  await new Promise((resolve) => setTimeout(resolve, 20));
  delays.disable();
  return { ms, delay: delays.max / 1e6 };
}

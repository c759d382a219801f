// A worker thread of the soak: runs until it is terminated, or `workerData.runs` times; tells each answer, right or wrong.
import { parentPort, workerData } from 'node:worker_threads';
import { load, many } from '../common.mjs';

const model = await load('slow');
for (let i = 0; i < workerData.runs; i++) {
  const sizes = many(4, (k) => 8 + ((i + k) % 32));
  const answers = await Promise.all(sizes.map((n) => model.run({ n, k: 3 })));
  parentPort.postMessage(answers.every(({ mean }, k) => Math.abs(mean.data[0] - 1 / sizes[k]) < 1e-5));
}
// The others end with the model open.
if (workerData.runs % 2 === 0) await model.close();

// Worker threads that are terminated in the midst of things. Prints one word when the main thread can go on.
import { Worker } from 'node:worker_threads';
import { collect, counts, load, ready, sleep } from './common.mjs';

const [, , job, end = 'run', rounds = '1', step = '0'] = process.argv;

async function start() {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: job });
  const message = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, message };
}

async function terminateInRounds() {
  const model = await load('slow');
  for (let round = 0; round < Number(rounds); round++) {
    const { worker } = await start();
    await sleep(round * Number(step));
    await worker.terminate();
    // More than there are slots.
    await Promise.all(Array.from({ length: 6 }, () => model.run({ n: 4, k: 1 })));
  }
  await model.close();
}

const ends = {
  /** Terminates at different moments; all that was the worker's is gone, and its slots are given back. */
  async run() {
    await terminateInRounds();
    await collect();
    const { sessions, calls, runs } = counts();
    console.log('ran', sessions, calls, runs);
  },

  /** What waits must not be run first. */
  async soon() {
    const { worker, message: one } = await start();
    await sleep(10);
    const started = performance.now();
    await worker.terminate();
    const runs = (performance.now() - started) / one;
    console.log(runs < 20 ? 'soon' : `after the time of ${runs} runs`);
  },

  /** A run that never ends holds terminate(), and does not hold the process. */
  async exit() {
    await load('slow');
    const { worker } = await start();
    await sleep(50);
    worker.terminate();
    await sleep(200);
    ready();
    process.exit(5);
  },
};

await ends[end]();

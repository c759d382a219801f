// Worker threads that end by themselves, and a main thread that ends with them.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { load, ready, sleep, tensorflow } from './common.mjs';

/** A worker's message, and how it ended. */
function work(job) {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: job });
  const message = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  message.catch(() => {});
  const failed = new Promise((resolve) => worker.once('error', resolve));
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  return { worker, message, failed, ended };
}

async function mainStillRuns() {
  const model = await load('slow');
  const { mean } = await model.run({ n: 4, k: 1 });
  await model.close();
  return mean.data[0];
}

const cases = {
  async four() {
    const workers = [1, 2, 3, 4].map(() => work('values'));
    const right = await Promise.all(workers.map(({ message }) => message));
    const ends = await Promise.all(workers.map(({ ended }) => ended));
    console.log(...right, ...ends);
  },

  /** The same while the main thread runs as well. */
  async 'four-and-main'() {
    const model = await load('slow');
    const workers = [1, 2, 3, 4].map(() => work('values'));
    let runs = 0;
    let working = true;
    const main = (async () => {
      while (working || runs < 50) {
        await model.run({ n: 16, k: 2 });
        runs++;
      }
    })();
    const right = await Promise.all(workers.map(({ message }) => message));
    working = false;
    await main;
    console.log(...right);
  },

  /** A thread that stands still, with runs of its own waiting, must not hold the others' turns. */
  async 'blocked-main'() {
    await tensorflow.open({ maxRunsInFlight: 1 });
    const model = await load('slow');
    const { worker, message } = work('answer');
    await message;
    const runs = [1, 2, 3].map(() => model.run({ n: 16, k: 2 }));
    const shared = new Int32Array(new SharedArrayBuffer(4));
    worker.postMessage(shared);
    const answer = Atomics.wait(shared, 0, 0, 20_000);
    const ended = await Promise.all(runs);
    console.log(answer, ended.length);
    await worker.terminate();
  },

  /** Ten runs of a worker, one after the other, while a thousand of the main thread wait. */
  async turns() {
    const model = await load('slow');
    const { worker, message } = work('ten');
    await message;
    let ended = 0;
    const runs = Array.from({ length: 1000 }, () => model.run({ n: 128, k: 20 }).then(() => ended++));
    const done = new Promise((resolve) => worker.once('message', resolve));
    worker.postMessage('go');
    await done;
    console.log(ended < 500 ? 'between' : `after ${ended}`);
    const all = Promise.allSettled(runs);
    await model.close({ cancel: true });
    await all;
    await worker.terminate();
  },

  /** The library is opened by a worker that is gone when the main thread comes. */
  async 'worker-first'() {
    const { message, ended } = work('once');
    console.log(await message, await ended, await mainStillRuns());
  },

  async 'worker-open'() {
    const { message, ended } = work('open');
    console.log(await message, await ended, await mainStillRuns());
  },

  /** Threads of TensorFlow call back into the addon whenever they like. */
  async 'worker-unloads'() {
    await work('open').ended;
    const isMapped = /\/tf-session(\.glibc)?\.node\n/.test(readFileSync('/proc/self/maps', 'latin1'));
    console.log(isMapped ? 'stays' : 'is gone');
  },

  async 'worker-exits'() {
    const { ended } = work('endless-exit');
    console.log(await ended, await mainStillRuns());
  },

  async 'worker-throws'() {
    const { failed, ended } = work('endless-throw');
    console.log((await failed).message, await ended, await mainStillRuns());
  },

  /** A worker ends that has nothing in flight: its runs wait for the only place, which is the main thread's. */
  async 'behind-main'() {
    await tensorflow.open({ maxRunsInFlight: 1 });
    const model = await load('slow');
    const worker = work('behind-main');
    await worker.message;
    const long = model.run({ n: 4, k: 1_000_000 });
    const end = process.argv[3];
    worker.worker.postMessage(end);
    if (end === 'terminate') {
      await new Promise((resolve) => worker.worker.once('message', resolve));
      await worker.worker.terminate();
    }
    console.log(await worker.ended);
    await Promise.all([long, model.close({ cancel: true })]).catch(({ code }) => console.log(code));
  },

  async 'main-exits'() {
    await mainStillRuns();
    await Promise.all([1, 2].map(() => work('endless').message));
    await sleep(50);
    ready();
    process.exit(5);
  },

  async 'main-exits-anew'() {
    await mainStillRuns();
    await work('endless-anew').message;
    // Time for the worker to load and start again.
    process.on('exit', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000));
    ready();
    process.exit(5);
  },

  /** The main thread has never used the package. */
  async 'main-unaware-exits'() {
    await work('endless').message;
    await sleep(50);
    ready();
    process.exit(5);
  },

  async 'main-unaware-exits-waiting'() {
    await work('waiting').message;
    ready();
    process.exit(5);
  },
};

await cases[process.argv[2]]();

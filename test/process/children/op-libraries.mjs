// Op libraries that several threads load, in several orders, and threads that end meanwhile: `CASE PATH…`, the first path
// being the WordPiece tokenizer's.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { load, ready, sleep } from './common.mjs';

const [name, ...paths] = isMainThread ? process.argv.slice(2) : workerData;

/** What the tokenizer makes of a text, with these libraries loaded. */
async function tokens(opLibraries) {
  const model = await load('wordpiece', { opLibraries });
  const { tokens } = await model.run({ text: ['unbelievable'] });
  await model.close();
  return tokens.data.join('+');
}

function work() {
  const worker = new Worker(new URL(import.meta.url), { workerData: ['work', ...paths] });
  const message = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  message.catch(() => {});
  return { worker, message, ended: new Promise((resolve) => worker.once('exit', resolve)) };
}

const cases = {
  async work() {
    parentPort.postMessage(await tokens(paths));
  },

  /** In the order in which they are given. */
  async once() {
    console.log(await tokens(paths));
  },

  /** One load each, at the same time. */
  async together() {
    console.log(...(await Promise.all(paths.map(async (path) => tokens([path, paths[0]])))));
  },

  async workers() {
    const all = [1, 2, 3, 4].map(work);
    console.log(await tokens(paths), ...(await Promise.all(all.map(({ message }) => message))));
    console.log(...(await Promise.all(all.map(({ ended }) => ended))));
  },

  /** The thread that loaded it is gone. */
  async 'worker-first'() {
    const { message, ended } = work();
    console.log(await message, await ended, await tokens([]));
  },

  async terminate() {
    for (const after of [0, 40, 60, 80, 120, 200, 400]) {
      const { worker } = work();
      await sleep(after);
      await worker.terminate();
    }
    console.log(await tokens(paths));
  },

  async exit() {
    for (let i = 0; i < 4; i++) void tokens(paths).catch(() => {});
    await sleep(20);
    ready();
    process.exit(5);
  },
};

await cases[name]();

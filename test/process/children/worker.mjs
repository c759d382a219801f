// What the worker threads do; `workers.mjs` and `terminate.mjs` start them.
import { parentPort, workerData } from 'node:worker_threads';
import { firstCase, load, SHORT, Tensor } from './common.mjs';

const tell = (message) => parentPort.postMessage(message);
/** Stays until it is terminated. */
const stay = () => setInterval(() => {}, 1000);

const jobs = {
  async ten() {
    const model = await load('slow');
    parentPort.once('message', async () => {
      for (let i = 0; i < 10; i++) await model.run({ n: 16, k: 2 });
      tell('done');
    });
    tell('ready');
  },

  async values() {
    const { inputs, outputs } = firstCase('tf2-functions');
    const model = await load('tf2-functions');
    const x = Tensor.from(Float32Array.from(inputs.x.data), inputs.x.shape);
    let right = 0;
    for (let i = 0; i < 25; i++) {
      const pair = await Promise.all([model.run({ x }), model.run({ x })]);
      for (const { y } of pair) {
        if (outputs.y.data.every((value, at) => Math.abs(y.data[at] - value) < 1e-5)) right++;
      }
    }
    await model.close();
    tell(right);
  },

  async once() {
    const model = await load('slow');
    await model.run({ n: 4, k: 1 });
    await model.close();
    tell('ran');
  },

  async open() {
    const model = await load('slow');
    await model.run({ n: 4, k: 1 });
    tell('ran');
  },

  /** Runs once for each buffer that it is sent, and says so in there. */
  async answer() {
    const model = await load('slow');
    parentPort.on('message', async (shared) => {
      await model.run({ n: 4, k: 1 });
      Atomics.store(shared, 0, 1);
      Atomics.notify(shared, 0);
    });
    tell('ready');
  },

  async endless() {
    const model = await load('endless');
    model.run({ n: -1 });
    tell('running');
    stay();
  },

  async 'endless-exit'() {
    const model = await load('endless');
    for (let i = 0; i < 20; i++) model.run({ n: -1 });
    setTimeout(() => process.exit(3), 100);
  },

  async 'endless-throw'() {
    const model = await load('endless');
    model.run({ n: -1 });
    setTimeout(() => {
      throw new Error('thrown by the test');
    }, 100);
  },

  /** Ends as it is told while all that it has started waits for the main thread's turn to end. */
  async 'behind-main'() {
    const model = await load('slow');
    parentPort.on('message', (end) => {
      for (let i = 0; i < 3; i++) model.run({ n: 4, k: 1 });
      if (end === 'throw') throw new Error('thrown by the test');
      if (end === 'exit') process.exit(3);
      tell('waiting');
    });
    tell('ready');
  },

  /** Loads and runs what never ends, again and again: a session that is new when the others are ended. */
  async 'endless-anew'() {
    for (let i = 0; ; i++) {
      const model = await load('endless');
      model.run({ n: -1 }).catch(() => {});
      if (i === 0) tell('running');
    }
  },

  async long() {
    const model = await load('slow');
    await model.run({ n: 4, k: 1 });
    model.run({ ...SHORT, k: 5 * SHORT.k });
    tell('running');
    stay();
  },

  async waiting() {
    const model = await load('slow');
    await model.run(SHORT);
    const started = performance.now();
    await model.run(SHORT);
    const one = performance.now() - started;
    for (let i = 0; i < 80; i++) model.run(SHORT);
    tell(one);
    stay();
  },

  async loading() {
    for (;;) {
      const loads = [load('tf2-functions'), load('slow')];
      tell('loading');
      for (const model of await Promise.all(loads)) await model.close();
    }
  },

  /** A close that waits for a run. */
  async closing() {
    const model = await load('slow');
    await model.run({ n: 4, k: 1 });
    model.run({ ...SHORT, k: 5 * SHORT.k });
    model.close();
    tell('running');
    stay();
  },

  /** A close that is at work itself, with nothing or with runs to end. */
  async cancelling() {
    const model = await load('slow');
    await model.run({ n: 4, k: 1 });
    for (let i = 0; i < 5; i++) model.run(SHORT).catch(() => {});
    setTimeout(() => model.close({ cancel: true }), 20);
    tell('running');
    stay();
  },

  /** Outputs of every kind, without pause. */
  async outputs() {
    const model = await load('copies');
    const x = Tensor.from(new Float32Array(65_536));
    const borrowed = Tensor.allocate('float32', [65_536]);
    const again = (signature, input) =>
      model.run({ x: input }, { signature, timeout: 60_000 }).then(() => again(signature, input));
    for (const signature of ['plus_one', 'identity']) {
      again(signature, x);
      again(signature, borrowed);
    }
    tell('running');
    stay();
  },

  async devices() {
    const model = await load('slow');
    const again = () => model.devices().then(again);
    for (let i = 0; i < 4; i++) again();
    tell('running');
    stay();
  },
};

await jobs[workerData]();

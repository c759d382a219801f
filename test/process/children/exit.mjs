// Ends a process by force, in the midst of things.
import { load, ready, sleep } from './common.mjs';

const cases = {
  async endless() {
    const model = await load('endless');
    model.run({ n: -1 });
    await sleep(100);
    ready();
    process.exit(7);
  },

  async 'exit-code'() {
    const model = await load('endless');
    model.run({ n: -1 });
    await sleep(100);
    process.exitCode = 9;
    ready();
    process.exit();
  },

  /** In the same turn as the runs: none has reached a thread. */
  async 'at-once'() {
    const model = await load('endless');
    for (let i = 0; i < 100; i++) model.run({ n: -1 });
    ready();
    process.exit(7);
  },

  async queued() {
    const model = await load('endless');
    for (let i = 0; i < 100; i++) model.run({ n: -1 });
    await sleep(100);
    ready();
    process.exit(7);
  },

  /** A close waits for a run that never ends, another one is cancelled. */
  async closing() {
    const [waiting, cancelled] = await Promise.all([load('endless'), load('endless')]);
    waiting.run({ n: -1 });
    waiting.close();
    cancelled.run({ n: -1 }).catch(() => {});
    await sleep(100);
    cancelled.close({ cancel: true });
    ready();
    process.exit(7);
  },

  async load() {
    load('tf2-functions');
    await sleep(Number(process.argv[3]));
    process.exit(7);
  },

  async uncaught() {
    const model = await load('endless');
    model.run({ n: -1 });
    await sleep(100);
    ready();
    setImmediate(() => {
      throw new Error('thrown by the test');
    });
    await new Promise(() => {});
  },

  async rejection() {
    const model = await load('endless');
    model.run({ n: -1 });
    await sleep(100);
    ready();
    Promise.reject(new Error('rejected by the test'));
    await new Promise(() => {});
  },

  async signal() {
    const model = await load('endless');
    for (let i = 0; i < 10; i++) model.run({ n: -1 });
    await sleep(100);
    ready();
    await new Promise(() => {});
  },

  /** A listener that came later than the package's, and takes its time. */
  async 'slow-listener'() {
    const model = await load('endless');
    model.run({ n: -1 });
    process.on('exit', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300));
    await sleep(100);
    ready();
    process.exit(7);
  },
};

await cases[process.argv[2]]();

// Lets a program come to its own end.
import { collect, counts, load, sleep, Tensor } from './common.mjs';

const cases = {
  /** Nobody closes the session. */
  async open() {
    const model = await load('slow');
    await model.run({ n: 4, k: 1 });
    console.log('ran');
  },

  /** More runs than may be in flight, awaited by nobody: none may get lost. */
  async waiting() {
    const model = await load('slow');
    let ended = 0;
    for (let i = 0; i < 40; i++) {
      model.run({ n: 64, k: 20 }).then(() => {
        ended++;
      });
    }
    process.on('exit', () => console.log(ended));
  },

  /** The same with loads, which wait at the same gate. */
  async loads() {
    let loaded = 0;
    for (let i = 0; i < 10; i++) {
      load('counter').then(() => {
        loaded++;
      });
    }
    process.on('exit', () => console.log(loaded));
  },

  /** A close that waits for runs that wait. */
  async closing() {
    const model = await load('slow');
    let ended = 0;
    for (let i = 0; i < 20; i++) {
      model.run({ n: 64, k: 20 }).then(() => {
        ended++;
      });
    }
    model.close().then(() => console.log('closed after', ended));
  },

  /** Runs that were given up on end behind it: their errors are nobody's. */
  async abandoned() {
    const model = await load('endless');
    const memory = Tensor.allocate('int32', []);
    memory.data[0] = -1;
    const abort = new AbortController();
    const runs = [
      model.run({ n: memory }, { timeout: 50 }),
      model.run({ n: memory }, { signal: abort.signal }),
    ];
    for (let i = 0; i < 20; i++) runs.push(model.run({ n: -1 }, { signal: abort.signal }));
    setTimeout(() => abort.abort(new Error('enough')), 50);
    const ends = await Promise.allSettled(runs);
    const released = memory.released;
    await model.close({ cancel: true });
    await released;
    await sleep(50);
    console.log([...new Set(ends.map(({ reason }) => reason.code ?? reason.message))].join(' '));
  },

  /** Nothing is held but by the runs themselves. */
  async collected() {
    let ended = 0;
    await (async () => {
      const model = await load('slow');
      for (let i = 0; i < 10; i++) {
        const n = Tensor.allocate('int32', []);
        n.data[0] = 64;
        model.run({ n, k: 20 }).then(() => {
          ended++;
        });
      }
    })();
    await collect();
    while (ended < 10) {
      await sleep(1);
      await collect();
    }
    await collect();
    for (let i = 0; i < 100 && counts().sessions > 0; i++) await sleep(20);
    console.log(ended, JSON.stringify(counts()));
  },

  /** Neither are outputs, whose memory is TensorFlow's. */
  async 'collected-outputs'() {
    const model = await load('copies');
    const x = new Float32Array(262_144).fill(1);
    let sum = 0;
    for (let i = 0; i < 50; i++) {
      const { y } = await model.run({ x: Tensor.from(x) }, { signature: 'plus_one' });
      if (i % 10 === 0) await collect();
      sum += y.data[i];
    }
    await model.close();
    await collect();
    console.log(sum, counts().sessions, counts().runs);
  },

  async unfinished() {
    await new Promise(() => {});
  },

  async never() {
    setInterval(() => {}, 1000);
  },
};

await cases[process.argv[2]]();

// Runs without number: a thousand at once, aborted, timed out, closed over their heads, with the limit of runs in
// flight changing below them. Says for each case what became of the runs; ends with status 1 where one got lost, had
// a wrong value, warned, or left something behind.
//
//     node --expose-gc scripts/stress/runs.mjs [--seed 1] [--rounds 1]
import { getEventListeners } from 'node:events';
import { parseArgs } from 'node:util';
import { Tensor, tensorflow } from '../../dist/index.js';
import { addon } from '../../dist/runtime/addon.js';
import { load, makeRandom, many, nameOf, sleep } from './common.mjs';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, rounds: { type: 'string', default: '1' } },
});
if (globalThis.gc === undefined) {
  console.error('Start it with: node --expose-gc scripts/stress/runs.mjs');
  process.exit(2);
}

const random = makeRandom(Number(values.seed));

const faults = [];
process.on('warning', (warning) => faults.push(`warning: ${warning.message}`));
process.on('unhandledRejection', (reason) => faults.push(`unhandled: ${reason}`));

/** How many ended how: `{ ended: 12, CANCELLED: 3 }`. */
async function settle(runs) {
  const ends = {};
  for (const { status, reason } of await Promise.allSettled(runs)) {
    const end = status === 'fulfilled' ? 'ended' : nameOf(reason);
    ends[end] = (ends[end] ?? 0) + 1;
  }
  return ends;
}

function expectOnly(ends, ...allowed) {
  for (const end of Object.keys(ends)) if (!allowed.includes(end)) faults.push(`${ends[end]} runs: ${end}`);
}

const cases = {
  async 'a thousand at once'() {
    const model = await load('counter');
    const counts = await Promise.all(
      many(1000, () => model.run({ by: Tensor.from(new BigInt64Array([1n]), []) })),
    );
    const { count } = await model.run({}, { signature: 'read' });
    if (count.data[0] !== 1000n) faults.push(`counted ${count.data[0]} of 1000`);
    await model.close();
    return { ended: counts.length };
  },

  async 'ten thousand with signals of their own, aborted at any time'() {
    const model = await load('slow');
    const runs = many(10_000, () => {
      const abort = new AbortController();
      const kind = random(4);
      if (kind === 0) abort.abort(new Error('aborted'));
      if (kind === 1) setTimeout(() => abort.abort(new Error('aborted')), random(200));
      if (kind === 2) setImmediate(() => abort.abort(new Error('aborted')));
      return model.run({ n: 16, k: 2 }, { signal: abort.signal });
    });
    const ends = await settle(runs);
    expectOnly(ends, 'ended', 'aborted');
    await model.close();
    return ends;
  },

  async 'a thousand that share a signal'() {
    const model = await load('slow');
    const abort = new AbortController();
    const runs = many(1000, () => model.run({ n: 16, k: 2 }, { signal: abort.signal }));
    setTimeout(() => abort.abort(new Error('aborted')), 20);
    const ends = await settle(runs);
    expectOnly(ends, 'ended', 'aborted');
    const listeners = getEventListeners(abort.signal, 'abort').length;
    if (listeners > 0) faults.push(`${listeners} listeners left`);
    await model.close();
    return ends;
  },

  async 'a thousand, one after the other, on one signal'() {
    const model = await load('slow');
    const { signal } = new AbortController();
    for (let i = 0; i < 1000; i++) await model.run({ n: 4, k: 1 }, { signal, timeout: 10_000 });
    const listeners = getEventListeners(signal, 'abort').length;
    if (listeners > 0) faults.push(`${listeners} listeners left`);
    await model.close();
    return { ended: 1000 };
  },

  async 'two thousand with time limits'() {
    const model = await load('slow');
    const ends = await settle(many(2000, () => model.run({ n: 64, k: 5 }, { timeout: random(300) })));
    expectOnly(ends, 'ended', 'DEADLINE_EXCEEDED');
    await model.close();
    return ends;
  },

  async 'a close behind a thousand that wait'() {
    const model = await load('slow');
    const runs = many(1000, () => model.run({ n: 16, k: 2 }));
    const closed = model.close();
    const ends = await settle(runs);
    expectOnly(ends, 'ended');
    await closed;
    return ends;
  },

  async 'a close that cancels a thousand'() {
    const model = await load('endless');
    const runs = many(1000, (i) => model.run({ n: i % 2 === 0 ? -1 : 1000 }));
    await sleep(50);
    const closed = [model.close({ cancel: true }), model.close(), model.close({ cancel: true })];
    const ends = await settle(runs);
    expectOnly(ends, 'ended', 'CANCELLED');
    await Promise.all(closed);
    return ends;
  },

  async 'a close that is made up for by one that cancels'() {
    const model = await load('endless');
    const runs = many(100, () => model.run({ n: -1 }));
    const closed = model.close();
    setTimeout(() => model.close({ cancel: true }), 20);
    const ends = await settle(runs);
    expectOnly(ends, 'CANCELLED');
    await closed;
    return ends;
  },

  async 'aborts and closes at once'() {
    const all = {};
    for (let round = 0; round < 20; round++) {
      const model = await load('endless');
      const abort = new AbortController();
      const runs = many(50, (i) =>
        model.run({ n: -1 }, i % 2 === 0 ? { signal: abort.signal } : { timeout: random(30) }),
      );
      setTimeout(() => abort.abort(new Error('aborted')), random(20));
      setTimeout(() => model.close({ cancel: true }), random(20));
      const ends = await settle(runs);
      expectOnly(ends, 'aborted', 'CANCELLED', 'DEADLINE_EXCEEDED');
      await model.close();
      for (const [end, count] of Object.entries(ends)) all[end] = (all[end] ?? 0) + count;
    }
    return all;
  },

  async 'a limit that changes'() {
    const model = await load('slow');
    const timer = setInterval(() => addon().setMaxInFlight(1 + random(8)), 1);
    const ends = await settle(many(2000, () => model.run({ n: 16, k: 3 })));
    expectOnly(ends, 'ended');
    clearInterval(timer);
    addon().setMaxInFlight(undefined);
    await model.close();
    return ends;
  },

  async 'loads, runs and closes across each other'() {
    const ends = await settle(
      many(60, async (i) => {
        const model = await load(i % 2 === 0 ? 'slow' : 'tf2-functions');
        const inputs = i % 2 === 0 ? { n: 16, k: 2 } : { x: [[1, 2, 3, 4, 5, 6, 7, 8]] };
        await Promise.all(many(5, () => model.run(inputs)));
        if (i % 3 === 0) await model.close();
      }),
    );
    expectOnly(ends, 'ended');
    return ends;
  },
};

await tensorflow.open();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, run] of Object.entries(cases)) {
    const started = performance.now();
    const before = faults.length;
    const ends = await run();
    await sleep(0);
    const verdict =
      faults.length === before ? '' : `  FAULTS: ${[...new Set(faults.slice(before))].join('; ')}`;
    console.log(`${name}: ${JSON.stringify(ends)}, ${(performance.now() - started).toFixed(0)} ms${verdict}`);
  }
}
for (let i = 0; i < 50 && Object.values(addon().counts()).some((count) => count > 0); i++) {
  globalThis.gc();
  await sleep(20);
}
const left = addon().counts();
console.log(`left: ${JSON.stringify(left)}`);
process.exitCode = faults.length > 0 || Object.values(left).some((count) => count > 0) ? 1 : 0;

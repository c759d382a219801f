// The models of the soak: loaded, closed and loaded again, and what may be asked of each. Every request carries values of its
// own, and is checked by what must come of them.
import { Tensor } from '../../../dist/index.js';
import { load } from '../common.mjs';

/** So many different rows of each kind, whose outputs are computed before all else. */
const ROWS = 512;
const PICTURE = [1, 8, 8, 3];
const config = { deviceCount: { CPU: 2 } };

const near = (values, wanted) =>
  values.length === wanted.length && values.every((value, i) => Math.abs(value - wanted[i]) < 1e-4);

/** A model that goes through several lives. */
export class Slot {
  model;
  batcher;
  /** Odd while it is closed. Requests that begin in one life may end in another: then its end is an answer, too. */
  life = 0;

  constructor(name, options = {}) {
    this.name = name;
    this.options = { config, ...options };
  }

  async open() {
    this.model = await load(this.name, this.options);
    this.onOpen?.();
  }

  async end() {
    await this.model.close();
    this.model = undefined;
    this.batcher = undefined;
  }

  /** The next life begins before the last one has ended, where `isSoon`. */
  async renew(cancel, isSoon) {
    const old = this.model;
    this.life++;
    const closed = old.close({ cancel });
    if (!isSoon) await closed;
    await this.open();
    this.life++;
    await closed;
  }
}

/** Inputs and their outputs, by number: from a session that nothing disturbs. */
async function tableOf(name, input, shape, output) {
  const model = await load(name);
  const elements = shape.reduce((all, size) => all * size, 1);
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const data = Float32Array.from({ length: elements }, (_, i) => Math.sin(row + 1 + i * 0.37));
    const values = model.runSync({ [input]: Tensor.from(data, shape) })[output].data;
    return { data, values: Float32Array.from(values) };
  });
  await model.close();
  return rows;
}

/** By kind of request: its slot, and how one is made and checked: `ask(n, options)` with a number of its own resolves to whether the answer is right. */
export async function makeKinds() {
  const vectors = await tableOf('tf2-functions', 'x', [1, 8], 'y');
  const pictures = await tableOf('keras-nested', 'picture', PICTURE, 'output_0');

  const tiny = new Slot('tf2-functions', { devices: ['/CPU:1'] });
  const placed = new Slot('tf2-functions', {
    placement: [{ type: 'MatMul', device: '/CPU:1' }],
    copies: 2,
    maxPending: 8,
  });
  const strings = new Slot('strings');
  const lent = new Slot('copies');
  const convolution = new Slot('keras-nested', { freeze: true });
  const slow = new Slot('slow', { concurrency: 1, maxPending: 4 });
  const rowsOf = new Slot('keras-nested');
  rowsOf.onOpen = () => {
    rowsOf.batcher = rowsOf.model.batcher({
      maxBatchSize: 16,
      allowedBatchSizes: [1, 4, 16],
      numBatchThreads: 2,
    });
  };
  // One at a time: the model adds and reads by two ops, so that two runs at once may both read the sum of both.
  const counter = new Slot('counter', { concurrency: 1 });
  const seen = new Uint8Array(2 ** 24);
  counter.onOpen = () => seen.fill(0);

  const vector = async (run, n) => {
    const { data, values } = vectors[n % ROWS];
    const { y } = await run({ x: Tensor.from(data, [1, 8]) });
    return near(y.data, values);
  };
  const kinds = {
    tiny: { slot: tiny, weight: 8, ask: (n, options) => vector((x) => tiny.model.run(x, options), n) },
    'second device': {
      slot: tiny,
      weight: 4,
      ask: (n, options) => vector((x) => tiny.model.run(x, { ...options, device: '/CPU:1' }), n),
    },
    'placed copies': {
      slot: placed,
      weight: 4,
      ask: (n, options) => vector((x) => placed.model.run(x, options), n),
    },
    strings: {
      slot: strings,
      weight: 4,
      async ask(n, options) {
        const words = [`row ${n}`, `größe ${n} `.repeat(1 + (n % 5))];
        const { text } = await strings.model.run({ text: words }, { ...options, signature: 'upper' });
        return text.data.length === 2 && text.data.every((word, i) => word === words[i].toUpperCase());
      },
    },
    'borrowed inputs': {
      slot: lent,
      weight: 4,
      async ask(n, options, { memory }) {
        await memory.released;
        for (let i = 0; i < memory.data.length; i++) memory.data[i] = n + i / 4;
        const signature = n % 2 === 0 ? 'plus_one' : 'identity';
        const { y } = await lent.model.run({ x: memory }, { ...options, signature });
        const more = n % 2 === 0 ? 1 : 0;
        return y.data.every((value, i) => value === Math.fround(Math.fround(n + i / 4) + more));
      },
    },
    convolution: {
      slot: convolution,
      weight: 2,
      async ask(n, options) {
        const { data, values } = pictures[n % ROWS];
        const { output_0: y } = await convolution.model.run({ picture: Tensor.from(data, PICTURE) }, options);
        return near(y.data, values);
      },
    },
    batcher: {
      slot: rowsOf,
      weight: 4,
      async ask(n, options) {
        const { data, values } = pictures[n % ROWS];
        const { output_0: y } = await rowsOf.batcher.run({ picture: Tensor.from(data, PICTURE) }, options);
        return y.shape[0] === 1 && near(y.data, values);
      },
    },
    slow: {
      slot: slow,
      weight: 1,
      async ask(n, options) {
        const size = 8 + (n % 64);
        const { mean } = await slow.model.run({ n: size, k: 1 + (n % 40) }, options);
        return Math.abs(mean.data[0] - 1 / size) < 1e-5;
      },
    },
    /** Each answer is a number that nobody else has: none is lost or given twice. */
    counter: {
      slot: counter,
      weight: 4,
      async ask(_, options) {
        const { life } = counter;
        const { count } = await counter.model.run({ by: 1 }, options);
        const at = Number(count.data[0]);
        return at > 0 && (life !== counter.life || at >= seen.length || seen[at]++ === 0);
      },
    },
  };
  const slots = [tiny, placed, strings, lent, convolution, slow, rowsOf, counter];
  for (const slot of slots) await slot.open();
  return { kinds, slots };
}

/** What one caller has for itself. */
export const makeOwn = () => ({ memory: Tensor.allocate('float32', [64]) });

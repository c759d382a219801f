/** Runs with hostile inputs, feeds and options; after each the model gives what it gave before. */

import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PreparedCall, SavedModel, Tensor } from '../../lib/index.js';
import { fixture } from '../saved-model/models.js';
import { end, forAll, LIMIT_MS } from './property.js';
import { changing, HOSTILE, hostile, type Maker, OWN, record } from './values.js';

type Inputs = Readonly<Record<string, Tensor>>;
type Anything = (...given: unknown[]) => unknown;

let model: SavedModel;
let strings: SavedModel;
let expected: unknown;
const x = () =>
  Tensor.from(
    Float32Array.from({ length: 16 }, (_, i) => i),
    [1, 16],
  );

beforeAll(async () => {
  model = await SavedModel.load(fixture('chain'));
  strings = await SavedModel.load(fixture('strings'));
  expected = await model.run({ x: x() });
});
afterAll(() => Promise.all([model.close(), strings.close()]));

const RUN = [
  'signature',
  'outputs',
  'device',
  'strings',
  'timeout',
  'signal',
  'executor',
  'runOptions',
  'onRunMetadata',
  'traceLevel',
  'warmUp',
  'targets',
  'nonsense',
];

/** What takes inputs and options. */
const ENTRIES: Record<string, Anything> = {
  'model.run': (inputs, options) => model.run(inputs as Inputs, options as object),
  'model.runSync': (inputs, options) => model.runSync(inputs as Inputs, options as object),
  'a prepared call': (inputs, options) => model.prepare().run(inputs as Inputs, options as object),
  'a prepared call, synchronous': (inputs, options) =>
    model.prepare().runSync(inputs as Inputs, options as object),
  'a batcher': async (inputs, options) => {
    await using batcher = model.batcher();
    return await batcher.run(inputs as Inputs, options as object);
  },
  'model.explain': (inputs, options) => model.explain(inputs as Inputs, options as object),
  'model.trace': (inputs, options) => model.trace(inputs as Inputs, options as object),
  'session.run': (inputs, options) => {
    const [fetch] = Object.values(model.signatures.serving_default!.outputs);
    const { name } = model.signatures.serving_default!.inputs.x!;
    const feeds =
      inputs !== null && typeof inputs === 'object' && 'x' in inputs ? { [name]: inputs.x } : inputs;
    return model.session.run([fetch!.name], feeds as never, options as object);
  },
  'session.runSync': (inputs, options) => {
    const [fetch] = Object.values(model.signatures.serving_default!.outputs);
    const { name } = model.signatures.serving_default!.inputs.x!;
    const feeds =
      inputs !== null && typeof inputs === 'object' && 'x' in inputs ? { [name]: inputs.x } : inputs;
    return model.session.runSync([fetch!.name], feeds as never, options as object);
  },
};

const isSlow = (name: string) => /explain|trace/.test(name);

describe.each(Object.entries(ENTRIES))('%s', { timeout: LIMIT_MS }, (name, call) => {
  it('takes or refuses each hostile value as input, inputs and options', async () => {
    for (const [, make] of HOSTILE) {
      await end(() => call({ x: make() }));
      await end(() => call(make()));
      await end(() => call({ x: x() }, make()));
    }
    expect(await model.run({ x: x() })).toEqual(expected);
  });

  it.skipIf(isSlow(name))('takes or refuses each as each option', async () => {
    for (const [, make] of HOSTILE) {
      for (const key of RUN) {
        await end(() => call({ x: x() }, { [key]: make() }));
      }
    }
    expect(await model.run({ x: x() })).toEqual(expected);
  });

  it('takes or refuses several together', async () => {
    const input = fc.oneof(hostile, fc.constant<Maker>(x));
    await forAll(
      [record(['x', 'y', '__proto__'], input), record(RUN)],
      isSlow(name) ? 20 : 300,
      async (inputs, options) => {
        await end(() => call(inputs(), options()));
      },
    );
    expect(await model.run({ x: x() })).toEqual(expected);
  });
});

describe('what takes options alone', { timeout: LIMIT_MS }, () => {
  const keys = [
    ...['signature', 'outputs', 'device', 'executor', 'strings', 'nonsense'],
    ...[
      'maxBatchSize',
      'batchTimeoutMicros',
      'maxEnqueuedBatches',
      'allowedBatchSizes',
      'padVariableLengthInputs',
    ],
    'cancel',
  ];
  let another: SavedModel | undefined;
  const calls: Record<string, Anything> = {
    prepare: (options) => model.prepare(options as object),
    batcher: (options) => model.batcher(options as object).close(),
    close: async (options) => {
      another ??= await SavedModel.load(fixture('chain'));
      // Where the options are wrong, nothing is closed.
      await another.close(options as object);
      another = undefined;
    },
  };
  afterAll(() => another?.close());
  it.each(Object.entries(calls))('%s takes or refuses it', async (name, call) => {
    for (const [, make] of HOSTILE) {
      await end(() => call(make()));
      for (const key of name === 'close' ? ['cancel'] : keys) await end(() => call({ [key]: make() }));
    }
    await forAll([record(keys)], name === 'close' ? 20 : 200, async (options) => {
      await end(() => call(options()));
    });
  });

  it('a session takes or refuses what it is to fetch and to run', async () => {
    const { session } = model;
    for (const [, make] of HOSTILE) {
      await end(() => session.run(make() as string));
      await end(() => session.run([make()] as string[]));
      await end(() => session.run([], {}, { targets: [make()] as string[] }));
      await end(() => session.run(['x'], { [String(typeof make())]: make() as number }));
    }
  });
});

describe('an exception of the caller’s own', { timeout: LIMIT_MS }, () => {
  const inputs = () =>
    Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw OWN;
      },
    });
  const options = () =>
    Object.defineProperty({}, 'timeout', {
      enumerable: true,
      get: () => {
        throw OWN;
      },
    });

  it.each(Object.entries(ENTRIES))('from a getter comes out of %s as it is', async (_, call) => {
    expect(await end(() => call(inputs()))).toBe('own');
  });

  it('from an option is passed on, too', async () => {
    expect(await end(() => model.run({ x: x() }, options()))).toBe('own');
    expect(await end(() => model.session.run(['x'], {}, options()))).toBe('own');
  });

  it('from a ConfigProto or RunOptions is the cause of an error that names where', async () => {
    const error = await model
      .run(
        { x: x() },
        {
          runOptions: Object.defineProperty({}, 'traceLevel', {
            enumerable: true,
            get: () => {
              throw OWN;
            },
          }),
        },
      )
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'INVALID_OPTION', cause: OWN });
  });
});

describe('what changes between reads counts as it was read first', { timeout: LIMIT_MS }, () => {
  const once = (key: string, ...values: unknown[]) => Object.defineProperty({}, key, changing(...values));

  it.each([
    ['timeout', [60_000, 'x', Symbol('s')]],
    ['signal', [new AbortController().signal, 5, null]],
    ['executor', ['pool', 'nonsense', 5]],
    ['onRunMetadata', [() => {}, 5, null]],
    ['signature', ['serving_default', 5, 'nonsense']],
    ['outputs', ['copy', 5, ['nonsense']]],
    ['strings', ['bytes', 5]],
  ] as const)('%s', async (key, values) => {
    expect(await end(() => model.run({ x: x() }, once(key, ...values)))).toBe('result');
    if (key !== 'timeout' && key !== 'signal')
      expect(await end(() => model.runSync({ x: x() }, once(key, ...values)))).toBe('result');
  });

  it('an input', async () => {
    const outputs = await model.run(once('x', x(), 5, null));
    expect(outputs).toEqual(expected);
  });
});

describe('inputs that change while they are used', { timeout: LIMIT_MS }, () => {
  it('in a microtask after the call have no effect', async () => {
    const data = new Float32Array(16);
    const before = await model.run({ x: Tensor.from(data, [1, 16]) });
    const running = model.run({ x: Tensor.from(data, [1, 16]) });
    queueMicrotask(() => data.fill(Number.NaN));
    expect(await running).toEqual(before);
  });

  it('from another thread are what they were at some moment', async () => {
    const shared = new SharedArrayBuffer(64);
    const view = new Float32Array(shared);
    const worker = new Worker(
      'const { workerData } = require("node:worker_threads"); const view = new Float32Array(workerData);' +
        'for (let i = 0; ; i++) { view.fill(i % 3); if (i % 1e6 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); }',
      { eval: true, workerData: shared },
    );
    for (let i = 0; i < 200; i++) expect(await end(() => model.run({ x: view }))).toBe('result');
    await worker.terminate();
    expect(await model.run({ x: x() })).toEqual(expected);
  });

  it('from a getter of the same call are taken or refused', async () => {
    const text = Tensor.from(['a', 'b']);
    Object.defineProperty(text.data, 0, {
      get: () => {
        (text.data as string[]).length = 0;
        return 'a';
      },
    });
    await end(() => strings.run({ text }, { signature: 'upper' }));
    const first = { valueOf: () => 1 };
    const row: unknown[] = [1, first];
    await end(() => model.run({ x: [row] } as never));
  });
});

describe('Object.prototype with keys of its own', { timeout: LIMIT_MS }, () => {
  const keys = ['x', 'device', 'regex', 'then', 'data', 'dtype', 'length', '0'];
  const prepared = () => model.prepare() as PreparedCall;

  it.each(keys)('%s leaves results right', async (key) => {
    const call = prepared();
    Object.defineProperty(Object.prototype, key, { value: undefined, configurable: true, writable: true });
    let outputs: unknown;
    let how: string;
    try {
      outputs = call.runSync({ x: x() });
      how = await end(() => model.runSync({}));
    } finally {
      delete (Object.prototype as Record<string, unknown>)[key];
    }
    expect(outputs).toEqual(expected);
    expect(how).toBe('INVALID_ARGUMENT');
  });
});

/** Options of everything that takes some, one hostile value at a time and several together. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeRunMetadata, SavedModel, Session, startServer, Tensor, tensorflow } from '../../lib/index.js';
import { FLOAT, graphBytes, identity, type Node, type as ofType } from '../placement/graphs.js';
import { fixture } from '../saved-model/models.js';
import { end, forAll, LIMIT_MS } from './property.js';
import { HOSTILE, hostile, type Maker, record } from './values.js';

const X: Node = { name: 'x', op: 'Placeholder', attr: { dtype: ofType(FLOAT) } };
const GRAPH = graphBytes([X, identity('y', 'x')]);

let model: SavedModel;
beforeAll(async () => {
  await tensorflow.open();
  model = await SavedModel.load(fixture('chain'));
});
afterAll(() => model.close());

type Anything = (...given: unknown[]) => unknown;

/** Closes what a call has made. */
const closing =
  (call: Anything): Anything =>
  async (...given) => {
    const made = (await call(...given)) as { close(): Promise<void> };
    await made.close();
  };

const LOAD = [
  'tags',
  'config',
  'runOptions',
  'devices',
  'copies',
  'freeze',
  'batcher',
  'executor',
  'concurrency',
  'outputs',
  'strings',
  'placement',
  'clearDevices',
  'exact',
  'ignoreColocation',
  'opLibraries',
  'pluggableDevices',
  'target',
  'cluster',
  'replicas',
  'reconnect',
  'failover',
  'nonsense',
];

const load = closing(SavedModel.load as Anything);
const fromGraphDef = closing(Session.fromGraphDef as Anything);

/** What takes options: a call with them, and their keys. */
const ENTRIES: Record<string, { call: Anything; keys: readonly string[] }> = {
  'SavedModel.load': { call: (options) => load(fixture('chain'), options), keys: LOAD },
  'Session.fromGraphDef': { call: (options) => fromGraphDef(GRAPH, options), keys: LOAD },
  'tensorflow.open': {
    call: tensorflow.open as Anything,
    keys: ['library', 'logLevel', 'maxRunsInFlight', 'externalBuffers', 'nonsense'],
  },
  'tensorflow.devices': {
    call: tensorflow.devices as Anything,
    keys: ['deviceCount', 'gpuOptions', 'intraOpParallelismThreads', 'graphOptions', 'nonsense'],
  },
  startServer: {
    call: startServer as Anything,
    // Never what a server needs, which would start.
    keys: ['cluster', 'task', 'config', 'library', 'listenOnAllInterfaces', 'opLibraries', 'nonsense'],
  },
};

describe.each(Object.entries(ENTRIES))('%s', { timeout: LIMIT_MS }, (_, { call, keys }) => {
  it('takes or refuses each hostile value as each option', async () => {
    for (const [, make] of HOSTILE) {
      await end(() => call(make()));
      for (const key of keys) {
        await end(() => call({ [key]: make() }));
      }
    }
  });

  it('takes or refuses several together', async () => {
    await forAll([record(keys)], 200, async (options) => {
      await end(() => call(options()));
    });
  });
});

describe('what is named before the options', { timeout: LIMIT_MS }, () => {
  it.each([
    ['SavedModel.load', load],
    ['Session.fromGraphDef', fromGraphDef],
    ['decodeRunMetadata', decodeRunMetadata as Anything],
    ['tensorflow.on', (event) => tensorflow.on(event as 'log', () => {})],
    [
      'tensorflow.on, a listener',
      (listener) => {
        tensorflow.on('log', listener as () => void);
        tensorflow.off('log', listener as () => void);
      },
    ],
    ['tensorflow.off', tensorflow.off as Anything],
  ] as [string, Anything][])('of %s is taken or refused', async (_, call) => {
    for (const [, make] of HOSTILE) await end(() => call(make()));
  });

  it('is a graph of random bytes', async () => {
    await forAll([fc.uint8Array({ maxLength: 200 })], 300, async (bytes) => {
      await end(() => fromGraphDef(bytes));
      await end(() => decodeRunMetadata(bytes));
    });
  });

  it('is a graph with some bytes changed', async () => {
    const change = fc.tuple(fc.nat({ max: GRAPH.length - 1 }), fc.nat({ max: 255 }));
    await forAll([fc.array(change, { minLength: 1, maxLength: 4 })], 300, async (changes) => {
      const bytes = new Uint8Array(GRAPH);
      for (const [at, byte] of changes) bytes[at] = byte;
      await end(() => fromGraphDef(bytes));
    });
  });
});

describe('a ConfigProto', { timeout: LIMIT_MS }, () => {
  it('of random bytes is taken or refused', async () => {
    await forAll([fc.uint8Array({ maxLength: 60 })], 200, async (config) => {
      await end(() => fromGraphDef(GRAPH, { config }));
    });
  });

  it('is what it was when it was given', async () => {
    const config = new Uint8Array([0x38, 1]); // allow_soft_placement
    const making = Session.fromGraphDef(GRAPH, { config });
    config.fill(0xff);
    await (await making).close();
  });

  it('with hostile fields is taken or refused', async () => {
    const keys = [
      'deviceCount',
      'gpuOptions',
      'graphOptions',
      'deviceFilters',
      'experimental',
      'allowSoftPlacement',
      '__proto__',
    ];
    const inner = record([
      'CPU',
      'allowGrowth',
      'rewriteOptions',
      'executorType',
      'visibleDeviceList',
      'length',
    ]);
    await forAll([record(keys, fc.oneof(hostile, inner))], 300, async (config) => {
      await end(() => tensorflow.devices(config() as object));
    });
  });
});

describe('rules', { timeout: LIMIT_MS }, () => {
  const rule = record(
    ['op', 'type', 'scope', 'function', 'device', 'optional'],
    fc.oneof(
      hostile,
      record(['regex', 'flags']),
      fc.constantFrom('/CPU:0', '**', '(', '[[', '**/**/**', '/GPU:9999999999', '/job:x', '').map(
        (text): Maker =>
          () =>
            text,
      ),
    ),
  );

  it('take or refuse each hostile value as each field', async () => {
    for (const [, make] of HOSTILE) {
      const rules = [
        ...['op', 'type', 'scope', 'function', 'optional'].map((key) => ({
          [key]: make(),
          device: '/CPU:0',
        })),
        { op: 'x', device: make() },
        { op: { regex: make() }, device: '/CPU:0' },
        { op: { regex: 'x', flags: make() }, device: '/CPU:0' },
        make(),
      ];
      for (const rule of rules) await end(() => fromGraphDef(GRAPH, { placement: [rule] }));
    }
  });

  it('are taken or refused', async () => {
    await forAll([fc.array(rule, { minLength: 1, maxLength: 3 })], 300, async (rules) => {
      await end(() => fromGraphDef(GRAPH, { placement: rules.map((make) => make()) }));
    });
  });
});

it('after all that the model gives what it gave', async () => {
  const x = Tensor.from(new Float32Array(16), [1, 16]);
  const fresh = await SavedModel.load(fixture('chain'));
  expect(await model.run({ x })).toEqual(await fresh.run({ x }));
  await fresh.close();
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

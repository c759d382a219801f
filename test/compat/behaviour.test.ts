/** What this package promises, on a library of any version. */
import { describe, expect, it } from 'vitest';
import { SINCE } from '../../lib/config/since.js';
import { decodeRunMetadata, type LoadOptions, SavedModel, Tensor, tensorflow } from '../../lib/index.js';
import { lacks } from '../../lib/runtime/lacks.js';
import { failure } from '../helpers/failure.js';
import { casesByTags } from '../helpers/fixtures.js';
import { expectTensor, fromJson } from '../helpers/json-tensor.js';
import { opLibraries } from '../helpers/op-libraries.js';
import { systemLibrary } from '../helpers/system-library.js';
import { fixture } from '../saved-model/models.js';
import { arithmeticGraph, loopGraph, stringGraph, variableGraph } from './graphs.js';
import { isBefore, optionalFunctions, VERSION } from './library.js';

describe(`TensorFlow ${VERSION}`, () => {
  it('is the version that was asked for', (context) => {
    const asked = process.env.TF_SESSION_COMPAT;
    if (asked === undefined) return context.skip('no version was asked for: TF_SESSION_COMPAT');
    expect(VERSION).toBe(asked);
  });

  it('lacks the functions that came later, and no other', () => {
    const functions = optionalFunctions();
    expect(functions.length).toBeGreaterThan(3);
    const lacking = functions.filter(({ since }) => isBefore(since)).map(({ name }) => name);
    expect([...tensorflow.missing].sort()).toEqual(lacking.sort());
  });

  it('is said to lack what it cannot do, by version', () => {
    const clauses = lacks(VERSION, tensorflow.missing).join('\n');
    for (const [word, since] of Object.entries({ exact: '1.12', pluggableDevices: '2.5', cancel: '1.15' })) {
      expect(clauses.includes(word), word).toBe(isBefore(since));
    }
  });

  it('has as many CPU devices as its ConfigProto says', async () => {
    const devices = await tensorflow.devices({ deviceCount: { CPU: 4 } });
    expect(devices.filter(({ type }) => type === 'CPU')).toHaveLength(4);
  });
});

describe('strings', () => {
  it('come back as they went in', async () => {
    const session = await stringGraph();
    const bytes = new Uint8Array([0xff, 0, 1]);
    const texts = ['', 'a', 'grün 😀', 'x'.repeat(200), 'y'.repeat(70_000), bytes, 'nul\0inside'];
    const [joined, same] = await session.run(['joined', 'same'], { text: Tensor.from(texts, [7], 'string') });
    expect(same!.data).toEqual(texts);
    const twice = texts.map((each) =>
      typeof each === 'string' ? `${each}+${each}` : new Uint8Array([...each, 0x2b, ...each]),
    );
    expect(joined!.data).toEqual(twice);
  });

  it.each([
    { texts: [], shape: [0, 3] },
    { texts: ['alone'], shape: [] },
    { texts: Array.from({ length: 30_000 }, (_, i) => `${i}`.repeat(i % 7)), shape: [10, 3000] },
  ])('of shape $shape', async ({ texts, shape }) => {
    const session = await stringGraph();
    const [joined] = await session.run('joined', { text: Tensor.from(texts, shape, 'string') });
    expect(joined!.shape).toEqual(shape);
    expect(joined!.data).toEqual(texts.map((each) => `${each}+${each}`));
  });

  it('are freed with their tensors', async () => {
    const session = await stringGraph();
    const texts = Array.from({ length: 512 }, (_, i) => `${i}`.padEnd(1024, 'abcdefgh'));
    const runs = async (count: number) => {
      for (let i = 0; i < count; i++) {
        await session.run(['joined', 'same'], { text: Tensor.from(texts, [512], 'string') });
      }
      globalThis.gc!();
      return process.memoryUsage.rss() / 2 ** 20;
    };
    const before = await runs(100);
    // Of half a megabyte each.
    expect((await runs(400)) - before).toBeLessThan(100);
  });

  it('come as bytes where asked', async () => {
    const session = await stringGraph();
    const [same] = await session.run(
      'same',
      { text: Tensor.from(['é'], [1], 'string') },
      { strings: 'bytes' },
    );
    expect(same!.data).toEqual([new Uint8Array([0xc3, 0xa9])]);
  });
});

describe('tensors', () => {
  it('of every data type that TensorFlow 1.10 has', async () => {
    const model = await SavedModel.load(fixture('every-dtype'), { tags: ['serve', 'classic'] });
    const all = casesByTags('every-dtype').get('serve')!;
    const cases = all.filter(({ signature }) => Object.hasOwn(model.signatures, signature));
    expect(cases.length).toBeGreaterThan(10);
    for (const { signature, inputs, outputs, error } of cases) {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
      if (error) {
        expect((await failure(model.run(feeds, { signature }))).code, signature).toBe(error.code);
        continue;
      }
      const given = await model.run(feeds, { signature });
      for (const [key, json] of Object.entries(outputs!)) expectTensor(given[key]!, json, signature);
    }
    await model.close();
  });

  it('of Tensor.allocate are read where they are, and released', async () => {
    const session = await arithmeticGraph();
    const x = Tensor.allocate('float32', [1 << 16]);
    (x.data as Float32Array).fill(3);
    const [y] = await session.run('y', { x });
    await x.released;
    expect((y!.data as Float32Array).every((value) => value === 9)).toBe(true);
  });

  it('that are large are handed over, and are nobody else’s', async () => {
    const session = await arithmeticGraph();
    const x = new Float32Array(1 << 18).fill(2);
    const [first, same] = await session.run(['y', 'same'], { x });
    (first!.data as Float32Array).fill(-1);
    (same!.data as Float32Array).fill(-1);
    const [second] = await session.run(['y'], { x });
    expect((second!.data as Float32Array).every((value) => value === 4)).toBe(true);
    expect(x.every((value) => value === 2)).toBe(true);
  });

  it('that are a variable’s value are copies', async () => {
    const session = await variableGraph();
    await session.run([], {}, { targets: ['init'] });
    const [before] = await session.run('read');
    (before!.data as Float32Array).fill(100);
    await session.run([], {}, { targets: ['add'] });
    const [after] = await session.run('read');
    expect((after!.data as Float32Array).every((value) => value === 1)).toBe(true);
  });
});

describe('without external buffers', () => {
  it('outputs are ordinary, and so is what Tensor.allocate gives', async () => {
    try {
      await tensorflow.open({ externalBuffers: false });
      const numbers = await arithmeticGraph();
      const x = Tensor.allocate('float32', [1 << 16]);
      (x.data as Float32Array).fill(3);
      const [y] = await numbers.run('y', { x });
      await x.released;
      const squares = y!.data as Float32Array<ArrayBuffer>;
      expect(squares.every((value) => value === 9)).toBe(true);
      expect(structuredClone(squares, { transfer: [squares.buffer] })).toHaveLength(1 << 16);
      const texts = await stringGraph();
      const [same] = await texts.run('same', { text: Tensor.from(['a', ''], [2], 'string') });
      expect(same!.data).toEqual(['a', '']);
    } finally {
      await tensorflow.open({ externalBuffers: true });
    }
  });
});

describe('a library that has nothing to do with TensorFlow', () => {
  it('is neither an op library nor a plug-in, which older ones have none of', async (context) => {
    const path = systemLibrary() ?? context.skip('Node names no libm');
    const load = (options: LoadOptions) => failure(SavedModel.load(fixture('tf1-variables'), options));
    const ops = await load({ opLibraries: [path] });
    expect([ops.code, ops.message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining('holds no ops')]);
    const devices = await load({ pluggableDevices: [path] });
    expect([devices.code, devices.message]).toEqual(
      isBefore('2.5')
        ? ['LIBRARY_TOO_OLD', expect.stringMatching(/^`pluggableDevices` can't be used: .* 2\.5 or later/)]
        : ['INVALID_ARGUMENT', expect.stringContaining('is no plug-in for TensorFlow')],
    );
  });
});

describe('a plug-in', () => {
  it('is refused by a library that takes none, whatever TensorFlow it is for', async (context) => {
    if (!isBefore('2.5')) return context.skip(`TensorFlow ${VERSION} takes plug-ins`);
    const { wordpiece } = await opLibraries(context, '2.15.0');
    const load = SavedModel.load(fixture('tf1-variables'), { pluggableDevices: [wordpiece] });
    expect((await failure(load)).code).toBe('LIBRARY_TOO_OLD');
  });
});

describe('runs', () => {
  it('on many tensors at once', async () => {
    const session = await arithmeticGraph();
    const runs = Array.from({ length: 32 }, (_, i) => session.run('y', { x: [i] }));
    const values = (await Promise.all(runs)).map(([y]) => y!.data[0]);
    expect(values).toEqual(Array.from({ length: 32 }, (_, i) => i * i));
  });

  it('that fail name the op', async () => {
    const session = await arithmeticGraph();
    const error = await failure(session.run('guard/checked', { x: [Number.NaN] }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'guard/checked' });
    expect(error.message).toContain('not finite');
  });

  it('that never end are left at their time limit, and ended by close', async (context) => {
    if (isBefore('1.15'))
      return context.skip(`TensorFlow ${VERSION} itself does not end a loop that it runs`);
    const session = await loopGraph();
    const [count] = await session.run('count', { limit: 1000 });
    expect(count!.data[0]).toBe(1000);
    const run = failure(session.run('count', { limit: Infinity }, { timeout: 100 }));
    expect((await run).code).toBe('DEADLINE_EXCEEDED');
    const other = failure(session.run('count', { limit: Infinity }));
    await session.close({ cancel: true });
    expect((await other).code).toBe('CANCELLED');
  });

  it('that are traced tell their kernels', async () => {
    const session = await arithmeticGraph();
    let bytes: Uint8Array | undefined;
    await session.run(
      'y',
      { x: [1] },
      {
        runOptions: { traceLevel: 'FULL_TRACE' },
        onRunMetadata: (given) => {
          bytes = given;
        },
      },
    );
    const { stepStats } = decodeRunMetadata(bytes!);
    const names = stepStats!.devStats.flatMap(({ nodeStats }) => nodeStats.map((each) => each.nodeName));
    expect(names).toContain('y');
  });
});

describe('a ConfigProto', () => {
  it('with fields that this library does not know is refused, naming them', async (context) => {
    const fields = [
      {
        key: 'tensorflow.RewriterConfig.19',
        config: { graphOptions: { rewriteOptions: { disableMetaOptimizer: true } } },
        name: 'disableMetaOptimizer',
      },
      {
        key: 'tensorflow.RewriterConfig.24',
        config: { graphOptions: { rewriteOptions: { autoMixedPrecisionMkl: 'OFF' as const } } },
        name: 'autoMixedPrecisionMkl',
      },
      {
        key: 'tensorflow.ConfigProto.Experimental.24',
        config: { experimental: { disableOptimizeForStaticGraph: true } },
        name: 'disableOptimizeForStaticGraph',
      },
      {
        key: 'tensorflow.RewriterConfig.Toggle.4',
        config: { graphOptions: { rewriteOptions: { remapping: 'EXPERIMENTAL_MLIR' as const } } },
        name: 'EXPERIMENTAL_MLIR',
      },
      {
        key: 'tensorflow.ConfigProto.18',
        config: { pluggableDeviceOptions: { allowGrowth: true } },
        name: 'pluggableDeviceOptions',
      },
      {
        key: 'tensorflow.ConfigProto.Experimental.36',
        config: { experimental: { onlineCostAnalysis: true } },
        name: 'onlineCostAnalysis',
      },
    ];
    const newer = fields.filter(({ key }) => isBefore(SINCE[key]!));
    if (newer.length === 0) return context.skip(`TensorFlow ${VERSION} knows them all`);
    for (const { key, config, name } of newer) {
      for (const attempt of [
        tensorflow.devices(config),
        arithmeticGraph({ config }),
        SavedModel.load(fixture('tf1-variables'), { config }),
      ]) {
        const error = await failure(attempt);
        expect(error).toMatchObject({ code: 'LIBRARY_TOO_OLD' });
        expect(error.message).toContain(name);
        expect(error.message).toContain(`from ${SINCE[key]} on`);
      }
    }
  });

  it('with fields that it knows is taken', async () => {
    const devices = await tensorflow.devices({
      interOpParallelismThreads: 2,
      graphOptions: { rewriteOptions: { constantFolding: 'OFF', remapping: 'OFF' } },
      gpuOptions: { allowGrowth: true },
    });
    expect(devices.length).toBeGreaterThan(0);
  });
});

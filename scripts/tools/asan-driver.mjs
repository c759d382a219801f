// What runs under AddressSanitizer: everything that hands memory from one side to the other, or ends something that
// another thread uses. Values are the tests' business; here it is enough that nothing is touched that should not be.
//
// Started by asan.mjs. TF_SESSION_ADDON names the addon with the sanitizers.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { SavedModel, Session, Tensor } from 'tf-session';
import { cluster } from './asan-cluster.mjs';
import { everyFixtureFast } from './asan-fast.mjs';
import { calls, fixture, fixtures, TEXTS } from './asan-fixtures.mjs';
import { prints } from './asan-prints.mjs';
import { fromDist } from './dist.mjs';

/** The field of a MetaGraphDef. */
const GRAPH_DEF = 2;
const scalar = (value, dtype) => Tensor.from([value], [], dtype);
const collect = () => globalThis.gc();

async function everyFixture() {
  for (const { name, config, opLibraries } of fixtures()) {
    const model = await SavedModel.load(fixture(name), { config, opLibraries });
    // Some can't be filled so (handles), and some models fail on purpose: errors have memory too.
    const runs = calls(model, 4).map(async ({ signature, i, fill }) =>
      model.run(fill(), { signature, ...(i === 3 && { strings: 'bytes' }) }),
    );
    const results = await Promise.allSettled(runs);
    await model.close();
    collect();
    // Outputs outlive their session.
    for (const { value = {} } of results) for (const tensor of Object.values(value)) touch(tensor);
    const failed = results.filter(({ status }) => status === 'rejected').length;
    console.log(`${name}: ${runs.length} runs, ${failed} with errors`);
  }
}

/** Graphs read, rewritten and made into sessions: by rules, exactly, for devices; explained, and closed in between. */
async function everyFixturePlaced() {
  for (const { name, config, opLibraries } of fixtures()) {
    // What is there for models saved on a device that is not here: they forget it. Exact contradicts it.
    const { allowSoftPlacement: _, ...hard } = config;
    const placement = [{ op: '**', device: '/CPU:1' }];
    const options = { config: hard, clearDevices: true, placement, opLibraries };
    const seen = [];
    for (const exact of [false, true]) {
      const model = await SavedModel.load(fixture(name), { ...options, exact });
      const ended = await Promise.allSettled(
        calls(model, 1).flatMap(({ signature, fill }) => [
          (async () => model.run(fill(), { signature }))(),
          (async () => model.run(fill(), { signature, device: '/CPU:0' }))(),
          (async () => model.explain(fill(), { signature }))(),
        ]),
      );
      // A session that is in the making when its model closes.
      const late = calls(model, 1)[0];
      const last = late && model.run(late.fill(), { signature: late.signature, device: '/CPU:1' });
      const closing = model.close();
      await Promise.allSettled([last, closing]);
      await closing;
      collect();
      const failed = ended.filter(({ status }) => status === 'rejected').length;
      seen.push(`${ended.length} calls, ${failed} with errors`);
    }
    console.log(`${name}, placed: ${seen[0]}; exact: ${seen[1]}`);
  }
}

/** Graphs cut off, damaged and whole, listed and rewritten: each in memory of its own, so that no step beyond is hidden. */
async function graphs() {
  const [{ addon }, { readMetaGraphBytes }, { payloads }] = await Promise.all(
    ['runtime/addon.js', 'saved-model/reader.js', 'saved-model/wire.js'].map(fromDist),
  );
  for (const name of ['tf1-variables', 'control-flow-v2']) {
    const [graph] = payloads(await readMetaGraphBytes(fixture(name), ['serve']), GRAPH_DEF);
    const copy = (length = graph.length) => new Uint8Array(graph.subarray(0, length));
    const whole = await addon().readGraph(copy(), [], []);
    const names = whole.names(0, whole.index().length);
    for (let round = 0; round < 4000; round++) {
      const bytes = copy(round % 2 === 0 ? (round * 997) % graph.length : undefined);
      if (round % 2 === 1) bytes[(round * 7919) % bytes.length] ^= 1 << (round % 8);
      const source = await addon().readGraph(bytes, names, names).catch(damaged);
      if (source === undefined) continue;
      const { length } = source.index();
      source.names(0, length + 1);
      // A code too many: all is rewritten, and nothing reaches TensorFlow, which is not ours to check.
      const changes = {
        codes: new Uint32Array(length + 1).fill(2 ** 31 + 1),
        table: ['/device:CPU:1'],
        callConfig: bytes,
      };
      assert.equal(await source.createSession(changes, undefined).catch(damaged), undefined);
    }
    // The caller's bytes are his own again after the call.
    const bytes = copy();
    const making = Session.fromGraphDef(bytes, { clearDevices: true });
    bytes.fill(255);
    await (await making).close();
  }
}

function damaged(error) {
  assert.match(error.code, /^(DATA_LOSS|INTERNAL)$/);
}

function touch({ data, dtype }) {
  if (dtype === 'string') return data.map((text) => text.length);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return bytes.reduce((sum, byte) => sum + byte, 0);
}

/** Outputs that are the input's memory, a variable's, a constant's, or their own; large ones and small ones. */
async function sharedMemory() {
  for (const name of ['copies', 'copies-functions']) {
    const model = await SavedModel.load(fixture(name));
    const kept = [];
    for (let round = 0; round < 10; round++) {
      for (const [signature, { inputs }] of Object.entries(model.signatures)) {
        const keys = Object.keys(inputs);
        const borrowed = Object.fromEntries(keys.map((key) => [key, Tensor.allocate('float32', [256, 256])]));
        const outputs = await model.run(borrowed, { signature }).catch(() => ({}));
        for (const tensor of Object.values(outputs)) if (round % 2 === 0) tensor.data.fill?.(round);
        kept.push(...Object.values(outputs));
        await Promise.all(keys.map((key) => borrowed[key].released));
      }
      collect();
    }
    await model.close();
    for (const tensor of kept) touch(tensor);
  }
  collect();
}

async function manyStrings() {
  const model = await SavedModel.load(fixture('strings'));
  const text = Tensor.from(Array.from({ length: 20_000 }, (_, i) => TEXTS[i % 6]));
  for (const signature of Object.keys(model.signatures)) {
    const [key] = Object.keys(model.signatures[signature].inputs);
    const inputs = key === undefined ? {} : { [key]: text };
    await Promise.allSettled([1, 2, 3].map(() => model.run(inputs, { signature })));
    assert.throws(() => model.runSync({ none: text }, { signature }), { name: 'TensorFlowError' });
  }
  await model.close();
}

/** Runs in flight and waiting ones, when their session ends, their caller gives up, or nobody holds them any more. */
async function endings() {
  const endless = () => scalar(-1, 'int32');
  for (const after of [0, 1, 20]) {
    const model = await SavedModel.load(fixture('endless'));
    const abort = new AbortController();
    const run = (i) =>
      model.run(
        { n: endless() },
        { timeout: i === 0 ? 5 : undefined, signal: i < 6 ? abort.signal : undefined },
      );
    const ended = Promise.allSettled(Array.from({ length: 12 }, (_, i) => run(i)));
    await sleep(after);
    abort.abort(new Error('enough'));
    const closed = model.close({ cancel: true });
    assert.ok((await ended).every(({ status }) => status === 'rejected'));
    await Promise.all([closed, model.close(), model.close({ cancel: true })]);
    await assert.rejects(model.run({ n: endless() }), { code: 'FAILED_PRECONDITION' });
  }
  const slow = await SavedModel.load(fixture('slow'));
  const runs = Array.from({ length: 8 }, () => slow.run({ n: scalar(64, 'int32'), k: scalar(30, 'int32') }));
  await Promise.all([slow.close(), ...runs]);

  // Never closed: the collector has to.
  for (let i = 0; i < 5; i++) {
    const left = await SavedModel.load(fixture('tf2-functions'));
    const [signature] = Object.keys(left.signatures);
    void (async () => left.run({}, { signature }))().catch(() => {});
  }
  for (let i = 0; i < 10; i++) {
    collect();
    await sleep(10);
  }
}

async function failures() {
  await assert.rejects(SavedModel.load(fixture('nowhere')), { name: 'TensorFlowError' });
  await assert.rejects(SavedModel.load(fixture('counter'), { tags: ['other'] }), { name: 'TensorFlowError' });
  await assert.rejects(SavedModel.load(fixture('counter'), { config: new Uint8Array([255]) }));
  const model = await SavedModel.load(fixture('dims'));
  await assert.rejects(model.session.run(['nothing:0']), { name: 'TensorFlowError' });
  await assert.rejects(model.session.run([], {}, { targets: ['nothing'] }), { name: 'TensorFlowError' });
  await model.close();
}

/** Environments that end while their runs go on. */
async function workers() {
  for (const after of [0, 50, 200, 500]) {
    const worker = new Worker(new URL(import.meta.url));
    const ready = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if (after > 0) await ready;
    await sleep(after);
    await worker.terminate();
  }
}

async function inWorker() {
  const options = { config: { deviceCount: { CPU: 4 } }, placement: [{ type: 'MatMul', device: '/CPU:1' }] };
  const model = await SavedModel.load(fixture('slow'), options);
  for (let i = 0; i < 6; i++) {
    void model.run({ n: scalar(64, 'int32'), k: scalar(2000, 'int32') }).catch(() => {});
  }
  // Graphs that are being read and sessions that are being made have their end, too.
  for (const device of ['/CPU:0', '/CPU:1', '/CPU:2', '/CPU:3']) {
    void model.run({ n: scalar(64, 'int32'), k: scalar(2000, 'int32') }, { device }).catch(() => {});
    void SavedModel.load(fixture('keras-nested'), { clearDevices: true }).catch(() => {});
  }
  parentPort.postMessage('running');
}

if (isMainThread) {
  for (const part of [
    failures,
    graphs,
    everyFixture,
    everyFixturePlaced,
    everyFixtureFast,
    sharedMemory,
    manyStrings,
    prints,
    cluster,
    endings,
    workers,
  ]) {
    const start = performance.now();
    await part();
    console.log(`${part.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  // The process ends while runs go on, which would not end by themselves.
  const model = await SavedModel.load(fixture('endless'));
  for (let i = 0; i < 6; i++) void model.run({ n: scalar(-1, 'int32') }).catch(() => {});
  await sleep(50);
  console.log('The driver came to its end.');
  process.exit(0);
} else {
  await inWorker();
}

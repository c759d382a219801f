// What runs under AddressSanitizer beside the tests: all fixtures on all ways to a session, graphs damaged in thousands of
// ways, environments and servers that end in the midst of work. Values are the tests' business; here it is enough that
// nothing is touched that should not be.
//
// Started by asan.mjs. TF_SESSION_ADDON names the addon with the sanitizers.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { SavedModel, Session, Tensor, tensorflow } from 'tf-session';
import { cluster } from './asan-cluster.mjs';
import { everyFixtureFast } from './asan-fast.mjs';
import { calls, fixture, fixtures } from './asan-fixtures.mjs';
import { prints } from './asan-prints.mjs';
import { fromDist } from './dist.mjs';

/** The field of a MetaGraphDef. */
const GRAPH_DEF = 2;
const scalar = (value, dtype) => Tensor.from([value], [], dtype);
const collect = () => globalThis.gc();

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
  await tensorflow.open();
  for (const part of [graphs, everyFixturePlaced, everyFixtureFast, prints, cluster, workers]) {
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

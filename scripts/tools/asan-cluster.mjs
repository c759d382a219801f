// Under AddressSanitizer: sessions on a server, whose requests are on threads that may outlive environments.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SavedModel, startServer, Tensor } from 'tf-session';
import { fixture } from './asan-fixtures.mjs';
import { freePorts } from './free-ports.mjs';

const ROW = { x: [[0, 1, 2, 3, 4, 5, 6, 7]] };
const FOREVER = { n: Tensor.from([-1], [], 'int32') };
const THREAD = `
  const { SavedModel, Tensor } = await import('tf-session');
  const { parentPort, workerData } = await import('node:worker_threads');
  const model = await SavedModel.load(workerData.folder, { target: workerData.target });
  for (let i = 0; i < 5; i++) model.run({ n: Tensor.from([-1], [], 'int32') }).catch(() => {});
  setTimeout(() => parentPort.postMessage('running'), 100);
`;

export async function cluster() {
  const [port] = await freePorts(1);
  const cluster = { worker: [`127.0.0.1:${port}`] };
  const start = () => startServer({ cluster, job: 'worker', task: 0, listenOnAllInterfaces: true });
  let server = await start();
  const load = (name, options) =>
    SavedModel.load(fixture(name), { target: server.target, cluster, ...options });

  const model = await load('tf2-functions', { concurrency: 4 });
  const values = await Promise.all(Array.from({ length: 200 }, () => model.run(ROW)));
  const explained = await model.explain(ROW);
  assert.ok(values.every(({ y }) => y.data.length === 4) && explained.ops.length > 0);
  await load('tf2-functions'); // for the collector
  globalThis.gc();

  const endless = await load('endless');
  const cancelled = Promise.allSettled(Array.from({ length: 20 }, () => endless.run(FOREVER)));
  await sleep(100);
  await endless.close({ cancel: true });
  assert.ok((await cancelled).every(({ reason }) => reason?.code === 'CANCELLED'));

  await terminate(server, 'live');
  const running = await load('endless');
  const lost = Promise.allSettled(Array.from({ length: 20 }, () => running.run(FOREVER)));
  await sleep(100);
  process.kill(server.pid, 'SIGKILL');
  assert.ok((await lost).every(({ reason }) => reason?.code === 'UNAVAILABLE'));
  await running.close();
  server = await start();
  await model.reconnect();
  assert.equal((await model.run(ROW)).y.data.length, 4);
  await terminate(server, 'dead');
  await model.close();
  console.log('a cluster: runs, a trace, cancelled, lost, made again, threads terminated');
}

/** A thread is terminated in the midst of runs. */
async function terminate(server, state) {
  const workerData = { folder: fixture('endless'), target: server.target };
  const worker = new Worker(THREAD, { eval: true, execArgv: ['--input-type=module'], workerData });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  if (state === 'dead') process.kill(server.pid, 'SIGKILL');
  await worker.terminate();
}

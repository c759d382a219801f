// A worker thread that is terminated while it runs on the GPU.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { SavedModel, Tensor } from 'tf-session';
import { apart, counts, expectation, mostOn, plain, short, within } from '../rig/seen.mjs';

export const title = 'a worker thread is terminated while it runs on the GPU';
export const needs = [];
const SELF = fileURLToPath(import.meta.url);
const LIMIT_MS = 10_000;
const inputs = (k) => ({ k: Tensor.from([k], [], 'int32'), n: Tensor.from([256], [], 'int32') });

if (workerData?.program === SELF) await endless(workerData);

/** In the worker: products without end. */
async function endless({ folder, config, device }) {
  const model = await SavedModel.load(folder, { config });
  parentPort.postMessage(counts(await model.explain(inputs(2), { device })));
  await model.run(inputs(1_000_000_000), { device });
  parentPort.postMessage('it ended by itself');
}

export async function see(context) {
  const slow = await context.fixture('slow');
  const { folder, inputs: small, outputs } = await context.fixture('tf2-functions');
  const config = context.config({ allowSoftPlacement: true });
  const model = await SavedModel.load(folder, { config });
  const program = SELF;
  const worker = new Worker(SELF, {
    workerData: { program, folder: slow.folder, config, device: context.gpu },
  });
  const inWorker = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  let more = '';
  worker.on('message', (message) => {
    more = message;
  });
  await sleep(500);
  const began = performance.now();
  const code = await worker.terminate();
  const terminateMs = performance.now() - began;
  const device = context.gpu;
  const given = await model.run(small, { device });
  return {
    gpu: short(device),
    inWorker,
    wasRunning: more === '',
    terminateMs,
    where: counts(await model.explain(small, { device })),
    apart: plain(apart(outputs, given)),
    noted: { exitCode: code },
  };
}

export function judge({ gpu, inWorker, wasRunning, terminateMs, where, apart }) {
  return [
    expectation('the worker ran on the GPU', inWorker, mostOn(inWorker, gpu)),
    expectation('and was in the middle of a run', String(wasRunning), wasRunning === true),
    expectation(
      `it was gone within ${LIMIT_MS / 1000} s`,
      `${terminateMs?.toFixed?.(0)} ms`,
      within(terminateMs, 0, LIMIT_MS),
    ),
    expectation('the main thread runs on the GPU', where, mostOn(where, gpu)),
    expectation('with the right values, to 1e-3', apart, within(apart, 0, 1e-3)),
  ];
}

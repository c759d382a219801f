// Loads a model where no usable library is, and shows that the process is none the worse for it.
import { stat } from 'node:fs/promises';
import { isMainThread, Worker } from 'node:worker_threads';
import { load, tensorflow } from './common.mjs';

const failures = [];
for (const attempt of [() => load('slow'), () => tensorflow.open(), () => tensorflow.devices()]) {
  try {
    await attempt();
    failures.push('none');
  } catch (error) {
    failures.push({ name: error.constructor.name, code: error.code, message: error.message });
  }
}
await stat('.');
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const status = await new Promise((resolve) => worker.once('exit', resolve));
  console.log(JSON.stringify({ failures, status }));
}

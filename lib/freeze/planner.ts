/** The thread that plans: a program, started by plan-aside.ts. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { type FreezeJob, plan } from './plan.js';
import type { Value } from './value.js';

const port = parentPort!;

const planned = await plan(workerData as FreezeJob, async (reading) => {
  port.postMessage({ reading });
  const [values] = (await once(port, 'message')) as [Value[]];
  return values;
});
const nodes =
  planned === undefined ? [] : [planned.changes.replaced, ...planned.changes.copies.map(([, , own]) => own)];
const arrays = nodes.flatMap(({ numbers, defs, contents }) => [numbers, defs, ...contents]);
const buffers = arrays.flatMap((array) => (typeof array === 'object' ? (array.buffer as ArrayBuffer) : []));
port.postMessage({ planned }, [...new Set(buffers)]);

// A model on the workers of a cluster: split by rule over two of them, then a copy on each. The workers are started by plain
// commands; three on one machine, or, with other addresses in the same file, on three machines.
//
//   tf-session worker --cluster scripts/examples/cluster.json --job worker --task 0 --listen-on-all-interfaces
//   … the same with --task 1, and with --task 2
//   node scripts/examples/cluster.mjs scripts/examples/cluster.json
import { readFile } from 'node:fs/promises';
import { SavedModel, Tensor } from 'tf-session';
import { basicPitch } from '../models/basic-pitch.mjs';

const cluster = JSON.parse(
  await readFile(process.argv[2] ?? new URL('cluster.json', import.meta.url), 'utf8'),
);
const tasks = Object.keys(cluster.worker).map((task) => `/job:worker/task:${task}`);
const folder = await basicPitch(); // any SavedModel, on a path that every worker can read
const inputs = { input_2: Tensor.from(new Float32Array(43844), [1, 43844, 1]) };

// Split: rules name the devices of every task.
const split = await SavedModel.load(folder, {
  target: tasks[0],
  cluster,
  placement: [{ type: 'Conv2D', device: `${tasks[1]}/CPU:0` }],
});
const { ops, transfers } = await split.explain(inputs);
const count = new Map();
for (const { actual } of ops) if (actual !== null) count.set(actual, (count.get(actual) ?? 0) + 1);
console.log('Split over two workers: ops that ran, by device', Object.fromEntries(count));
const wired = transfers.filter(({ networkUs }) => networkUs !== undefined);
const bytes = wired.reduce((sum, transfer) => sum + transfer.bytes, 0);
console.log(`Each run sends ${wired.length} tensors from worker to worker, ${(bytes / 1e6).toFixed(1)} MB.`);
await split.close();

// Spread: each worker has a copy, and a run goes to the least busy. Kill one meanwhile: the others go on.
const spread = await SavedModel.load(folder, { cluster, replicas: tasks, failover: true });
const began = performance.now();
const runs = Array.from({ length: 60 }, () => spread.run(inputs, { timeout: 10_000 }));
await Promise.all(runs);
const perSecond = (1000 * runs.length) / (performance.now() - began);
console.log(`A copy on each of ${tasks.length} workers: ${perSecond.toFixed(0)} runs a second`);
for (const { task, state } of spread.replicas) console.log(`  ${task} is ${state}`);
await spread.close();

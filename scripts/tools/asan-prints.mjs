// What models print, under AddressSanitizer: texts that cross from TensorFlow's threads to environments that come and go.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { create, toBinary } from '@bufbuild/protobuf';
import { Session, tensorflow } from 'tf-session';
import { fromDist } from './dist.mjs';

const RUNS = 300;
const LISTENER = `
  const { tensorflow } = await import('tf-session');
  const { parentPort } = await import('node:worker_threads');
  await tensorflow.open();
  tensorflow.on('log', () => {});
  parentPort.postMessage('listening');
  setInterval(() => {}, 1000);
`;

export async function prints() {
  const session = await Session.fromGraphDef(await printer());
  let heard = 0;
  const listener = () => heard++;
  tensorflow.on('log', listener);
  const workers = await Promise.all([0, 20, 60].map(listening));
  const runs = Array.from({ length: RUNS }, (_, i) =>
    session.run(['y:0'], { 'x:0': `text ${i} ${'x'.repeat(i)}` }),
  );
  // Environments end while texts are on their way to them.
  for (const { worker, after } of workers) {
    await sleep(after);
    await worker.terminate();
  }
  await Promise.all(runs);
  for (let i = 0; i < 100 && heard < RUNS; i++) await sleep(10);
  assert.equal(heard, RUNS);
  tensorflow.off('log', listener);
  tensorflow.on('log', listener);
  await session.close();
  tensorflow.off('log', listener);
}

async function listening(after) {
  const worker = new Worker(LISTENER, { eval: true, execArgv: ['--input-type=module'] });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, after };
}

/** Prints `x`, and hands it on. */
async function printer() {
  const { GraphDefSchema } = await fromDist('proto/tensorflow/core/framework/graph_pb.js');
  const type = { value: { case: 'type', value: 7 } };
  const stream = { value: { case: 's', value: new TextEncoder().encode('stderr') } };
  const node = [
    { name: 'x', op: 'Placeholder', attr: { dtype: type } },
    { name: 'print', op: 'PrintV2', input: ['x'], attr: { output_stream: stream } },
    { name: 'y', op: 'Identity', input: ['x', '^print'], attr: { T: type } },
  ];
  return toBinary(GraphDefSchema, create(GraphDefSchema, { node, versions: { producer: 2000 } }));
}

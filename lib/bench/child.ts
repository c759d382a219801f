/** The process that measures one candidate: threads and GPU memory are per process, and so is the peak of memory. */

import { joinRows } from '../batcher/rows.js';
import type { DataOf, DType } from '../dtype.js';
import { TensorFlowError } from '../errors.js';
import { tensorflow } from '../runtime/tensorflow.js';
import { SavedModel } from '../saved-model.js';
import { Tensor } from '../tensor.js';
import type { Candidate, FromChild, SentTensor, ToChild } from './job.js';

/** Runs before the first round: graphs are optimized, caches filled, and the faster executor is found out. */
const WARM_UP_RUNS = 24;
const WARM_UP_MS = 1000;

let runOnce: () => Promise<unknown>;
let model: SavedModel;
let concurrency = 1;

function answer(message: FromChild): void {
  process.send!(message);
}

function receive({ dtype, shape, data }: SentTensor): Tensor {
  return Tensor.wrap(dtype as DType, shape, data as DataOf<DType>);
}

/** An input with this many rows, where its first dimension is open. */
function withRows(tensor: Tensor, isOpen: boolean, batch: number | undefined, name: string): Tensor {
  if (batch === undefined || tensor.shape[0] === batch) return tensor;
  if (!isOpen) {
    if (tensor.shape.length === 0) return tensor;
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The input "${name}" has a fixed first dimension of ${tensor.shape[0]}: it cannot be run in batches of ${batch}.`,
    );
  }
  const copies = Array.from({ length: Math.ceil(batch / Math.max(1, tensor.shape[0]!)) }, () => tensor);
  const joined = joinRows(copies, 0);
  const row = joined.data.length / joined.shape[0]!;
  return Tensor.wrap(
    joined.dtype,
    [batch, ...joined.shape.slice(1)],
    joined.data.slice(0, batch * row) as never,
  );
}

async function start(candidate: Candidate, library: string | undefined, wantOutputs: boolean): Promise<void> {
  await tensorflow.open({ library });
  const begin = performance.now();
  model = await SavedModel.load(candidate.directory, candidate.options);
  const loadMs = performance.now() - begin;
  const call = model.prepare(candidate.run);
  const infos = model.signatures[candidate.run.signature!]!.inputs;
  const inputs = Object.fromEntries(
    Object.entries(candidate.inputs).map(([name, sent]) => {
      const info = infos[name]!;
      return [
        name,
        withRows(receive(sent), info.shape === null || info.shape[0] === -1, candidate.batch, name),
      ];
    }),
  );
  concurrency = candidate.concurrency ?? 1;
  const firstBegin = performance.now();
  const first = await call.run(inputs);
  const firstRunUs = (performance.now() - firstBegin) * 1000;
  const batcher = candidate.batches === true ? model.batcher(candidate.run) : undefined;
  runOnce = batcher === undefined ? () => call.run(inputs) : () => batcher.run(inputs);
  const end = performance.now() + WARM_UP_MS;
  for (let i = 0; i < WARM_UP_RUNS && (i < 2 || performance.now() < end); i++) await runOnce();
  const outputs = wantOutputs
    ? Object.fromEntries(
        Object.entries(first).map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data }]),
      )
    : undefined;
  answer({ kind: 'started', loadMs, firstRunUs, outputs });
}

async function round(milliseconds: number, leastRuns: number): Promise<void> {
  const samples: number[] = [];
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const end = begin + milliseconds;
  let begun = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (begun < leastRuns || performance.now() < end) {
        begun++;
        const start = performance.now();
        await runOnce();
        samples.push((performance.now() - start) * 1000);
      }
    }),
  );
  const wallUs = (performance.now() - begin) * 1000;
  const { user, system } = process.cpuUsage(cpu);
  answer({
    kind: 'round',
    samples: Float64Array.from(samples),
    wallUs,
    cpuUs: user + system,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  });
}

async function obey(message: ToChild): Promise<void> {
  if (message.kind === 'start') await start(message.candidate, message.library, message.wantOutputs);
  else if (message.kind === 'round') await round(message.milliseconds, message.leastRuns);
  else process.exit();
}

process.on('message', (message: ToChild) => {
  obey(message).catch((error) => {
    const code = error instanceof TensorFlowError ? error.code : 'UNKNOWN';
    answer({ kind: 'error', code, message: error instanceof Error ? error.message : String(error) });
  });
});
// The parent is gone: nobody asks any more.
process.on('disconnect', () => process.exit());

/** Traces of real runs: what is in them, and whether readers take them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChromeTrace, decodeRunMetadata } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { temporaryDirectory } from '../saved-model/models.js';
import { FOUR, traceBasicPitch } from './basic-pitch.js';
import { checkChromeTrace } from './chrome-format.js';

const CPU = (i: number) => `/job:localhost/replica:0/task:0/device:CPU:${i}`;
const ROW = { x: [[1, 2, 3, 4, 5, 6, 7, 8]] };

describe.each([
  ['fused and inlined', FOUR],
  ['exact, functions as they are', { ...FOUR, exact: true }],
  ['frozen', { ...FOUR, freeze: true }],
])('Basic Pitch on four devices, %s', (_, load) => {
  it('is traced whole: each node execution once, each op that ran, nothing outside of the run', async () => {
    const trace = await traceBasicPitch(load);
    const recorded = decodeRunMetadata(trace.metadata).stepStats!.devStats;
    const executions = recorded.flatMap(({ device, nodeStats }) =>
      nodeStats.map(({ nodeName }) => `${device} ${nodeName}`),
    );
    expect(trace.events.map(({ device, kernel }) => `${device} ${kernel.name}`).sort()).toEqual(
      executions.sort(),
    );
    expect(trace.devices).toEqual([0, 1, 2, 3].map(CPU));

    const seen = new Set(
      trace.events.flatMap((each) => [each.name, ...each.fused].map((name) => `${each.function} ${name}`)),
    );
    const ran = trace.report.ops.filter(({ actual }) => actual !== null);
    expect(ran.length).toBeGreaterThan(250);
    expect(ran.filter(({ name, function: scope }) => !seen.has(`${scope} ${name}`))).toEqual([]);

    for (const { startUs, durationUs } of trace.events) {
      expect(startUs).toBeGreaterThanOrEqual(0);
      expect(startUs + durationUs).toBeLessThanOrEqual(trace.durationUs);
    }
    const spans = checkChromeTrace(trace.toChromeTrace());
    expect(spans).toHaveLength(trace.events.length + 1);
    console.log(
      `${trace.events.length} events for ${executions.length} node executions, ${ran.length} ops ran, ${trace.transfers.length} arrows`,
    );
  });

  it('has an arrow for each tensor that crosses', async () => {
    const trace = await traceBasicPitch(load);
    const key = (tensor: string, from: string, to: string) => `${tensor} ${from} -> ${to}`;
    const arrows = new Map<string, number>();
    for (const { tensor, bytes, from, to } of trace.transfers) {
      const at = key(tensor, trace.events[from]!.device, trace.events[to]!.device);
      arrows.set(at, (arrows.get(at) ?? 0) + bytes);
    }
    const reported = new Map(
      trace.report.transfers.map(({ tensor, from, to, bytes }) => [key(tensor, from, to), bytes]),
    );
    expect(Object.fromEntries(arrows)).toEqual(Object.fromEntries(reported));
  });
});

it('writes what Perfetto and chrome://tracing read: a process a device, ops with type, shapes and bytes', async () => {
  const model = await openFixture('tf2-functions', {
    config: FOUR.config,
    placement: [{ op: 'MatMul', device: '/CPU:1' }],
  });
  const trace = await model.trace(ROW);
  const file = join(await temporaryDirectory(), 'trace.json');
  await trace.writeChromeTrace(file);
  const read = JSON.parse(await readFile(file, 'utf8')) as ChromeTrace;
  checkChromeTrace(read);
  const processes = read.traceEvents
    .filter(({ name }) => name === 'process_name')
    .map(({ args }) => args!.name);
  expect(processes).toEqual(['Run', '/CPU:0', '/CPU:1']);
  const products = read.traceEvents.filter(
    ({ ph, args }) => ph === 'X' && String(args?.['kernel type']).includes('MatMul'),
  );
  expect(products.map(({ name, args }) => [name, args!.outputs, args!.bytes, args!['fused with']])).toEqual([
    ['BiasAdd', ['float32 [1, 16]'], 64, ['MatMul']],
    ['BiasAdd', ['float32 [1, 4]'], 16, ['MatMul']],
  ]);
  expect(read.otherData.TensorFlow).toMatch(/^\d+\.\d+/);
});

it('computes what a run computes, and warms up where that is asked', async () => {
  const model = await openFixture('counter');
  const { outputs } = await model.trace({ by: 1n }, { warmUp: 2 });
  expect(outputs.count!.data[0]).toBe(3n);
  expect((await model.run({ by: 1n })).count!.data[0]).toBe(4n);
});

it('gives ordinary buffers where that is asked, and only the outputs that are', async () => {
  const model = await openFixture('several-signatures');
  const x = { x: [[1, 2, 3]] };
  const { outputs } = await model.trace(x, { outputs: ['sum'], device: '/CPU:0' });
  expect(Object.keys(outputs)).toEqual(['sum']);
  const copied = await model.trace(x, { outputs: 'copy' });
  expect(Object.keys(copied.outputs)).toEqual(['largest', 'sum', 'weighted']);
  const { buffer } = copied.outputs.sum!.data as Float32Array<ArrayBuffer>;
  expect(structuredClone(buffer, { transfer: [buffer] }).byteLength).toBe(4);
});

it('says of a run that fails that there is nothing to see', async () => {
  const model = await openFixture('errors-at-run');
  const error = await failure(model.trace({ indices: [1, 4] }, { signature: 'gather' }));
  expect(error.message).toMatch(/Of a run that fails TensorFlow keeps no metadata/);
  expect([error.code, error.op]).toEqual(['INVALID_ARGUMENT', 'pick_row']);
});

it.each([
  [{ traceLevel: 'NONE' }, /traceLevel must be/],
  [{ warmUp: -1 }, /warmUp must be/],
  [{ level: 1 }, /no key "level"/],
])('refuses the options %j', async (options, message) => {
  const model = await openFixture('tf2-functions');
  expect((await failure(model.trace(ROW, options as never))).message).toMatch(message);
});

it('is the same where the metadata is decoded in a thread', async () => {
  const { SavedModel, Tensor } = (await import(
    '../../dist/index.js' as string
  )) as typeof import('../../lib/index.js');
  const { basicPitch } = await import('../../scripts/models/basic-pitch.mjs');
  const model = await SavedModel.load(await basicPitch(), FOUR);
  try {
    const trace = await model.trace({ input_2: Tensor.from(new Float32Array(43844), [1, 43844, 1]) });
    expect(trace.metadata.length).toBeGreaterThan(256 * 1024);
    const recorded = decodeRunMetadata(trace.metadata).stepStats!.devStats;
    expect(trace.events).toHaveLength(recorded.reduce((sum, { nodeStats }) => sum + nodeStats.length, 0));
    expect(trace.report.transfers.length).toBeGreaterThan(50);
  } finally {
    await model.close();
  }
});

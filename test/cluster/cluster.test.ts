/** Real models on TensorFlow's own servers, in processes of their own. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel, Tensor, type Trace } from '../../lib/index.js';
import { isSameTask } from '../../lib/placement/device.js';
import { addon } from '../../lib/runtime/addon.js';
import { basicPitch } from '../../scripts/models/basic-pitch.mjs';
import { arithmeticGraph } from '../compat/graphs.js';
import { expectCases } from '../helpers/cases.js';
import { collectUntil } from '../helpers/collect.js';
import { failure } from '../helpers/failure.js';
import { casesByTags, openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';
import { checkChromeTrace } from '../trace/chrome-format.js';
import { startWorkers, type Workers } from './workers.js';

let all: Workers;
let target: string;
let ends: () => Promise<void>;

beforeAll(async () => {
  all = await startWorkers(3, { deviceCount: { CPU: 2 } }, (end) => {
    ends = end;
  });
  target = all.workers[0]!.listening.target;
});
afterAll(() => ends());

const CPU = (task: number, i: number) => `/job:worker/replica:0/task:${task}/device:CPU:${i}`;
/** What a process has used of cores so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const ROW = { x: [[0, 1, 2, 3, 4, 5, 6, 7]] };

async function open(name: string, options: LoadOptions): Promise<SavedModel> {
  return openFixture(name, { target, ...options });
}

it('has the devices of every task', async () => {
  const model = await open('tf2-functions', {});
  const names = (await model.devices()).map(({ name }) => name).sort();
  expect(names).toEqual([0, 1, 2].flatMap((task) => [CPU(task, 0), CPU(task, 1)]));
  expect(all.workers[1]!.listening.devices.map(({ name }) => name)).toEqual([CPU(1, 0), CPU(1, 1)]);
});

/** Requests for tensors of other tasks. */
function requestedIn({ events }: Trace): { bytes: number; count: number } {
  const requests = events.filter(({ stream }) => stream === 'network');
  const sizes = requests.flatMap(({ outputs }) => outputs.map(({ bytes }) => bytes));
  return { bytes: sizes.reduce((a, b) => a + b, 0), count: requests.length };
}

describe('Basic Pitch, split by rule over two of three workers', () => {
  const placement = [
    { type: 'Conv2D', device: '/job:worker/task:1/CPU:1' },
    { type: 'Sigmoid', device: '/job:worker/task:0/CPU:1' },
  ];
  const sound = Float32Array.from({ length: 43844 }, (_, i) => Math.sin(i / 9) * Math.sin(i / 4000));
  const inputs = { input_2: Tensor.from(sound, [1, 43844, 1]) };

  it.each([
    ['fused and inlined', {}],
    ['exact', { exact: true }],
    ['frozen', { freeze: true }],
  ])('gives the values of a run in this process, and says which op ran on which task: %s', async (_, how) => {
    const folder = await basicPitch();
    const local = await SavedModel.load(folder);
    onTestFinished(() => local.close());
    const model = await SavedModel.load(folder, { target, placement, ...how });
    onTestFinished(() => model.close());
    const [expected, given] = [await local.run(inputs), await model.run(inputs)];
    let difference = 0;
    for (const [name, { data }] of Object.entries(expected)) {
      const other = given[name]!.data as Float32Array;
      (data as Float32Array).forEach((value, i) => {
        difference = Math.max(difference, Math.abs(value - other[i]!));
      });
    }
    expect(difference).toBeLessThan(1e-5);

    const trace = await model.trace(inputs);
    checkChromeTrace(trace.toChromeTrace());
    const { report } = trace;
    const convolutions = report.ops.filter(({ type, actual }) => type === 'Conv2D' && actual !== null);
    expect(convolutions.length).toBeGreaterThan(10);
    for (const { actual } of convolutions) expect(actual).toBe(CPU(1, 1));
    const kernels = (task: number) =>
      trace.events.filter(({ stream, device }) => stream === '' && isSameTask(device, CPU(task, 0))).length;
    expect(kernels(0)).toBeGreaterThan(20);
    expect(kernels(1)).toBeGreaterThan(10);
    expect(kernels(2)).toBe(0);

    // What goes from task to task is told apart.
    const wired = report.transfers.filter(({ networkUs }) => networkUs !== undefined);
    expect(wired.length).toBeGreaterThan(5);
    for (const { from, to, networkUs } of report.transfers) {
      expect(isSameTask(from, to)).toBe(networkUs === undefined);
    }
    // Its bytes are those that TensorFlow says it requested. A server hands that list over while it still writes on it: the
    // fullest of some traces counts.
    const reported = wired.reduce((sum, { bytes }) => sum + bytes, 0);
    let requested = requestedIn(trace);
    for (let i = 0; i < 10 && requested.bytes < reported; i++) {
      const again = requestedIn(await model.trace(inputs));
      expect(again.bytes).toBeLessThanOrEqual(reported);
      if (again.bytes > requested.bytes) requested = again;
    }
    expect(requested.bytes).toBe(reported);
    console.log(
      `differs by ${difference.toExponential(1)}; kernels ${kernels(0)} on task 0, ${kernels(1)} on task 1; ` +
        `${wired.length} tensors, ${reported} bytes between tasks, requested ${requested.bytes} in ${requested.count} requests; ` +
        `${report.transfers.length - wired.length} tensors within a task`,
    );
  });
});

describe('fixtures on another task give what Python gave', () => {
  it.each([
    'tf2-functions',
    'strings',
    'several-signatures',
    'counter',
    'control-flow-v2',
    'control-flow-v1',
    'tf1-variables',
    'tf1-main-op',
    'tf1-legacy-init',
    'keras-nested',
    'errors-at-run',
  ])('%s', async (name) => {
    for (const [tags, cases] of casesByTags(name)) {
      const model = await open(name, {
        tags: tags.split(',').filter((tag) => tag !== ''),
        clearDevices: true,
        placement: [{ op: '**', device: '/job:worker/task:2/CPU:1' }],
      });
      await expectCases(model, cases, name);
    }
  });
});

it('says of what TensorFlow does not record that it is so', async () => {
  const model = await open('tf2-functions', {
    config: { graphOptions: { rewriteOptions: { disableMetaOptimizer: true } } },
    placement: [{ type: 'MatMul', device: '/job:worker/task:1/CPU:0' }],
  });
  const { y } = await (await openFixture('tf2-functions')).run(ROW);
  expect((await model.run(ROW)).y!.toNumbers()).toEqual(y!.toNumbers());
  const { ops } = await model.explain(ROW);
  const products = ops.filter(({ type, reason }) => type === 'MatMul' && reason !== 'not run');
  expect(products.map(({ reason, actual }) => [reason, actual])).toEqual([
    ['not recorded', null],
    ['not recorded', null],
  ]);
});

it('says what of the feeds goes from task to task', async () => {
  const model = await open('tf2-functions', {
    placement: [{ op: '**', device: '/job:worker/task:1/CPU:0' }],
  });
  const seen = async () => {
    const { transfers } = await model.explain(ROW);
    return transfers.map(({ tensor, from, bytes }) => ({ tensor, from, bytes }));
  };
  // Now and then TensorFlow's record of a run lacks a request.
  await expect.poll(seen, { timeout: 20_000 }).toEqual([
    { tensor: 'serving_default_x:0', from: CPU(0, 0), bytes: 32 },
    { tensor: 'StatefulPartitionedCall:0', from: CPU(1, 0), bytes: 16 },
  ]);
});

it('restores variables that the restore op leaves out, on another task as well', async () => {
  for (const placement of [[], [{ type: 'VarHandleOp', device: '/job:worker/task:1/CPU:1' }]]) {
    const model = await open('keras-in-module', { placement });
    expect(model.repaired).toHaveLength(14);
    await expectCases(model, casesByTags('keras-in-module').get('serve')!, 'keras-in-module');
  }
});

it('restores variables where they are placed', async () => {
  const model = await open('tf2-functions', {
    placement: [{ type: 'VarHandleOp', device: '/job:worker/task:2/CPU:1' }],
  });
  const report = await model.explain(ROW);
  const variables = report.ops.filter(({ type, actual }) => type === 'VarHandleOp' && actual !== null);
  expect(variables.length).toBeGreaterThan(1);
  for (const { actual } of variables) expect(actual).toBe(CPU(2, 1));
  for (const { from, variable } of report.transfers) if (variable !== undefined) expect(from).toBe(CPU(2, 1));
});

it('runs on another device, or task, from run to run', async () => {
  const model = await open('tf2-functions', {});
  const local = await openFixture('tf2-functions');
  const { y: expected } = await local.run(ROW);
  for (const device of ['/job:worker/task:1/CPU:1', '/job:worker/task:2/CPU:0', '/job:worker/task:1/CPU:1']) {
    const { y } = await model.run(ROW, { device });
    expect(y!.data).toEqual(expected!.data);
    const { ops } = await model.explain(ROW, { device });
    const relu = ops.filter(({ type, actual }) => type === 'Relu' && actual !== null);
    const [, task, index] = /task:(\d)\/CPU:(\d)/.exec(device)!;
    expect(relu.map(({ actual }) => actual)).toEqual([CPU(Number(task), Number(index))]);
  }
});

it('is freed with its connection when nobody holds it any more', async () => {
  const { counts } = addon();
  const before = counts().sessions;
  await (async () => {
    const model = await SavedModel.load(fixture('tf2-functions'), { target, cluster: all.cluster });
    await model.run(ROW);
    expect(counts().sessions).toBeGreaterThan(before);
  })();
  expect(await collectUntil(() => counts().sessions <= before)).toBe(true);
});

it('warns that copies for devices have variables of their own', async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => warnings.push(String((warning as { code?: string }).code));
  process.on('warning', listen);
  const model = await open('counter', {});
  const [signature, { inputs }] = Object.entries(model.signatures).find(
    ([, each]) => Object.keys(each.inputs).length > 0,
  )!;
  await model.run({ [Object.keys(inputs)[0]!]: 1 }, { signature, device: '/job:worker/task:1/CPU:0' });
  await expect.poll(() => warnings).toContain('TF_SESSION_REPLICAS');
  process.off('warning', listen);
});

it('keeps what clients change apart from each other', async () => {
  const [one, other] = [await open('counter', {}), await open('counter', {})];
  const cases = [...casesByTags('counter').values()][0]!;
  await expectCases(one, cases, 'the first client');
  await expectCases(other, cases, 'the second client');
  await one.close();
  await expectCases(await open('counter', {}), cases, 'a third one');
});

it('runs a bare graph there', async () => {
  const session = await arithmeticGraph({
    target: '/job:worker/task:1',
    cluster: all.cluster,
    placement: [{ op: 'y', device: '/job:worker/task:2/CPU:1' }],
  });
  const [y] = await session.run('y', { x: 3 });
  expect(y!.data[0]).toBe(9);
  expect(session.runSync('y', { x: 4 })[0]!.data[0]).toBe(16);
  expect((await session.devices()).length).toBe(6);
  const { code, op } = await failure(session.run('guard/checked', { x: Number.NaN }));
  expect({ code, op }).toEqual({ code: 'INVALID_ARGUMENT', op: 'guard/checked' });
});

describe('what is wrong is said', () => {
  it('addresses in another order than the workers have them', async () => {
    const [first, second, third] = all.cluster.worker as string[];
    const cluster = { worker: [second!, first!, third!] };
    for (const options of [{ target: '/job:worker/task:0' }, { replicas: ['/job:worker/task:0'] }]) {
      const { code, message } = await failure(openFixture('tf2-functions', { ...options, cluster }));
      expect(code).toBe('FAILED_PRECONDITION');
      expect(message).toContain(`${second} calls itself /job:worker/task:1`);
    }
    const graph = await failure(arithmeticGraph({ target: '/job:worker/task:0', cluster }));
    expect(graph.code).toBe('FAILED_PRECONDITION');
  });

  it('a task that the cluster does not have', async () => {
    const placement = [{ type: 'MatMul', device: '/job:worker/task:7/CPU:0' }];
    const error = await failure(open('tf2-functions', { placement }));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain('There is no device "/job:worker/task:7/CPU:0"');
    expect(error.message).toContain('/job:worker/task:2/CPU:1');
    expect(error.message).toContain('the config of its own worker');
  });

  it('a limit of time that is over, on a run that goes on elsewhere, which is ended there, too', async () => {
    const model = await open('endless', { placement: [{ op: '**', device: '/job:worker/task:1/CPU:0' }] });
    const n = Tensor.from([-1], [], 'int32');
    const began = performance.now();
    const error = await failure(model.run({ n }, { timeout: 300 }));
    expect(error.code).toBe('DEADLINE_EXCEEDED');
    expect(performance.now() - began).toBeLessThan(3000);
    // The task has nothing to do any more, and the session serves on.
    const before = cpuSeconds(all.workers[1]!.pid);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(cpuSeconds(all.workers[1]!.pid) - before).toBeLessThan(0.2);
    await model.run({ n: Tensor.from([3], [], 'int32') });
    const aborted = await model
      .run({ n }, { signal: AbortSignal.timeout(100) })
      .catch((reason: Error) => reason.name);
    expect(aborted).toBe('TimeoutError');
    await model.close({ cancel: true });
  });
});

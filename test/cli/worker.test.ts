/** `tf-session worker`, and commands on a cluster. */
import { beforeAll, describe, expect, it } from 'vitest';
import { SavedModel } from '../../lib/index.js';
import { startWorkers } from '../cluster/workers.js';
import { fixture } from '../saved-model/models.js';
import { command, commandJson, expectFailure, hasLibrary, temporaryFile } from './command.js';

const FLAGS = ['--job', 'worker', '--task', '0', '--listen-on-all-interfaces'];
const MODEL = fixture('tf2-functions');

let canRun = false;
beforeAll(async () => {
  canRun = await hasLibrary();
});

describe('refuses, before anything is opened,', () => {
  const cluster = (spec: unknown) => temporaryFile('cluster.json', JSON.stringify(spec));

  it('to start without being told that the danger is known', async () => {
    const args = ['worker', '--cluster', await cluster({ worker: ['a:1'] }), ...FLAGS.slice(0, -1)];
    const ended = await command(args);
    expectFailure(ended, 2, /--listen-on-all-interfaces/);
    expect(ended.stderr).toMatch(/every interface/);
    expect(ended.stderr).toMatch(/firewall/);
  });

  it.each([
    [{ worker: ['a'] }, FLAGS, /--cluster\.worker\[0\] must be an address/],
    [{ worker: ['a:1'] }, ['--job', 'workr', ...FLAGS.slice(2)], /no job "workr".* Did you mean "worker"\?/],
    [{ worker: ['a:1'] }, ['--job', 'worker', '--task', '7', FLAGS[4]!], /has no task 7/],
    [
      { worker: ['a:1'] },
      ['--job', 'worker', '--task', 'x', FLAGS[4]!],
      /task must be a number, that of the task in the job/,
    ],
    [{ worker: ['a:1'] }, ['--job', 'worker', FLAGS[4]!], /--task/],
  ])('%j %j', async (spec, flags, message) => {
    expectFailure(await command(['worker', '--cluster', await cluster(spec), ...flags]), 2, message);
  });

  it('a cluster that is not there', async () => {
    expectFailure(
      await command(['worker', '--cluster', '/no/such.json', ...FLAGS]),
      2,
      /--cluster: .*does not exist/,
    );
  });
});

describe('a worker', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'ends well with %s, a session and a run being on it',
    async (signal) => {
      if (!canRun) return;
      const { workers } = await startWorkers(1);
      expect(workers[0]!.listening).toMatchObject({ job: 'worker', task: 0, devices: [{ type: 'CPU' }] });
      const model = await SavedModel.load(fixture('endless'), { target: workers[0]!.listening.target });
      const running = model.run({ n: -1 }).catch(({ code }) => code);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await workers[0]!.end(signal)).toBe(0);
      expect(await running).toBe('UNAVAILABLE');
      await model.close();
    },
  );

  it('says that its port is taken', async (context) => {
    if (!canRun) return context.skip('there is no libtensorflow');
    const { file } = await startWorkers(1);
    const ended = await command(['worker', '--cluster', file, ...FLAGS]);
    expectFailure(ended, 1, /FAILED_PRECONDITION: Another program listens on port \d+ already/);
  });
});

it('commands run models on it', async (context) => {
  if (!canRun) return context.skip('there is no libtensorflow');
  const { workers, file, names } = await startWorkers(2);
  const rules = await temporaryFile(
    'rules.json',
    JSON.stringify([{ type: 'MatMul', device: '/job:worker/task:1/CPU:0' }]),
  );
  const row = ['--input', 'x=[[0,1,2,3,4,5,6,7]]'];
  const local = await commandJson(['run', MODEL, ...row]);
  const there = ['--target', workers[0]!.listening.target];
  expect(await commandJson(['run', MODEL, ...row, ...there, '--rules', rules])).toEqual(local);
  const spread = ['--cluster', file, ...names.flatMap((name) => ['--replica', name])];
  expect(await commandJson(['run', MODEL, ...row, ...spread])).toEqual(local);

  const placed = await command(['place', MODEL, ...row, ...there, '--rules', rules, '--check']);
  expect(placed.status, placed.stderr).toBe(0);
  expect(placed.stdout).toMatch(/Transfers in each run \(\d+, .*; between tasks \d+, /);
  expect(placed.stdout).toMatch(/\/job:worker\/task:1\/CPU:0/);
  const out = `${rules}.trace`;
  const traced = await commandJson<{ devices: string[] }>([
    'trace',
    MODEL,
    ...there,
    '--rules',
    rules,
    '--out',
    out,
  ]);
  expect(traced.devices).toEqual([0, 1].map((task) => `/job:worker/replica:0/task:${task}/device:CPU:0`));
  const benched = await commandJson<{ results: { perSecond: number }[] }>([
    'bench',
    MODEL,
    ...spread,
    '--concurrency',
    '8',
    '--rounds',
    '1',
  ]);
  expect(benched.results[0]!.perSecond).toBeGreaterThan(0);
  expectFailure(await command(['tune', MODEL, ...there]), 2, /tune is for this machine/);
  expectFailure(
    await command(['run', MODEL, '--target', 'nowhere']),
    2,
    /target must be "grpc:\/\/host:port"/,
  );
});

/** Tasks that die, come back, stand still, or see other files. */
import { execFileSync } from 'node:child_process';
import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LoadOptions, SavedModel, Tensor } from '../../lib/index.js';
import { freePorts } from '../../scripts/tools/free-ports.mjs';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';
import { startWorkers, type Workers } from './workers.js';

const ROW = { x: [[0, 1, 2, 3, 4, 5, 6, 7]] };
const SPLIT = [{ type: 'MatMul', device: '/job:worker/task:1/CPU:0' }];
const n = (value: number) => ({ n: Tensor.from([value], [], 'int32') });

/** On the first of two workers, with what it multiplies on the second. */
async function split(options: LoadOptions = {}): Promise<{ all: Workers; model: SavedModel }> {
  const all = await startWorkers(2);
  const { cluster } = all;
  const model = await openFixture('tf2-functions', {
    target: '/job:worker/task:0',
    cluster,
    placement: SPLIT,
    ...options,
  });
  return { all, model };
}

async function until(isSo: () => boolean | Promise<boolean>, milliseconds = 20_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('It never came to that.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const runs = (model: SavedModel) =>
  model.run(ROW).then(
    () => true,
    () => false,
  );

describe.each([
  ['another task', 1],
  ['the task that is asked', 0],
])('%s dies', (_, which) => {
  it('the run under way is rejected with its name, and so are later ones; reconnect() brings the model back', async () => {
    const { all, model } = await split();
    const local = await openFixture('tf2-functions');
    const expected = (await local.run(ROW)).y!.data;
    const victim = all.workers[which]!;
    expect((await model.run(ROW)).y!.data).toEqual(expected);

    await victim.end();
    for (let i = 0; i < 3; i++) {
      const error = await failure(model.run(ROW));
      expect(error.code).toBe('UNAVAILABLE');
      expect(error.message).toContain(victim.name);
    }
    expect((await failure(model.explain(ROW))).code).toBe('UNAVAILABLE');
    expect((await failure(model.devices())).code).toBe('UNAVAILABLE');
    expect(model.replicas).toMatchObject([{ state: 'lost', running: 0 }]);
    const refused = await failure(model.reconnect());
    expect(refused.code).toBe('UNAVAILABLE');
    expect(refused.message).toContain(victim.name);

    await victim.start();
    await model.reconnect();
    expect((await model.run(ROW)).y!.data).toEqual(expected);
    expect(model.replicas).toMatchObject([{ state: 'ready' }]);
  });

  it('in the middle of a run that would never end', async () => {
    const all = await startWorkers(2);
    const model = await openFixture('endless', {
      target: '/job:worker/task:0',
      cluster: all.cluster,
      placement: [{ op: '**', device: '/job:worker/task:1/CPU:0' }],
    });
    await model.run(n(10));
    const running = failure(model.run(n(-1)));
    setTimeout(() => all.workers[which]!.end(), 200);
    const { code, message } = await running;
    expect(code).toBe('UNAVAILABLE');
    expect(message).toContain(all.workers[which]!.name);
    // Nothing of it is waited for.
    await model.close();
  });

  it('is back at once, with another process: the session is noticed to be gone', async () => {
    const { all, model } = await split({ reconnect: true });
    const victim = all.workers[which]!;
    await victim.end();
    await victim.start();
    await until(() => runs(model));
  });

  it('comes back after a while: with `reconnect` the model does so, too', async () => {
    const { all, model } = await split({ reconnect: true });
    await all.workers[which]!.end();
    await until(async () => !(await runs(model)));
    await all.workers[which]!.start();
    await until(() => runs(model));
  });
});

it('variables are restored anew after a restart', async () => {
  const all = await startWorkers(1);
  const model = await openFixture('counter', { target: '/job:worker/task:0', cluster: all.cluster });
  const [signature] = Object.entries(model.signatures).find(
    ([, { inputs }]) => Object.keys(inputs).length > 0,
  )!;
  const [input] = Object.keys(model.signatures[signature]!.inputs);
  const count = async () =>
    Number(Object.values(await model.run({ [input!]: 1 }, { signature }))[0]!.data[0]);
  const first = await count();
  expect(await count()).toBeGreaterThan(first);
  await all.workers[0]!.end();
  await until(() => model.replicas[0]!.state === 'lost');
  await all.workers[0]!.start();
  await model.reconnect();
  expect(await count()).toBe(first);
});

describe('a task that stands still', () => {
  it('holds a run no longer than its time limit, and serves on when it goes on', async () => {
    const { all, model } = await split();
    await model.run(ROW);
    all.workers[1]!.freeze(true);
    const began = performance.now();
    const { code } = await failure(model.run(ROW, { timeout: 400 }));
    expect(code).toBe('DEADLINE_EXCEEDED');
    expect(performance.now() - began).toBeLessThan(2000);
    all.workers[1]!.freeze(false);
    await until(() => runs(model));
  });

  it.each([
    ['the one that is asked', 0],
    ['another', 1],
  ])('counts as gone when it has been silent for long and a run waits for it: %s', async (_, which) => {
    const all = await startWorkers(2);
    const model = await openFixture('endless', {
      target: '/job:worker/task:0',
      cluster: all.cluster,
      placement: [{ op: '**', device: '/job:worker/task:1/CPU:0' }],
    });
    await model.run(n(3));
    const running = failure(model.run(n(-1)));
    all.workers[which]!.freeze(true);
    const began = performance.now();
    const { code, message } = await running;
    expect(code).toBe('UNAVAILABLE');
    expect(message).toContain(`${all.names[which]} (`);
    expect(message).toContain('does not answer any more (no answer within');
    // 20 seconds, found out by questions five seconds apart.
    expect(performance.now() - began).toBeLessThan(40_000);
  });

  it('holds no close that cancels', async () => {
    const { all, model } = await split();
    all.workers[1]!.freeze(true);
    const running = failure(model.run(ROW));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await model.close({ cancel: true });
    expect((await running).code).toBe('CANCELLED');
  });
});

describe('close()', () => {
  async function endless(): Promise<{
    all: Workers;
    model: SavedModel;
    running: Promise<Error & { code: string }>;
  }> {
    const all = await startWorkers(1);
    const model = await openFixture('endless', { target: '/job:worker/task:0', cluster: all.cluster });
    await model.run(n(3));
    return { all, model, running: failure(model.run(n(-1))) };
  }

  it('that waits for a run ends when the task of that run does', async () => {
    const { all, model, running } = await endless();
    const closing = model.close();
    await all.workers[0]!.end();
    expect((await running).code).toBe('UNAVAILABLE');
    await closing;
  });

  it('may be followed by one that cancels', async () => {
    const { model, running } = await endless();
    const closing = model.close();
    expect((await failure(model.run(n(3)))).code).toBe('FAILED_PRECONDITION');
    await model.close({ cancel: true });
    expect((await running).code).toBe('CANCELLED');
    await closing;
  });

  it('ends a reconnection, and what waits for it', async () => {
    const { all, model } = await split({ reconnect: true });
    await all.workers[0]!.end();
    await until(async () => !(await runs(model)));
    const again = failure(model.reconnect());
    await model.close();
    expect((await again).code).toMatch(/FAILED_PRECONDITION|UNAVAILABLE/);
    expect((await failure(model.reconnect())).code).toBe('FAILED_PRECONDITION');
  });
});

describe('what is not there', () => {
  it("variables, when the task is back: the model is not taken for whole without them, and the path is the load's", async () => {
    const parent = await temporaryDirectory();
    const [folder, variables] = [join(parent, 'model'), join(parent, 'model/variables')];
    cpSync(fixture('tf2-functions'), folder, { recursive: true });
    const all = await startWorkers(1);
    const before = process.cwd();
    process.chdir(parent);
    const model = await SavedModel.load('model', { target: '/job:worker/task:0', cluster: all.cluster });
    process.chdir(before);
    const expected = (await model.run(ROW)).y!.data;
    renameSync(variables, `${variables}.away`);
    await all.workers[0]!.end();
    await all.workers[0]!.start();
    await until(async () => !(await runs(model)));
    expect((await failure(model.reconnect())).code).toBe('NOT_FOUND');
    const told = await failure(model.run(ROW));
    expect(told.code).toBe('UNAVAILABLE');
    expect(told.message).toContain('variables.index');
    renameSync(`${variables}.away`, variables);
    await model.reconnect();
    expect((await model.run(ROW)).y!.data).toEqual(expected);
    await model.close();
  });

  it('an answer of the target, which stands still', async () => {
    const all = await startWorkers(1);
    all.workers[0]!.freeze(true);
    const { code, message } = await failure(
      openFixture('tf2-functions', { target: '/job:worker/task:0', cluster: all.cluster }),
    );
    expect(code).toBe('UNAVAILABLE');
    expect(message).toContain('does not answer (no answer within');
  });

  it('a target is said at once to be so', async () => {
    const target = `grpc://127.0.0.1:${(await freePorts(1))[0]}`;
    const { code, message } = await failure(openFixture('tf2-functions', { target }));
    expect(code).toBe('UNAVAILABLE');
    expect(message).toContain(`${target} does not answer (ECONNREFUSED)`);
  });

  it('another task of the cluster, for which the target would wait', async () => {
    const all = await startWorkers(2);
    await all.workers[1]!.end();
    const { cluster } = all;
    const options = { target: '/job:worker/task:0', cluster };
    const { code, message } = await failure(openFixture('tf2-functions', options));
    expect(code).toBe('UNAVAILABLE');
    expect(message).toContain('/job:worker/task:1');
    // Who does not need it says so.
    const config = { deviceFilters: ['/job:worker/task:0'] };
    await (await openFixture('tf2-functions', { ...options, config })).run(ROW);
    // Without the addresses only time tells.
    const blind = { target: all.workers[0]!.listening.target, config: { operationTimeoutInMs: 1500 } };
    const late = await failure(openFixture('tf2-functions', blind));
    expect(late.code).toBe('UNAVAILABLE');
    expect(late.message).toContain('deviceFilters');
  });

  it("the model's folder, where the task is", async (context) => {
    const folder = join(await temporaryDirectory(), 'model');
    cpSync(fixture('tf2-functions'), folder, { recursive: true });
    const hide = ['unshare', '-rm', 'sh', '-c', `mount -t tmpfs none ${folder} && exec "$0" "$@"`];
    try {
      execFileSync(hide[0]!, [...hide.slice(1), 'true']);
    } catch {
      return context.skip('a file system of its own is needed: unshare -rm');
    }
    const all = await startWorkers(1);
    const [worker] = all.workers;
    await worker!.end();
    await worker!.start(hide);
    const options = { target: worker!.listening.target };
    const { code, message } = await failure(SavedModel.load(folder, options));
    expect(code).toBe('NOT_FOUND');
    expect(message).toContain(`cannot read the model's files, which it was told are in ${folder}`);
    // With the values in the graph nothing has to be read there.
    const model = await SavedModel.load(folder, { ...options, freeze: true });
    const local = await openFixture('tf2-functions');
    const [given, expected] = [await model.run(ROW), await local.run(ROW)];
    expect(given.y!.toNumbers()).toEqual(expected.y!.toNumbers());
    await model.close();
  });
});

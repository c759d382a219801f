/** A model on several tasks at once, under load, while one of them is killed and comes back. */
import { describe, expect, it } from 'vitest';
import { type LoadOptions, type SavedModel, Tensor } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { startWorkers, type Workers } from './workers.js';

const CALLERS = 50;
const TIMEOUT_MS = 5000;
const ROW = { x: [[0, 1, 2, 3, 4, 5, 6, 7]] };

async function spread(options: LoadOptions = {}): Promise<{ all: Workers; model: SavedModel }> {
  const all = await startWorkers(3, { deviceCount: { CPU: 2 } });
  const model = await openFixture('tf2-functions', {
    cluster: all.cluster,
    replicas: all.names,
    placement: [{ type: 'MatMul', device: '/CPU:1' }],
    ...options,
  });
  return { all, model };
}

/** Callers who run one after the other, each with values of his own, until they are stopped. */
class Load {
  right = 0;
  wrong = 0;
  longestMs = 0;
  readonly refusals = new Map<string, number>();
  #isOver = false;
  readonly #callers: Promise<void>[];

  constructor(model: SavedModel, expected: SavedModel) {
    this.#callers = Array.from({ length: CALLERS }, (_, i) => this.#call(model, expected, i));
  }

  async #call(model: SavedModel, expected: SavedModel, caller: number): Promise<void> {
    for (let round = 0; !this.#isOver; round++) {
      const data = Float32Array.from({ length: 8 }, (_, i) => Math.sin(100 * caller + round + i));
      const x = Tensor.from(data, [1, 8]);
      const began = performance.now();
      try {
        const { y } = await model.run({ x }, { timeout: TIMEOUT_MS });
        const want = expected.runSync({ x }).y!.data;
        const isRight = y!.data.every((value, i) => Math.abs(Number(value) - Number(want[i])) < 1e-6);
        if (isRight) this.right++;
        else this.wrong++;
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        const task = /\/job:worker\/task:\d/.exec(message)?.[0];
        const key = `${code} ${task}`;
        this.refusals.set(key, (this.refusals.get(key) ?? 0) + 1);
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - began);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#callers);
  }
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!isSo()) {
    if (Date.now() > end) throw new Error('It never came to that.');
    await wait(20);
  }
}

const states = (model: SavedModel) => model.replicas.map(({ state }) => state);

describe.each([
  ['rejects what ran there, naming it', false],
  ['runs that elsewhere, where the caller has allowed it', true],
])(`${CALLERS} callers, one of three tasks is killed`, (what, failover) => {
  it(`${what}; no wrong value, nobody waits too long, the others serve on, and it is taken back`, async () => {
    const { all, model } = await spread({ failover });
    const local = await openFixture('tf2-functions');
    const load = new Load(model, local);
    await until(() => load.right > 500);
    const victim = all.workers[1]!;

    await victim.end('SIGKILL');
    await until(() => states(model)[1] === 'lost');
    const after = load.right;
    await until(() => load.right > after + 500);
    expect(states(model)).toEqual(['ready', 'lost', 'ready']);
    expect(model.replicas[1]!.reason).toContain(victim.name);

    await victim.start();
    await until(() => states(model)[1] !== 'lost');
    // It gets its share again.
    await until(() => model.replicas[1]!.running > 3);
    const back = load.right;
    await until(() => load.right > back + 500);
    await load.stop();

    expect(load.wrong).toBe(0);
    expect(load.longestMs).toBeLessThan(TIMEOUT_MS);
    const lost = load.refusals.get(`UNAVAILABLE ${victim.name}`) ?? 0;
    expect([...load.refusals.keys()].filter((key) => key !== `UNAVAILABLE ${victim.name}`)).toEqual([]);
    if (failover) expect(lost).toBe(0);
    else expect(lost).toBeGreaterThan(0);
    console.log(
      `${load.right} right, ${load.wrong} wrong, ${lost} rejected with ${victim.name}, longest ${load.longestMs.toFixed(0)} ms`,
    );
  });
});

it('goes to the least busy: a task that stands still gets no more runs while others answer, and is taken back', async () => {
  const { all, model } = await spread();
  const local = await openFixture('tf2-functions');
  const load = new Load(model, local);
  await until(() => load.right > 300);
  all.workers[2]!.freeze(true);
  await until(() => states(model)[2] === 'slow');
  const stuck = model.replicas[2]!.running;
  expect(stuck).toBeGreaterThan(0);
  const before = load.right;
  await until(() => load.right > before + 500);
  // It was given none since.
  expect(model.replicas[2]!.running).toBeLessThanOrEqual(stuck);
  all.workers[2]!.freeze(false);
  await until(() => states(model)[2] === 'ready');
  await load.stop();
  expect(load.wrong).toBe(0);
  expect([...load.refusals.keys()].filter((key) => !key.startsWith('DEADLINE_EXCEEDED'))).toEqual([]);
});

it('reports each replica as it is, and rules mean its own devices', async () => {
  const { model } = await spread();
  for (let i = 0; i < 6; i++) {
    const { ops } = await model.explain(ROW);
    const ran = ops.filter(({ actual }) => actual !== null);
    const tasks = new Set(ran.map(({ actual }) => /task:\d/.exec(actual!)![0]));
    expect(tasks.size).toBe(1);
    const [product] = ran.filter(({ type }) => type === 'MatMul');
    expect(product!.actual).toMatch(/device:CPU:1$/);
  }
});

it('has a copy for each device that runs ask for, on each replica', async () => {
  const { model } = await spread();
  const { y } = await model.run(ROW, { device: '/CPU:1' });
  const { y: expected } = await (await openFixture('tf2-functions')).run(ROW);
  expect(y!.data).toEqual(expected!.data);
  const { ops } = await model.explain(ROW, { device: '/CPU:1' });
  const relu = ops.find(({ type, actual }) => type === 'Relu' && actual !== null);
  expect(relu!.actual).toMatch(/task:\d\/device:CPU:1$/);
});

it('loads while a replica is missing, says so, and takes it in when it comes', async () => {
  const all = await startWorkers(2);
  await all.workers[0]!.end();
  const warnings: string[] = [];
  const listen = (warning: Error) =>
    warnings.push(`${(warning as { code?: string }).code} ${warning.message}`);
  process.on('warning', listen);
  const model = await openFixture('tf2-functions', { cluster: all.cluster, replicas: all.names });
  expect(states(model)).toEqual(['lost', 'ready']);
  await model.run(ROW);
  await all.workers[0]!.start();
  await until(() => states(model)[0] === 'ready');
  process.off('warning', listen);
  expect(warnings.join()).toContain('TF_SESSION_REPLICA_MISSING A replica is left out: /job:worker/task:0');
  await Promise.all(all.workers.map((worker) => worker.end()));
  await until(() => states(model).every((state) => state === 'lost'));
  const { code, message } = await failure(model.run(ROW));
  expect(code).toBe('UNAVAILABLE');
  for (const name of all.names) expect(message).toContain(name);
});

/** A model on the tasks of a cluster is reloaded under load. */
import { expect, it, onTestFinished } from 'vitest';
import { SavedModel } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { addVersion, layOut } from '../helpers/versions.js';
import { fixture } from '../saved-model/models.js';
import { startWorkers } from './workers.js';

it('gets new sessions on the same tasks, and loses no run', async () => {
  const { cluster, names } = await startWorkers(2);
  const home = await layOut(1);
  const model = await SavedModel.load(home, { cluster, replicas: names });
  onTestFinished(() => model.close({ cancel: true }));
  await model.run({}, { signature: 'reset' });
  let [serving, isOver, answers] = [1, false, 0];
  const caller = async () => {
    while (!isOver) {
      const atLeast = serving;
      const { y, version } = await model.run({ x: [3] });
      expect(y!.data).toEqual(new Float32Array([6]));
      expect(Number(version!.data[0])).toBeGreaterThanOrEqual(atLeast);
      answers++;
    }
  };
  const callers = Array.from({ length: 16 }, caller);
  for (const version of [2, 3]) {
    await addVersion(home, version);
    expect(await model.reload()).toBe(true);
    serving = version;
  }
  isOver = true;
  await Promise.all(callers);
  expect(answers).toBeGreaterThan(16);
  expect(model.replicas.map(({ state }) => state)).toEqual(['ready', 'ready']);
  // Each was warmed up, and has variables of its own.
  for (let i = 0; i < 2; i++) {
    const { total } = await model.run({}, { signature: 'read' });
    expect(total!.data).toEqual(new BigInt64Array([4321n]));
  }
  expect((await failure(model.reload(`${fixture('counter')}/nothing`))).code).toBe('NOT_FOUND');
  expect(Number((await model.run({ x: [1] })).version!.data[0])).toBe(3);
});

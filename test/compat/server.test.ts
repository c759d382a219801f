/** TensorFlow's servers, on a library of any version. */
import { describe, expect, it } from 'vitest';
import { TensorFlowError } from '../../lib/index.js';
import { startWorkers } from '../cluster/workers.js';
import { arithmeticGraph } from './graphs.js';
import { isBefore, VERSION } from './library.js';

const NONE = isBefore('1.13');

describe(`servers of TensorFlow ${VERSION}`, () => {
  it('run a graph over two tasks, and end the process well', async (context) => {
    if (NONE) return context.skip('before TensorFlow 1.13 the C library has no servers');
    const { cluster, workers } = await startWorkers(2);
    const session = await arithmeticGraph({
      target: '/job:worker/task:0',
      cluster,
      placement: [{ op: 'y', device: '/job:worker/task:1/CPU:0' }],
    });
    const [y] = await session.run('y', { x: 3 });
    expect(y!.data[0]).toBe(9);
    const devices = (await session.devices()).filter(({ type }) => type === 'CPU');
    expect(devices.map(({ name }) => name).sort()).toEqual(
      [0, 1].map((task) => `/job:worker/replica:0/task:${task}/device:CPU:0`),
    );
    const checked = session.run('guard/checked', { x: Number.NaN });
    await expect(checked).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await session.close();
    expect(await workers[1]!.end('SIGTERM')).toBe(0);
  });

  it('that die take their runs along, and nothing else', async (context) => {
    if (NONE) return context.skip('before TensorFlow 1.13 the C library has no servers');
    const { cluster, workers } = await startWorkers(2);
    const options = { target: '/job:worker/task:0', cluster };
    const split = await arithmeticGraph({
      ...options,
      placement: [{ op: 'y', device: '/job:worker/task:1/CPU:0' }],
    });
    await split.run('y', { x: 3 });
    await workers[1]!.end();
    const error = await split.run('y', { x: 3 }, { timeout: 20_000 }).catch((reason) => reason);
    expect(error).toBeInstanceOf(TensorFlowError);
    expect({ code: error.code, names: error.message.includes('/job:worker/task:1') }, error.message).toEqual({
      code: 'UNAVAILABLE',
      names: true,
    });
    const alone = await arithmeticGraph({ ...options, config: { deviceFilters: ['/job:worker/task:0'] } });
    expect((await alone.run('y', { x: 5 }))[0]!.data[0]).toBe(25);
  });

  it('are said to be lacking where they are', async (context) => {
    if (!NONE) return context.skip('this library has them');
    const error = await startWorkers(1).catch((reason: Error) => reason);
    expect(String(error)).toMatch(/LIBRARY_TOO_OLD.*TF_NewServer.*1\.13/s);
  });
});

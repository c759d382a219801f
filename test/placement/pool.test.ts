/** Sessions by device, with made-up sessions: one at a time, shared, forgotten after a failure, closed together. */
import { describe, expect, it } from 'vitest';
import { SessionPool } from '../../lib/placement/pool.js';
import { failure } from '../helpers/failure.js';

class Fake {
  readonly closed: ({ cancel?: boolean } | undefined)[] = [];
  constructor(readonly device: string) {}
  async close(options?: { cancel?: boolean }): Promise<void> {
    this.closed.push(options);
  }
}

/** A pool whose sessions are ready when the test says so. */
function manual() {
  const asked: { device: string; resolve(): Fake; reject(error: Error): void }[] = [];
  const pool = new SessionPool<Fake>(
    (device) =>
      new Promise((resolve, reject) => {
        const made = () => {
          const fake = new Fake(device);
          resolve(fake);
          return fake;
        };
        asked.push({ device, resolve: made, reject });
      }),
  );
  return { pool, asked };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a pool', () => {
  it('makes the session of a device once, however it is spelled', async () => {
    const made: string[] = [];
    const pool = new SessionPool(async (device) => {
      made.push(device);
      return new Fake(device);
    });
    const spellings = ['/CPU:1', '/cpu:1', '/device:CPU:1', '/job:localhost/replica:0/task:0/device:CPU:1'];
    const sessions = await Promise.all([...spellings, '/task:0/device:CPU:1'].map((name) => pool.get(name)));
    expect(new Set(sessions).size).toBe(1);
    expect(made).toEqual(['/CPU:1']);
    for (const name of spellings) expect(pool.ready(name)).toBe(sessions[0]);
  });

  it.each([
    ['/CPU:1', '/CPU:2'],
    ['/CPU:1', '/GPU:1'],
    ['/CPU:1', '/CPU:*'],
    ['/CPU:1', '/job:worker/device:CPU:1'],
    ['/CPU:1', '/task:1/device:CPU:1'],
    ['/CPU:1', '/replica:1/task:0/device:CPU:1'],
    ['/CPU:1', '/CPU:11'],
  ])('keeps %s and %s apart', async (one, other) => {
    const pool = new SessionPool(async (device) => new Fake(device));
    expect(await pool.get(one)).not.toBe(await pool.get(other));
    expect(pool.devices.length).toBe(2);
  });

  it('makes one at a time, in the order in which they were asked for', async () => {
    const { pool, asked } = manual();
    const all = Promise.all(['/CPU:2', '/CPU:0', '/CPU:1'].map((device) => pool.get(device)));
    for (const [n, device] of ['/CPU:2', '/CPU:0', '/CPU:1'].entries()) {
      await turn();
      expect(asked.map((entry) => entry.device).slice(n)).toEqual([device]);
      expect(pool.ready(device)).toBeUndefined();
      asked[n]!.resolve();
    }
    expect((await all).map(({ device }) => device)).toEqual(['/CPU:2', '/CPU:0', '/CPU:1']);
    expect(pool.devices).toEqual(['/CPU:2', '/CPU:0', '/CPU:1']);
  });

  it('gives what is ready at once, and what is in the making to all who ask', async () => {
    const { pool, asked } = manual();
    const [one, other] = [pool.get('/CPU:1'), pool.get('/device:CPU:1')];
    await turn();
    const fake = asked[0]!.resolve();
    expect(await Promise.all([one, other])).toEqual([fake, fake]);
    expect(pool.ready('/cpu:1')).toBe(fake);
    expect(await pool.get('/CPU:1')).toBe(fake);
    expect(asked.length).toBe(1);
  });

  it('forgets a failure before anyone sees it, and goes on with the next in line', async () => {
    const { pool, asked } = manual();
    const again = pool.get('/CPU:1').catch((error: Error) => [error.message, pool.get('/CPU:1')] as const);
    const next = pool.get('/CPU:2');
    await turn();
    asked[0]!.reject(new Error('once'));
    const [message, retried] = (await again) as readonly [string, Promise<Fake>];
    expect(message).toBe('once');
    await turn();
    expect(asked.map(({ device }) => device)).toEqual(['/CPU:1', '/CPU:2']);
    asked[1]!.resolve();
    expect((await next).device).toBe('/CPU:2');
    await turn();
    asked[2]!.resolve();
    expect(await retried).toBe(pool.ready('/CPU:1'));
  });

  it('takes a maker that throws at once for a failure', async () => {
    let calls = 0;
    const pool = new SessionPool<Fake>((device) => {
      if (calls++ === 0) throw new Error('at once');
      return Promise.resolve(new Fake(device));
    });
    await expect(pool.get('/CPU:0')).rejects.toThrow('at once');
    expect((await pool.get('/CPU:0')).device).toBe('/CPU:0');
  });
});

describe('closing a pool', () => {
  it.each([{}, { cancel: true }])('closes all that are ready, with %j', async (options) => {
    const pool = new SessionPool(async (device) => new Fake(device));
    const fakes = await Promise.all(['/CPU:0', '/CPU:1', '/cpu:0'].map((device) => pool.get(device)));
    await pool.close(options);
    expect(fakes.map(({ closed }) => closed)).toEqual([[options], [options], [options]]);
  });

  it('waits for the one in the making, closes it, and makes none of those in line', async () => {
    const { pool, asked } = manual();
    const waiting = [pool.get('/CPU:0'), pool.get('/CPU:1')].map((each) => failure(each));
    await turn();
    let isClosed = false;
    const closing = pool.close({}).then(() => {
      isClosed = true;
    });
    await turn();
    expect(isClosed).toBe(false);
    const fake = asked[0]!.resolve();
    await closing;
    expect(fake.closed.length).toBe(1);
    expect(asked.length).toBe(1);
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(/closed/) });
    }
    expect(pool.devices).toEqual([]);
  });

  it('waits for one that fails, and does not fail itself', async () => {
    const { pool, asked } = manual();
    const waiting = pool.get('/CPU:0');
    await turn();
    const closing = pool.close({});
    asked[0]!.reject(new Error('in vain'));
    await closing;
    await expect(waiting).rejects.toThrow('in vain');
  });

  it('refuses from then on; nobody has to look at the refusal', async () => {
    const pool = new SessionPool(async (device) => new Fake(device));
    await pool.get('/CPU:0');
    await pool.close({});
    expect((await failure(pool.get('/CPU:1'))).code).toBe('FAILED_PRECONDITION');
    expect((await failure(pool.get('/CPU:0'))).code).toBe('FAILED_PRECONDITION');
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    void pool.get('/CPU:2');
    await turn();
    await turn();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('may happen again', async () => {
    const pool = new SessionPool(async (device) => new Fake(device));
    await pool.get('/CPU:0');
    await Promise.all([pool.close({}), pool.close({ cancel: true })]);
    await pool.close({});
  });
});

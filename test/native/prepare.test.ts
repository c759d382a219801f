/** Prepared calls, runs at once per session, copies of a session. */
import { describe, expect, it } from 'vitest';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';

const x = [[1, 2, 3, 4, 5, 6, 7, 8]];

describe('a prepared call', () => {
  it('runs as the model does', async () => {
    const model = await openFixture('tf2-functions');
    const call = model.prepare();
    const expected = (await model.run({ x })).y!.data;
    expect((await call.run({ x })).y!.data).toEqual(expected);
    expect(call.runSync({ x }).y!.data).toEqual(expected);
  });

  it('gives each output its own shape, whichever came before, on this thread and on others', async () => {
    const model = await openFixture('tf2-functions');
    const call = model.prepare();
    const rows = (count: number) => Array.from({ length: count }, () => x[0]!);
    const waiting: Promise<void>[] = [];
    for (const count of [1, 1, 2, 2, 1, 3, 3, 3, 1, 2]) {
      const check = async () => {
        const { y } = await call.run({ x: rows(count) });
        expect(y!.shape[0]).toBe(count);
        // Between runs that have ended and what JavaScript makes of them.
        for (const other of [count, count + 1, count + 1]) {
          const { y } = call.runSync({ x: rows(other) });
          expect([y!.shape[0], y!.data.length]).toEqual([other, y!.size]);
          expect(Object.isFrozen(y!.shape)).toBe(true);
        }
      };
      waiting.push(check());
      expect(call.runSync({ x: rows(count) }).y!.shape[0]).toBe(count);
    }
    await Promise.all(waiting);
  });

  it('has its signature, outputs and strings', async () => {
    const model = await openFixture('several-signatures');
    const { outputs } = model.signatures.measure!;
    const output = Object.keys(outputs)[0]!;
    const call = model.prepare({ signature: 'measure', outputs: [output] });
    expect(Object.keys(await call.run({ text: ['one', 'three'] }))).toEqual([output]);
    const strings = (await openFixture('strings')).prepare({ signature: 'same', strings: 'bytes' });
    const [same] = Object.values(await strings.run({ text: ['a', 'b'] }));
    expect(same!.data[0]).toBeInstanceOf(Uint8Array);
  });

  it('prepares its device at the first run', async () => {
    const model = await openFixture('tf2-functions', { config: { deviceCount: { CPU: 2 } } });
    const call = model.prepare({ device: '/CPU:1' });
    expect(() => call.runSync({ x })).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
    const expected = (await model.run({ x })).y!.data;
    expect((await call.run({ x })).y!.data).toEqual(expected);
    expect(call.runSync({ x }).y!.data).toEqual(expected);
  });

  it('keeps time limits and aborts', async () => {
    const model = await openFixture('endless');
    const call = model.prepare();
    expect(await failure(call.run({ n: -1 }, { timeout: 50 }))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const reason = new Error('enough');
    await expect(call.run({ n: -1 }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('names what is wrong', async () => {
    const model = await openFixture('tf2-functions');
    expect(() => model.prepare({ signature: 'serving_defualt' })).toThrow(/serving_default/);
    expect(() => model.prepare({ outputs: ['z'] })).toThrow(/"z".*y/s);
    expect(() => model.prepare({ device: 'CPU:0' })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
    expect(() => model.prepare({ signatur: 's' } as object)).toThrow(/signature/);
    expect(await failure(model.prepare().run({ x }, { device: '/CPU:0' } as object))).toMatchObject({
      code: 'INVALID_OPTION',
    });
  });

  it('is refused once its model is closed', async () => {
    const model = await openFixture('tf2-functions');
    const call = model.prepare();
    await model.close();
    expect(await failure(call.run({ x }))).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});

describe('concurrency', () => {
  it('of 1 runs in order, and lets other models pass', async () => {
    const slow = await openFixture('endless', { concurrency: 1 });
    const quick = await openFixture('tf2-functions');
    const ended: number[] = [];
    const first = slow.run({ n: -1 }, { timeout: 200 }).catch((error) => error.code);
    const others = Array.from({ length: 8 }, (_, i) => slow.run({ n: 3 }).then(() => ended.push(i)));
    await quick.run({ x });
    // One run is at work, the others wait: neither of libuv's threads for runs is theirs.
    expect(ended).toEqual([]);
    expect(await first).toBe('DEADLINE_EXCEEDED');
    const all = Promise.allSettled(others);
    await slow.close({ cancel: true });
    expect((await all).every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('keeps the order of what waits', async () => {
    const model = await openFixture('counter', { concurrency: 1 });
    const counts = await Promise.all(Array.from({ length: 50 }, () => model.run({ by: 1 })));
    expect(counts.map(({ count }) => Number(count!.data[0]))).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
  });

  it.each([0, -1, 1.5, '2', Number.NaN])('of %s is an error', async (concurrency) => {
    const load = openFixture('counter', { concurrency: concurrency as number });
    expect(await failure(load)).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('concurrency'),
    });
  });
});

describe('copies', () => {
  it('have variables of their own, and take turns', async () => {
    const model = await openFixture('counter', { copies: 2 });
    const counts: number[] = [];
    for (let i = 0; i < 6; i++) counts.push(Number((await model.run({ by: 1 })).count!.data[0]));
    expect(counts).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it('compute the same, on a device too', async () => {
    const model = await openFixture('tf2-functions', { copies: 3, config: { deviceCount: { CPU: 2 } } });
    const expected = (await model.run({ x })).y!.data;
    const runs = Array.from({ length: 12 }, (_, i) =>
      model.run({ x }, i % 2 === 0 ? {} : { device: '/CPU:1' }),
    );
    for (const { y } of await Promise.all(runs)) expect(y!.data).toEqual(expected);
  });

  it('must be a whole number', async () => {
    expect(await failure(openFixture('counter', { copies: 0 }))).toMatchObject({ code: 'INVALID_OPTION' });
  });
});

import { describe, expect, it } from 'vitest';
import { expectCleanEnd, expectEnd, runChild, UNFINISHED } from './child.js';

describe('the ways to end are told apart', () => {
  it('unfinished work', async () => {
    expectEnd(await runChild('end.mjs', ['unfinished']), UNFINISHED);
  });

  it('never', async () => {
    const ended = await runChild('end.mjs', ['never'], { limit: 2000 });
    expect(ended).toMatchObject({ stuck: true, status: null, signal: 'SIGKILL' });
  });
});

describe('a program that comes to its end', () => {
  it('ends although a session is open', async () => {
    expectCleanEnd(await runChild('end.mjs', ['open']), 0, 'ran');
  });

  it.each(['1', '2', '4', '16'])('finishes its waiting runs first, with %s threads', async (threads) => {
    expectCleanEnd(await runChild('end.mjs', ['waiting'], { env: { UV_THREADPOOL_SIZE: threads } }), 0, '40');
  });

  it('finishes its waiting loads first', async () => {
    expectCleanEnd(await runChild('end.mjs', ['loads']), 0, '10');
  });

  it('finishes a close that waits for waiting runs', async () => {
    expectCleanEnd(await runChild('end.mjs', ['closing']), 0, 'closed after 20');
  });

  it('hears nothing more of runs that were given up on, and cancelled by a close', async () => {
    expectCleanEnd(await runChild('end.mjs', ['abandoned']), 0, 'DEADLINE_EXCEEDED enough');
  });
});

describe('the garbage collector', () => {
  const flags = ['--expose-gc'];

  it('takes nothing from under runs in flight, and everything after them', async () => {
    const nothing = { graphs: 0, sessions: 0, calls: 0, tensors: 0, memories: 0, runs: 0 };
    expectCleanEnd(await runChild('end.mjs', ['collected'], { flags }), 0, `10 ${JSON.stringify(nothing)}`);
  });

  it('takes no output that is still held', async () => {
    expectCleanEnd(await runChild('end.mjs', ['collected-outputs'], { flags }), 0, '100 0 0');
  });
});

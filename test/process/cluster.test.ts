/** Servers that a program starts, and ends of programs whose runs are on a server. */
import { describe, expect, it } from 'vitest';
import { expectEnd, ownStderr, runChild } from './child.js';

/** One that stands still is killed after five seconds, and holds the streams of these programs until then. */
const PROMPT_MS = 10_000;

describe('startServer', () => {
  it('serves models, says that its port is taken, and ends when it is closed', async () => {
    expectEnd(
      await runChild('cluster.mjs', ['server']),
      0,
      '1,4 FAILED_PRECONDITION {"code":0,"signal":null}',
    );
  });

  it('takes any port where the cluster says 0, and holds no process open once it need not', async () => {
    expectEnd(await runChild('cluster.mjs', ['any']), 0, 'true true');
  });

  it('warns of what it opens the machine to', async () => {
    expectEnd(await runChild('cluster.mjs', ['warning']), 0, 'TF_SESSION_SERVER true');
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('ends with its parent, that being ended by %s', async (signal) => {
    const ended = await runChild('cluster.mjs', ['parent'], { onReady: (kill) => kill(signal) });
    const pid = Number(ended.stdout.trim());
    expect(pid).toBeGreaterThan(1);
    const isGone = () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    };
    await expect.poll(isGone, { timeout: PROMPT_MS }).toBe(true);
  });
});

describe.each(['alive', 'frozen', 'dead'])('while a run is under way on a server that is %s', (state) => {
  it('process.exit() ends the process', async () => {
    const ended = await runChild('cluster.mjs', ['exit', state]);
    expectEnd(ended, 7);
    expect(ended.milliseconds).toBeLessThan(PROMPT_MS);
  });

  it('an error that nobody catches ends it', async () => {
    const ended = await runChild('cluster.mjs', ['uncaught', state]);
    expectEnd(ended, 1);
    expect(ended.milliseconds).toBeLessThan(PROMPT_MS);
    expect(ownStderr(ended)).toContain('thrown by the test');
  });

  it('the run is rejected, or ended by close({ cancel: true }), and the process ends by itself', async () => {
    const ended = await runChild('cluster.mjs', ['natural', state]);
    expectEnd(ended, 0, state === 'dead' ? 'UNAVAILABLE' : 'CANCELLED');
    expect(ended.milliseconds).toBeLessThan(PROMPT_MS);
  });

  it('a thread that is terminated ends, and the process goes on', async () => {
    const ended = await runChild('cluster.mjs', ['thread', state]);
    expectEnd(ended, 0, 'terminated');
    expect(ended.milliseconds).toBeLessThan(PROMPT_MS);
  });
});

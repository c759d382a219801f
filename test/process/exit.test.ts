import { describe, expect, it } from 'vitest';
import { expectCleanEnd, expectEnd, ownStderr, runChild } from './child.js';

/** Ending a process that has loaded TensorFlow takes some 100 ms; an endless run would take forever. */
const PROMPT_MS = 15_000;

describe('process.exit()', () => {
  it.each([
    ['a run that never ends is in flight', 'endless', 7],
    ['process.exitCode says the status', 'exit-code', 9],
    ['runs were started in the same turn', 'at-once', 7],
    ['runs wait for their turn', 'queued', 7],
    ['sessions are being closed', 'closing', 7],
    ['another listener of the exit is slow', 'slow-listener', 7],
  ])('ends the process at once while %s', async (_, name, status) => {
    const ended = await runChild('exit.mjs', [name]);
    expectCleanEnd(ended, status);
    expect(ended.milliseconds).toBeLessThan(PROMPT_MS);
  });

  it.each([0, 20, 100, 200, 300, 400])(
    'ends the process while a model is loading, after %i ms',
    async (delay) => {
      expectCleanEnd(await runChild('exit.mjs', ['load', String(delay)]), 7);
    },
  );
});

describe('an error that nobody catches, while a run never ends,', () => {
  it.each([
    ['uncaught', 'thrown by the test'],
    ['rejection', 'rejected by the test'],
  ])('ends the process with its message (%s)', async (name, message) => {
    const ended = await runChild('exit.mjs', [name]);
    expectEnd(ended, 1);
    expect(ended.milliseconds).toBeLessThan(PROMPT_MS);
    expect(ownStderr(ended)).toContain(message);
  });
});

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s ends the process while runs never end',
    async (signal) => {
      const ended = await runChild('exit.mjs', ['signal'], { onReady: (kill) => kill(signal) });
      expect(ended).toMatchObject({ stuck: false, status: null, signal, stdout: '' });
      expect(ownStderr(ended)).toBe('');
    },
  );
});

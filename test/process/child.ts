/** Child processes that end, or do not: every test here asks which. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Node's own status where the program ended although something awaited at the top level had not. */
export const UNFINISHED = 13;

/** Far beyond what any child takes on a loaded machine. */
const LIMIT_MS = 60_000;

export interface Ended {
  /** Null where a signal ended it. */
  status: number | null;
  signal: NodeJS.Signals | null;
  /** True where it had to be killed: it never exited. */
  stuck: boolean;
  stdout: string;
  stderr: string;
  /** From its line `READY`, or from its start where it printed none, to its end. */
  milliseconds: number;
}

export interface ChildOptions {
  env?: Record<string, string | undefined>;
  flags?: readonly string[];
  limit?: number;
  /** Called at the child's line `READY`, which then is no part of `stdout`. */
  onReady?: (kill: (signal: NodeJS.Signals) => void) => void;
}

const READY = 'READY\n';

/** Runs `children/<script>` with these arguments until it ends, or until the limit. */
export function runChild(
  script: string,
  args: readonly string[] = [],
  options: ChildOptions = {},
): Promise<Ended> {
  const path = fileURLToPath(new URL(`children/${script}`, import.meta.url));
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: '', ...options.env };
  const child = spawn(process.execPath, [...(options.flags ?? []), path, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let since = performance.now();
  let stdout = '';
  let stderr = '';
  let stuck = false;
  const timer = setTimeout(() => {
    stuck = true;
    child.kill('SIGKILL');
  }, options.limit ?? LIMIT_MS);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (!stdout.includes(READY)) return;
    stdout = stdout.replace(READY, '');
    since = performance.now();
    options.onReady?.((signal) => child.kill(signal));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stuck, stdout, stderr, milliseconds: performance.now() - since });
    });
  });
}

/** Lines that TensorFlow prints whatever its log level is, and what it logs in earnest. */
const TENSORFLOW_LINE =
  /^(WARNING: All log messages before absl|[IWEF]\d{4} |\d{4}-\d\d-\d\d [\d:.]+: [IWEF] |To enable the following instructions)/;

/** What a child printed to stderr besides TensorFlow's lines. */
export function ownStderr(ended: Ended): string {
  const lines = ended.stderr.split('\n').filter((line) => line !== '' && !TENSORFLOW_LINE.test(line));
  return lines.join('\n');
}

/** It ended by itself with this status, and printed this and nothing else. */
export function expectEnd(ended: Ended, status: number, stdout = ''): void {
  const what = `status ${ended.status}, signal ${ended.signal}, stderr:\n${ended.stderr}`;
  expect(ended.stuck, `it never exited; ${what}`).toBe(false);
  expect(ended.signal, what).toBe(null);
  if (status !== UNFINISHED)
    expect(ended.status, `it ended with unfinished work; ${what}`).not.toBe(UNFINISHED);
  expect(ended.status, what).toBe(status);
  expect(ended.stdout.trim(), what).toBe(stdout);
}

/** The same, and nothing on stderr. */
export function expectCleanEnd(ended: Ended, status: number, stdout = ''): void {
  expectEnd(ended, status, stdout);
  expect(ownStderr(ended)).toBe('');
}

/** Runs the built command, `dist/cli/main.js`, in children. `npm test` builds it first. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { findLibrary } from '../../lib/runtime/finder.js';
import { temporaryDirectory } from '../saved-model/models.js';

/** The built command. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  env?: Record<string, string | undefined>;
  /** Given the child once it has started. */
  onStart?: (child: ChildProcess) => void;
}

/** Runs `tf-session ARGS…` to its end. */
export function command(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: build it with npx tsc -p tsconfig.json`);
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: '', ...options.env };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  options.onStart?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** The one JSON document of a command that succeeds. */
export async function commandJson<T>(args: readonly string[], options?: CommandOptions): Promise<T> {
  const ended = await command([...args, '--json'], options);
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stdout.endsWith('\n')).toBe(true);
  return JSON.parse(ended.stdout) as T;
}

/** It failed with this status, told why on stderr without a stack, and left stdout alone. */
export function expectFailure(ended: Ended, status: number, message: string | RegExp): void {
  expect({ status: ended.status, stdout: ended.stdout }, ended.stderr).toEqual({ status, stdout: '' });
  expect(ended.stderr).toMatch(message);
  expect(ended.stderr).toMatch(/^tf-session: /m);
  expect(ended.stderr).not.toMatch(/^\s+at /m);
}

/** A file in a fresh folder. */
export async function temporaryFile(name: string, contents: string | Uint8Array): Promise<string> {
  const folder = await temporaryDirectory();
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, contents);
  return path;
}

/** An environment in which no libtensorflow is installed or named. */
export async function withoutLibrary(): Promise<Record<string, string | undefined>> {
  return { TF_SESSION_LIBRARY: undefined, XDG_CACHE_HOME: await temporaryDirectory() };
}

/** Whether there is a libtensorflow for tests that need one. Says so where there is none. */
export async function hasLibrary(): Promise<boolean> {
  try {
    await findLibrary();
    return true;
  } catch (error) {
    console.warn(`Tests that need libtensorflow are skipped. ${(error as Error).message}`);
    return false;
  }
}

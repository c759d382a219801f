/** `scripts/gpu/run.mjs` as a process, with no models but the fixtures. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../scripts/gpu/run.mjs', import.meta.url));

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** A folder for one test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tf-session-gpu-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** A cache with nothing in it holds no models. A GPU that may be there is hidden. */
export async function run(args: readonly string[], more: Record<string, string> = {}): Promise<Ran> {
  const env = {
    ...process.env,
    CUDA_VISIBLE_DEVICES: '-1',
    XDG_CACHE_HOME: await folder(),
    NODE_OPTIONS: '',
    ...more,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

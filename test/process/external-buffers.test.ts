import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensorflow } from '../../lib/index.js';
import { addonPath } from '../../lib/runtime/addon.js';
import { failure } from '../helpers/failure.js';
import { expectCleanEnd, runChild } from './child.js';

const flags = ['--expose-gc'];
/** A run's output that is ordinary memory: nothing of TensorFlow's is alive behind it. */
const ORDINARY = { isLent: false, isRight: true, tensors: 0, memories: 0, transfer: 'moved' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tf-session-external-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function said(how: string, env: Record<string, string> = {}): Promise<unknown> {
  const ended = await runChild('external-buffers.mjs', [how], { flags, env });
  expectCleanEnd({ ...ended, stdout: '' }, 0);
  return JSON.parse(ended.stdout);
}

describe('large outputs and memory of Tensor.allocate', () => {
  it.each(['as-it-is', 'allowed'])('are shared with TensorFlow, %s', async (how) => {
    const transfer = expect.stringMatching(/copied|refused/);
    expect(await said(how)).toMatchObject({
      given: { isLent: false, isRight: true, tensors: 1, transfer },
      allocated: { isLent: true, isRight: true, memories: 1, transfer },
    });
  });

  it('are ordinary and transferable with externalBuffers: false', async () => {
    expect(await said('forbidden')).toEqual({ given: ORDINARY, allocated: ORDINARY });
  });

  it('are so by themselves in a runtime that forbids external buffers', async (context) => {
    const env = await runtimeThatForbids();
    if (env === undefined) return context.skip('needs Linux and a C compiler (cc) to make such a runtime');
    expect(await said('as-it-is', env)).toEqual({ given: ORDINARY, allocated: ORDINARY });
  });
});

it('an externalBuffers that is no boolean is refused', async () => {
  const error = await failure(tensorflow.open({ externalBuffers: 'no' as never }));
  expect(error).toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('must be true or false'),
  });
});

/**
 * Electron answers napi_create_external_arraybuffer with a status of its own. So does this: an addon that asks for a
 * function of another name, and a library that has it.
 */
async function runtimeThatForbids(): Promise<Record<string, string> | undefined> {
  if (process.platform !== 'linux') return undefined;
  const [asked, other] = ['napi_create_external_arraybuffer', 'napi_refuse_external_arraybuffer'] as const;
  const source = join(folder, 'forbid.c');
  const library = join(folder, 'forbid.so');
  await writeFile(source, `int ${other}(void) { return 22; /* napi_no_external_buffers_allowed */ }\n`);
  try {
    await promisify(execFile)('cc', ['-shared', '-fPIC', '-o', library, source]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const addon = join(folder, 'tf-session.node');
  const text = await readFile(addonPath(), 'latin1');
  expect(text).toContain(asked);
  await writeFile(addon, text.replaceAll(asked, other), 'latin1');
  // Sanitizers are preloaded, too, and want to be the first.
  const preloaded = process.env.LD_PRELOAD ? `${process.env.LD_PRELOAD}:${library}` : library;
  return { TF_SESSION_ADDON: addon, LD_PRELOAD: preloaded };
}

/** Exceptions of TensorFlow's own, which is not written for any: they come from another C++ runtime, perhaps. */
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compile, framework, needCompiler } from '../native/plugin/compile.js';
import { FLOAT, graphBytes, type } from '../placement/graphs.js';
import { expectCleanEnd, runChild } from './child.js';

const SOURCE = fileURLToPath(new URL('../native/plugin/throwing_op.cc', import.meta.url));
const PREBUILT = fileURLToPath(
  new URL(`../../prebuilds/${process.platform}-${process.arch}/tf-session.glibc.node`, import.meta.url),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tf-session-thrown-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.for(['as it is found', 'built ahead of time'])(
  'an exception in mid-run is an error, with the addon %s; that session is of no more use',
  async (which, context) => {
    await needCompiler(context);
    const isPrebuilt = which !== 'as it is found';
    if (isPrebuilt) await access(PREBUILT).catch(() => context.skip('not built here: npm run prebuildify'));
    const library = await compile(SOURCE, folder, await framework());
    const graph = graphBytes([
      { name: 'x', op: 'Placeholder', attr: { dtype: type(FLOAT) } },
      { name: 'y', op: 'Throwing', input: ['x'] },
    ]);
    const ended = await runChild('thrown.mjs', [library, Buffer.from(graph).toString('base64')], {
      env: isPrebuilt ? { TF_SESSION_ADDON: PREBUILT } : {},
    });
    const [message, rest] = ended.stdout.trim().split('\n');
    expect(message, ended.stderr).toMatch(/^TensorFlow ended the run by an exception.*load the model again/);
    expect(rest).toBe('INTERNAL FAILED_PRECONDITION FAILED_PRECONDITION 0.25');
    expectCleanEnd(ended, 0, ended.stdout.trim());
  },
);

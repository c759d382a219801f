import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type Installed, type InstallOptions, install } from '../../scripts/package/installed.mjs';
import { pack, prebuiltPath, stage } from '../../scripts/package/pack.mjs';
import { temporaryFolder } from './consumer.js';

// Both Yarns, Plug'n'Play, and the builds from source in each layout: scripts/package/layouts.mjs.

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const staged = join(folder, 'staged');
  await mkdir(staged);
  await stage(staged);
  ({ file } = await pack(staged, folder));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An installation in a folder of its own; skips where the registry, from which the dependencies come, is out of reach. */
async function installed(context: TestContext, options: InstallOptions): Promise<Installed> {
  try {
    return await install(join(folder, crypto.randomUUID()), file, options);
  } catch (error) {
    const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT/.exec(String(error));
    if (unreachable === null) throw error;
    return context.skip(`npm's registry is out of reach: ${unreachable[0]}`);
  }
}

describe('the packed package, with neither compiler nor CMake nor Python on the PATH,', () => {
  it.for<[string, InstallOptions]>([
    ['npm', { manager: 'npm' }],
    ['npm without scripts', { manager: 'npm', ignoreScripts: true }],
    ['pnpm', { manager: 'pnpm' }],
  ])('is installed by %s and runs a model with its prebuilt addon', async ([, options], context) => {
    const project = await installed(context, options);
    const { addon, difference } = await project.use();
    expect(addon).toBe(join(await project.packageFolder(), prebuiltPath()));
    expect(difference).toBeLessThan(1e-5);
  });

  it('names the one command that builds it, where none is prebuilt; which says what the machine lacks', async (context) => {
    const project = await installed(context, { ignoreScripts: true });
    const { command } = await project.buildCommand();
    expect(command).toBe(`node ${join(await project.packageFolder(), 'scripts/build.mjs')}`);
    const { status, output } = await project.shell(command);
    expect(status).toBe(1);
    expect(output).toMatch(
      /^To build the addon, this machine lacks: CMake .*; make or Ninja; a C\+\+17 compiler/,
    );
    expect(output).toContain('apt install cmake make g++');
    expect(output.trim().split('\n')).toHaveLength(2); // and no stack
  });
});

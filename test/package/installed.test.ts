import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { prebuiltPath } from '../../lib/runtime/addon.js';
import { type Installed, type InstallOptions, install } from '../../scripts/package/installed.mjs';
import { pack, stage } from '../../scripts/package/pack.mjs';
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

describe('the packed package, with neither compiler nor CMake nor Python on the PATH,', {
  timeout: 240_000,
}, () => {
  async function expectToRun(project: Installed): Promise<void> {
    const { addon, difference } = await project.use();
    expect(addon).toBe(join(await project.packageFolder(), prebuiltPath()));
    expect(difference).toBeLessThan(1e-5);
  }

  it.for(['npm', 'pnpm'] as const)(
    'is installed by %s and runs a model with its prebuilt addon',
    async (manager, context) => {
      await expectToRun(await installed(context, { manager }));
    },
  );

  it('does so without scripts; where nothing is prebuilt, it names the one command that builds, which says what is missing', async (context) => {
    const project = await installed(context, { ignoreScripts: true });
    await expectToRun(project);

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

import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addonPath } from '../../lib/runtime/addon.js';
import { command, commandJson, expectFailure, hasLibrary, temporaryFile, withoutLibrary } from './command.js';

interface Info {
  addon: string;
  library: { path: string; version: string };
  devices: { name: string; type: string; memoryBytes: number }[];
}

describe.skipIf(!(await hasLibrary()))('with a libtensorflow', () => {
  it('--json has the addon, the library and the devices of a config', async () => {
    const config = await temporaryFile('config.json', '{"deviceCount":{"CPU":2,"GPU":0}}');
    const info = await commandJson<Info>(['info', '--config', config]);
    expect(info).toEqual({
      addon: expect.stringMatching(/^\/.*\.node$/),
      library: { path: expect.stringMatching(/^\//), version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      devices: [0, 1].map((index) => ({
        name: `/job:localhost/replica:0/task:0/device:CPU:${index}`,
        type: 'CPU',
        memoryBytes: expect.any(Number),
      })),
    });
    const { stdout } = await command(['info']);
    for (const part of [
      info.addon,
      info.library.path,
      info.library.version,
      process.version,
      'used',
      'CPU:0',
    ]) {
      expect(stdout).toContain(part);
    }
    const devices = /^Devices:\n.*$/ms.exec(stdout)?.[0];
    if (!/ GPU /.test(devices ?? '')) expect(devices).toMatch(/^No GPU device:\n {2}\w.*\.$/m);
    const named = await commandJson<Info>(['info', '--library', info.library.path], {
      env: await withoutLibrary(),
    });
    expect(named.library).toEqual(info.library);
  });
});

describe('without a libtensorflow', () => {
  it('lists what was searched, with exit status 1', async () => {
    const ended = await command(['info', '--json', '--library', '/no/such/folder']);
    expectFailure(ended, 1, /LIBRARY_NOT_FOUND: .*\/no\/such\/folder/);
  });

  it('still tells people of the addon', async () => {
    const ended = await command(['info', '--library', '/no/such/folder']);
    expect(ended.status).toBe(1);
    expect(ended.stdout).toMatch(/^addon .*\.node$/m);
    expect(ended.stderr).toMatch(/^tf-session: LIBRARY_NOT_FOUND/);
  });

  it('takes the addon that TF_SESSION_ADDON names, from the working directory', async () => {
    const info = ['info', '--library', '/no/such/folder'];
    const env = { TF_SESSION_ADDON: relative(process.cwd(), addonPath()) };
    expect((await command(info, { env })).stdout).toMatch(/^addon .*\/tf-session[\w.]*\.node$/m);
    const none = await command(info, { env: { TF_SESSION_ADDON: 'no/addon.node' } });
    expect(none.stderr).toMatch(
      /^tf-session: ADDON_NOT_FOUND: .*Tried: \/.*\/no\/addon\.node\.\nThe .* TF_SESSION_ADDON/ms,
    );
  });
});

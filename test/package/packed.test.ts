import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prebuiltPath } from '../../lib/runtime/addon.js';
import { contentFaults } from '../../scripts/package/contents.mjs';
import { pack, stage } from '../../scripts/package/pack.mjs';
import { ROOT, temporaryFolder } from './consumer.js';

const run = promisify(execFile);
const ADDON = prebuiltPath();

let folder: string;
let packed: Awaited<ReturnType<typeof pack>>;
let paths: string[];
beforeAll(async () => {
  folder = await temporaryFolder();
  const staged = join(folder, 'staged');
  await stage(staged);
  packed = await pack(staged, folder);
  paths = packed.files.map(({ path }) => path);
  await run('tar', ['-xzf', packed.file, '-C', folder]); // to package/
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the packed package', () => {
  it('holds what it takes to use and to build it, and nothing else, in 3 MB', async () => {
    expect(contentFaults(packed, ADDON)).toEqual([]);
    const sources = await readdir(join(ROOT, 'native'));
    expect(paths).toEqual(expect.arrayContaining(sources.map((name) => `native/${name}`)));
  });

  it('would not go unnoticed with a libtensorflow in it, or without its addon', () => {
    const files = packed.files.filter(({ path }) => path !== ADDON);
    files.push({ path: 'prebuilds/linux-x64/libtensorflow.so.2', size: 1 });
    expect(contentFaults({ size: 3_000_001, files }, ADDON)).toEqual([
      `${ADDON} is missing.`,
      'prebuilds/linux-x64/libtensorflow.so.2 does not belong in it.',
      'It has 3000001 bytes, more than 3000000.',
    ]);
  });

  it('has no source map that points nowhere', async () => {
    const maps = paths.filter((path) => path.startsWith('dist/') && path.endsWith('.map'));
    expect(maps.length).toBeGreaterThan(100);
    for (const path of maps) {
      const { sources, sourcesContent } = JSON.parse(await readFile(join(folder, 'package', path), 'utf8'));
      for (const [i, source] of sources.entries()) {
        // What others wrote is not in the package: its text stands in the map.
        if (sourcesContent?.[i] == null) expect(paths, path).toContain(join(dirname(path), source));
      }
    }
    for (const path of paths.filter((name) => /^dist\/.*\.(js|d\.ts)$/.test(name))) {
      const text = await readFile(join(folder, 'package', path), 'utf8');
      const map = /^\/\/# sourceMappingURL=(.+)$/m.exec(text)?.[1];
      if (map !== undefined) expect(maps, path).toContain(join(dirname(path), map));
    }
  });

  it('shows users no member that is meant for this library alone', async () => {
    const types = paths.filter((path) => /^dist\/.*\.d\.ts$/.test(path));
    for (const path of types) {
      const text = await readFile(join(folder, 'package', path), 'utf8');
      expect(text.includes('@internal'), path).toBe(false);
    }
  });

  it.each([
    ['publint', 'node_modules/publint/src/cli.js', ['--strict']],
    ['attw', 'node_modules/@arethetypeswrong/cli/dist/index.js', ['--profile', 'esm-only', '--no-emoji']],
  ])('has nothing that %s finds wrong', async (_, program, args) => {
    const checked = relative(ROOT, packed.file);
    // Rejects, with what it found, where it does not end with 0.
    await run(process.execPath, [join(ROOT, program), ...args, checked], { cwd: ROOT });
  });
});

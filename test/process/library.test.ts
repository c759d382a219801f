import { copyFile, cp, mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLibrary, searchPlaces } from '../../lib/runtime/finder.js';
import { systemLibrary } from '../helpers/system-library.js';
import { expectCleanEnd, runChild } from './child.js';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tf-session-process-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Failure {
  name: string;
  code: string;
  message: string;
}

/** How each attempt failed, in a process that is well otherwise. */
async function failuresWith(library: string | undefined): Promise<Failure[]> {
  const env = { TF_SESSION_LIBRARY: library, XDG_CACHE_HOME: join(folder, 'empty'), LD_LIBRARY_PATH: folder };
  const ended = await runChild('library.mjs', [], { env });
  expectCleanEnd({ ...ended, stdout: '' }, 0);
  const { failures, status } = JSON.parse(ended.stdout);
  expect(status).toBe(0);
  expect(failures).toHaveLength(3);
  for (const failure of failures) {
    expect(failure).toMatchObject({ name: 'TensorFlowError', code: 'LIBRARY_NOT_FOUND' });
  }
  return failures;
}

/** One that this machine has in its system folders cannot be hidden from a child. */
async function systemHasLibrary(): Promise<boolean> {
  return (await searchPlaces()).some(({ source, found }) => source === 'system' && found);
}

describe('without a library', () => {
  it('the error lists every place', async (context) => {
    if (await systemHasLibrary())
      return context.skip('this machine has a libtensorflow in its system folders');
    const [{ message }] = (await failuresWith(undefined)) as [Failure];
    expect(message).toContain('TF_SESSION_LIBRARY: not set');
    expect(message).toContain(join(folder, 'empty', 'tf-session'));
    expect(message).toContain(folder);
    expect(message).toContain('/usr/local/lib');
    expect(message).toContain('npx tf-session install');
  });
});

describe('with TF_SESSION_LIBRARY naming', () => {
  async function expectNamed(path: string, reason?: RegExp): Promise<void> {
    const [{ message }] = (await failuresWith(path)) as [Failure];
    expect(message).toContain(path);
    if (reason !== undefined) expect(message).toMatch(reason);
  }

  it('nothing', async () => {
    await expectNamed(join(folder, 'nowhere.so'), /no such file|does not exist|not found/i);
  });

  it('an empty file', async () => {
    const path = join(folder, 'empty.so');
    await writeFile(path, '');
    await expectNamed(path);
  });

  it('text', async () => {
    const path = join(folder, 'text.so');
    await writeFile(path, 'This is no library.\n'.repeat(1000));
    await expectNamed(path);
  });

  it.each([100, 10_000, 1_000_000])('the first %i bytes of a library', async (bytes) => {
    const path = join(folder, `cut-${bytes}.so`);
    await firstBytes((await findLibrary()).path, path, bytes);
    await expectNamed(path);
  });

  it('a shared object that is not TensorFlow', async (context) => {
    const path = systemLibrary();
    if (path === undefined) return context.skip('Node says of no libm where it lies');
    await expectNamed(path, /TF_/);
  });

  it('a library of another processor', async (context) => {
    const own = systemLibrary();
    if (own === undefined || process.platform !== 'linux') return context.skip('no ELF file to change');
    const path = join(folder, 'other.so');
    await copyFile(own, path);
    const file = await open(path, 'r+');
    await file.write(Buffer.from([0xf3, 0]), 0, 2, 18); // e_machine: RISC-V
    await file.close();
    await expectNamed(path);
  });
});

describe('without the addon', () => {
  it('the package can be imported, and the error says where it was looked for and how to build it', async () => {
    const copy = join(folder, 'package');
    await copyPackage(copy);
    const messages = await addonFailures(copy);
    for (const message of messages) {
      expect(message).toContain(join(copy, 'build', 'Release', 'tf-session.node'));
      expect(message).toContain(join(copy, 'prebuilds'));
      expect(message).toContain(`node ${join(copy, 'scripts', 'build.mjs')}`);
    }
  });

  it('the same for one that is empty', async () => {
    const copy = join(folder, 'package-with-empty-addon');
    const addon = join(copy, 'build', 'Release', 'tf-session.node');
    await copyPackage(copy);
    await mkdir(join(addon, '..'), { recursive: true });
    await writeFile(addon, '');
    const [message] = await addonFailures(copy);
    expect(message).toContain(addon);
  });

  it.skipIf(process.platform !== 'linux')(
    'the error of a Node for musl says that TensorFlow is not',
    async () => {
      const copy = join(folder, 'package-on-musl');
      await copyPackage(copy);
      for (const message of await addonFailures(copy, ['--import', MUSL])) {
        expect(message).toContain(`tf-session.musl.node`);
        expect(message).toMatch(/no TensorFlow: use a system with glibc/);
      }
    },
  );
});

/** Makes Node say of its C library what one for musl says: nothing. */
const MUSL = `data:text/javascript,${encodeURIComponent(
  'const { header } = process.report.getReport(); delete header.glibcVersionRuntime; process.report.getReport = () => ({ header });',
)}`;

/** The package without its addon. */
async function copyPackage(copy: string): Promise<void> {
  await cp(join(PACKAGE, 'dist'), join(copy, 'dist'), { recursive: true });
  await copyFile(join(PACKAGE, 'package.json'), join(copy, 'package.json'));
  await symlink(join(PACKAGE, 'node_modules'), join(copy, 'node_modules'));
}

async function addonFailures(copy: string, flags: string[] = []): Promise<string[]> {
  // The whole suite may run with another build of the addon, which that variable names.
  const env = { TF_SESSION_ADDON: undefined };
  const ended = await runChild('addon.mjs', [join(copy, 'dist', 'index.js')], { env, flags });
  expectCleanEnd({ ...ended, stdout: '' }, 0);
  const { failures, shape } = JSON.parse(ended.stdout);
  expect(shape).toEqual([1, 2]);
  for (const failure of failures) expect(failure).toMatchObject({ ours: true, code: 'ADDON_NOT_FOUND' });
  return failures.map(({ message }: Failure) => message);
}

async function firstBytes(from: string, to: string, bytes: number): Promise<void> {
  const source = await open(from, 'r');
  const { buffer, bytesRead } = await source.read(Buffer.alloc(bytes), 0, bytes, 0);
  await source.close();
  await writeFile(to, buffer.subarray(0, bytesRead));
}

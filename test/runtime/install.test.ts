import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLibrary } from '../../lib/runtime/finder.js';
import { type InstallProgress, install } from '../../lib/runtime/install/install.js';
import {
  cut,
  makeOfficial,
  makeOfficialFolder,
  makeTarball,
  makeZip,
  officialEntries,
  placeLibrary,
  useTemporaryFolder,
  wheelEntries,
  wheelName,
} from './archives.js';

const temporary = useTemporaryFolder();
const { inside, inCache } = temporary;

describe('takes over', () => {
  it('an official archive', async () => {
    const done = await install({ from: await makeOfficial(temporary.path) });
    const entry = join(temporary.cache, '2.18.0-cpu');
    expect(done).toEqual({
      version: '2.18.0',
      variant: 'cpu',
      path: join(entry, 'lib', 'libtensorflow.so.2'),
    });
    expect(await findLibrary()).toMatchObject({ path: done.path, source: 'cache' });
    expect((await readdir(entry, { recursive: true })).sort()).toEqual(
      [
        ...['LICENSE', 'install.json', 'lib', 'lib/libtensorflow.so.2', 'include', 'include/tensorflow'],
        ...['include/tensorflow/c', 'include/tensorflow/c/c_api.h', 'include/tensorflow/c/eager'],
        ...['include/tensorflow/c/eager/c_api.h', 'include/tsl', 'include/tsl/platform'],
        'include/tsl/platform/ctstring.h',
      ].sort(),
    );
    const record = JSON.parse(await readFile(join(entry, 'install.json'), 'utf8'));
    expect(record).toMatchObject({ version: '2.18.0', library: 'lib/libtensorflow.so.2' });
    expect(record.source).toMatchObject({ kind: 'tarball', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await inCache()).toEqual(['2.18.0-cpu']);
  });

  it('an archive that is not compressed, or packed in one folder', async () => {
    const entries = await officialEntries('2.17.0');
    const plain = await makeTarball(inside('plain.tar'), entries, false);
    expect((await install({ from: plain })).version).toBe('2.17.0');
    const nested = entries.map((e) => ({ ...e, name: join('libtensorflow', e.name) }));
    const from = await makeTarball(inside('nested.tar.gz'), nested);
    expect((await install({ from, force: true })).version).toBe('2.17.0');
  });

  it('a candidate, in either spelling of its version', async () => {
    const version = '2.99.0-rc1';
    const wheel = await makeZip(inside(wheelName('2.99.0rc1')), await wheelEntries('2.99.0rc1'));
    const archive = await makeTarball(
      inside(`libtensorflow-${version}.tar.gz`),
      await officialEntries(version),
    );
    for (const from of [wheel, archive]) {
      for (const asked of [version, '2.99.0rc1']) {
        expect(await install({ from, version: asked, force: true })).toMatchObject({ version: '2.99.0rc1' });
      }
    }
    expect(await inCache()).toEqual(['2.99.0rc1-cpu']);
  });

  it('a wheel, with a note that its checksum is not pinned', async () => {
    const from = await makeZip(inside(wheelName()), await wheelEntries());
    const notes: string[] = [];
    const done = await install({ from, onNote: (text) => notes.push(text) });
    expect(done).toMatchObject({ version: '2.99.0', variant: 'cpu' });
    expect(basename(done.path)).toBe('libtensorflow_cc.so.2');
    const entry = join(temporary.cache, '2.99.0-cpu');
    const names = await readdir(entry, { recursive: true });
    expect(names).toContain('lib/libtensorflow_framework.so.2');
    expect(names).toContain('include/xla/tsl/c/tsl_status.h');
    expect(names).toContain('THIRD_PARTY_NOTICES.txt');
    expect(names).not.toContain('include/absl');
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/no pinned checksum .*SHA-256, [0-9a-f]{64}/);
  });

  it('an unpacked folder, and leaves it as it was', async () => {
    const from = await makeOfficialFolder(inside('unpacked'));
    const before = await readdir(from, { recursive: true });
    expect((await install({ from })).version).toBe('2.18.0');
    expect(await readdir(from, { recursive: true })).toEqual(before);
  });

  it('the folder of a pip package', async () => {
    await placeLibrary(inside('site-packages', 'tensorflow', 'libtensorflow_cc.so.2'));
    await mkdir(inside('site-packages', 'tensorflow_cpu-2.16.2.dist-info'));
    expect((await install({ from: inside('site-packages', 'tensorflow') })).version).toBe('2.16.2');
    expect((await install({ from: inside('site-packages') })).version).toBe('2.16.2');
  });

  it('what tells no version, when the caller does', async () => {
    const from = await placeLibrary(inside('odd', 'libtensorflow.so'));
    await expect(install({ from })).rejects.toThrow('--tensorflow X.Y.Z');
    expect((await install({ from, version: '2.5.0' })).version).toBe('2.5.0');
  });

  it('and tells how far it is, in bytes', async () => {
    const seen: InstallProgress[] = [];
    const from = await makeOfficial(temporary.path);
    await install({ from, onProgress: (progress) => seen.push(progress) });
    const last = seen.filter((p) => p.step === 'Unpacking').at(-1);
    expect(last?.done).toBe((await stat(from)).size);
    expect(last?.total).toBe(last?.done);
  });
});

describe('what is there already', () => {
  it('is not made again, except by force', async () => {
    const from = await makeOfficial(temporary.path);
    const { path } = await install({ from });
    const made = (await stat(path)).ino;
    const steps: InstallProgress[] = [];
    await install({ from, onProgress: (progress) => steps.push(progress) });
    expect(steps).toEqual([]);
    expect((await stat(path)).ino).toBe(made);
    await install({ from, force: true });
    expect((await stat(path)).mtimeMs).toBeGreaterThan(0);
    expect(await inCache()).toEqual(['2.18.0-cpu']);
  });

  it('gives way to another source of the same version that is named', async () => {
    const { path } = await install({ from: await makeOfficial(temporary.path) });
    const entries = await officialEntries();
    const library = entries.find((e) => e.name === './lib/libtensorflow.so.2.18.0');
    library!.contents = Buffer.concat([library?.contents as Buffer, Buffer.from('another build')]);
    await install({ from: await makeTarball(inside('own.tar.gz'), entries) });
    expect((await readFile(path)).subarray(-13).toString()).toBe('another build');
  });

  it('is replaced where it is damaged', async () => {
    const from = await makeOfficial(temporary.path);
    const { path } = await install({ from });
    await cut(path, 0.5);
    await install({ from });
    expect(await findLibrary()).toMatchObject({ path });
    expect(await inCache()).toEqual(['2.18.0-cpu']);
  });

  it('may be made by many at once: all succeed, and one whole installation is left', async () => {
    const from = await makeOfficial(temporary.path);
    const all = await Promise.all(Array.from({ length: 6 }, () => install({ from })));
    expect(new Set(all.map((one) => one.path)).size).toBe(1);
    expect(await findLibrary()).toMatchObject({ path: all[0]?.path });
    expect(await inCache()).toEqual(['2.18.0-cpu']);
    await Promise.all(Array.from({ length: 6 }, () => install({ from, force: true })));
    expect(await findLibrary()).toMatchObject({ path: all[0]?.path });
    expect(await inCache()).toEqual(['2.18.0-cpu']);
  });
});

it('ends when its signal does, and removes what it made', async () => {
  const from = await makeOfficial(temporary.path);
  const ending = new AbortController();
  const attempt = install({
    from,
    signal: ending.signal,
    onProgress: () => ending.abort(new Error('enough')),
  });
  await expect(attempt).rejects.toThrow(/enough|aborted/);
  expect(await inCache()).toEqual([]);
});

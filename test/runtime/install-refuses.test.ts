import { chmod, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { install } from '../../lib/runtime/install/install.js';
import {
  cut,
  makeOfficial,
  makeTarball,
  makeZip,
  officialEntries,
  patchedLibrary,
  placeLibrary,
  type TarEntry,
  useTemporaryFolder,
  wheelEntries,
  wheelName,
} from './archives.js';

const temporary = useTemporaryFolder();
const { inside, inCache } = temporary;

describe('refuses', () => {
  /** The install fails so, and leaves nothing behind. */
  async function refuses(
    from: string,
    code: string,
    message: RegExp | string,
    version?: string,
  ): Promise<void> {
    const attempt = install(version === undefined ? { from } : { from, version });
    await expect(attempt).rejects.toMatchObject({ name: 'TensorFlowError', code });
    await expect(attempt).rejects.toThrow(message);
    expect(await inCache()).toEqual([]);
  }

  it('what does not exist', async () => {
    await refuses(inside('missing.whl'), 'NOT_FOUND', 'does not exist');
  });

  it.each([0.01, 0.5, 0.999])('an archive cut to %d of its size', async (share) => {
    await refuses(await cut(await makeOfficial(temporary.path), share), 'DATA_LOSS', 'truncated');
  });

  it('an archive cut before it was compressed', async () => {
    const file = await makeTarball(inside('plain.tar'), await officialEntries(), false);
    await refuses(await cut(file, 0.6), 'DATA_LOSS', 'truncated');
  });

  it.each([0.01, 0.5, 0.999])('a wheel cut to %d of its size', async (share) => {
    const file = await makeZip(inside(wheelName()), await wheelEntries());
    await refuses(await cut(file, share), 'DATA_LOSS', 'truncated');
  });

  it('a wheel with a wrong byte', async () => {
    const file = await makeZip(inside(wheelName()), await wheelEntries(), (name, crc) =>
      name.endsWith('_cc.so.2') ? (crc ^ 1) >>> 0 : crc,
    );
    await refuses(file, 'DATA_LOSS', /libtensorflow_cc\.so\.2: its checksum is wrong/);
  });

  it('a wheel that is not the published one of its name', async () => {
    const name = 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl';
    const file = await makeZip(inside(name), await wheelEntries('2.21.0'));
    await refuses(
      file,
      'DATA_LOSS',
      /it has \d+ bytes with SHA-256 [0-9a-f]{64}, the published wheel has 273829956/,
    );
  });

  it('a wheel without libtensorflow', async () => {
    const old = await makeZip(inside(wheelName('2.9.3')), {
      'tensorflow/python/_pywrap_tensorflow_internal.so': 'extension',
      'tensorflow_cpu-2.9.3.dist-info/METADATA': 'Version: 2.9.3\n',
    });
    await refuses(old, 'FAILED_PRECONDITION', /holds no libtensorflow: up to TensorFlow 2\.11/);
    const other = await makeZip(inside('numpy-2.0.0-py3-none-any.whl'), { 'numpy/__init__.py': '' });
    await refuses(other, 'FAILED_PRECONDITION', 'holds no tensorflow/libtensorflow_cc.so.2');
    const mac = await makeZip(inside('mac.whl'), { 'tensorflow/libtensorflow_cc.2.dylib': 'x' });
    await refuses(mac, 'FAILED_PRECONDITION', /another platform.*libtensorflow_cc\.2\.dylib/);
  });

  it('a library for another machine, wherever it comes from', async () => {
    await patchedLibrary(inside('foreign.so'), 18, 21);
    await refuses(inside('foreign.so'), 'FAILED_PRECONDITION', /is for ppc64/);
    const foreign = await readFile(inside('foreign.so'));
    const entries = await officialEntries();
    for (const entry of entries) if (entry.name.endsWith('.so.2.18.0')) entry.contents = foreign;
    await refuses(await makeTarball(inside('a.tar.gz'), entries), 'FAILED_PRECONDITION', /is for ppc64/);
    const wheel = { ...(await wheelEntries()), 'tensorflow/libtensorflow_cc.so.2': foreign };
    await refuses(await makeZip(inside('a.whl'), wheel), 'FAILED_PRECONDITION', /is for ppc64/);
    await mkdir(inside('folder'));
    await rename(inside('foreign.so'), inside('folder', 'libtensorflow.so.2'));
    await refuses(inside('folder'), 'FAILED_PRECONDITION', /is for ppc64/);
  });

  it.each([
    ['macOS', Buffer.from('cffaedfe0c000001', 'hex')],
    ['Windows', Buffer.from('MZ\x90\0\x03\0\0\0', 'latin1')],
  ])('a library for %s, by name', async (name, start) => {
    await writeFile(inside('foreign'), Buffer.concat([start, Buffer.alloc(1000)]));
    await refuses(inside('foreign'), 'FAILED_PRECONDITION', `for ${name}`);
  });

  it('a folder whose library is truncated, or that holds none', async () => {
    await placeLibrary(inside('cut', 'libtensorflow.so.2'), 0.7);
    await refuses(inside('cut'), 'DATA_LOSS', /libtensorflow\.so\.2 is truncated/);
    await mkdir(inside('empty'));
    await refuses(inside('empty'), 'NOT_FOUND', 'holds no libtensorflow');
  });

  it('what is nothing to install from', async () => {
    await writeFile(inside('garbage'), 'not an archive at all\n'.repeat(100));
    await refuses(inside('garbage'), 'INVALID_OPTION', 'nothing to install from');
    await writeFile(inside('nothing'), '');
    await refuses(inside('nothing'), 'DATA_LOSS', 'is empty');
  });

  it.each([
    ['an entry above the folder', { name: '../../escaped', contents: 'x' }],
    ['an absolute entry', { name: '/tmp/tf-session-escaped', contents: 'x' }],
    ['a hidden way up', { name: 'lib/../../escaped', contents: 'x' }],
    ['an absolute link', { name: 'lib/l', type: 'symlink', linkname: '/etc' }],
    ['a link above the folder', { name: 'lib/l', type: 'symlink', linkname: '../../x' }],
    ['a hard link', { name: 'lib/l', type: 'link', linkname: '../../x' }],
    ['a device', { name: 'lib/d', type: 'character-device' }],
  ] as const)('an archive with %s', async (_, entry) => {
    const from = await makeTarball(inside('evil.tar.gz'), [...(await officialEntries()), entry]);
    await refuses(from, 'INVALID_OPTION', 'is refused');
    expect(await readdir(temporary.path)).not.toContain('escaped');
  });

  it('an archive whose library leads out of it by way of two links', async () => {
    await placeLibrary(inside('outside.so'));
    const from = await makeTarball(inside('evil.tar.gz'), [
      { name: 'd/e/f/up', type: 'symlink', linkname: '../../..' },
      { name: 'd/e/g/h/i/j/k', type: 'directory' },
      { name: 'lib/libtensorflow.so.2', type: 'symlink', linkname: '../d/e/f/up/../../../../outside.so' },
    ]);
    await refuses(from, 'INVALID_OPTION', 'is refused');
  });

  it('an archive with a link behind links that lead out of it', async () => {
    const link = (name: string, linkname: string): TarEntry => ({ name, type: 'symlink', linkname });
    const from = await makeTarball(inside('evil.tar.gz'), [
      ...(await officialEntries()),
      link('lib/up', '..'),
      // Four levels above the folder, which its text does not show.
      link('out', 'lib/up/../lib/up/../lib/up/../lib/up/..'),
      link('out/escaped', 'x'),
    ]);
    await refuses(from, 'INVALID_OPTION', 'another link');
    expect(await readdir(temporary.path)).not.toContain('escaped');
  });

  it('a wheel with an entry above the folder', async () => {
    const wheel = { ...(await wheelEntries()), 'tensorflow/../../../escaped': 'x' };
    await refuses(await makeZip(inside(wheelName()), wheel), 'DATA_LOSS', 'invalid relative path');
  });

  it('a wheel that holds a library twice', async () => {
    const name = inside(wheelName());
    await makeZip(name, { ...(await wheelEntries()), 'tensorflow/libtensorflow_cc.so.X': 'another' });
    const bytes = await readFile(name, 'latin1');
    await writeFile(name, bytes.replaceAll('libtensorflow_cc.so.X', 'libtensorflow_cc.so.2'), 'latin1');
    await refuses(name, 'DATA_LOSS', 'it holds "tensorflow/libtensorflow_cc.so.2" twice');
  });

  it('options that contradict the source, or make no sense', async () => {
    await refuses(
      await makeOfficial(temporary.path),
      'INVALID_OPTION',
      /2\.18\.0, and version 2\.17\.0/,
      '2.17.0',
    );
    await expect(install({ version: '2.x' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(install({ version: '--index-url=x' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(install({ fron: 'x' } as never)).rejects.toThrow('Did you mean "from"');
  });

  it('a cache that may not be written to', async ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may write anywhere');
    await mkdir(inside('xdg'));
    await chmod(inside('xdg'), 0o500);
    await refuses(await makeOfficial(temporary.path), 'PERMISSION_DENIED', 'XDG_CACHE_HOME');
  });
});

import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { findCacheFolder } from '../../lib/runtime/cache.js';
import { findLibrary, searchPlaces } from '../../lib/runtime/finder.js';
import { DEFAULT_VERSION, includeFolder, install } from '../../lib/runtime/install/install.js';
import {
  makeOfficial,
  makeOfficialFolder,
  patchedLibrary,
  placeLibrary,
  useTemporaryFolder,
} from './archives.js';

const temporary = useTemporaryFolder();
const { inside } = temporary;

/** A library in each place, so that only the order decides. */
async function placeEverywhere() {
  const option = await placeLibrary(inside('option', 'libtensorflow.so.2'));
  const environment = await placeLibrary(inside('environment', 'libtensorflow.so.2'));
  const cache = (await install({ from: await makeOfficial(temporary.path) })).path;
  const system = await placeLibrary(inside('system', 'libtensorflow.so.2'));
  vi.stubEnv('LD_LIBRARY_PATH', `relative::${inside('nowhere')}:${inside('system')}`);
  return { option, environment, cache, system };
}

describe('the order', () => {
  it('is option, environment, cache, system', async () => {
    const { option, environment, cache, system } = await placeEverywhere();
    vi.stubEnv('TF_SESSION_LIBRARY', environment);
    expect(await findLibrary(option)).toMatchObject({ path: option, source: 'option' });
    expect(await findLibrary()).toMatchObject({ path: environment, source: 'environment' });
    vi.stubEnv('TF_SESSION_LIBRARY', '');
    expect(await findLibrary()).toMatchObject({ path: cache, source: 'cache' });
    await rm(temporary.cache, { recursive: true });
    expect(await findLibrary()).toMatchObject({ path: system, source: 'system' });
  });

  it('is what searchPlaces tells, behind the first find as well', async () => {
    const { cache, system } = await placeEverywhere();
    const found = (await searchPlaces()).filter((place) => place.found).map((place) => place.path);
    expect(found.slice(0, 2)).toEqual([cache, system]);
  });

  it('prefers the default version, then the highest', async () => {
    for (const version of ['2.9.0', '2.100.0', '2.18.0']) {
      await install({ from: await makeOfficial(temporary.path, version) });
    }
    expect((await findLibrary()).path).toContain('2.100.0-cpu');
    await install({ from: await makeOfficial(temporary.path, DEFAULT_VERSION) });
    expect((await findLibrary()).path).toContain(`${DEFAULT_VERSION}-cpu`);
  });
});

describe('a named library', () => {
  it.each([
    ['a file of any name', 'odd.so', 'odd.so'],
    ['a folder', '.', 'libtensorflow.so'],
    ['the wheel of a pip package', '.', 'libtensorflow_cc.so.2'],
    ['an unpacked archive', '.', 'lib/libtensorflow.so.2'],
    ['site-packages', '.', 'tensorflow/libtensorflow_cc.so.2'],
  ])('may be %s', async (_, name, file) => {
    const library = await placeLibrary(inside('named', file));
    expect((await findLibrary(inside('named', name))).path).toBe(library);
  });

  it('may be relative, and comes out absolute', async () => {
    const library = await placeLibrary(inside('libtensorflow.so.2'));
    expect((await findLibrary(relative(process.cwd(), library))).path).toBe(library);
  });

  it('may be the cache', async () => {
    const { path } = await install({ from: await makeOfficial(temporary.path) });
    expect((await findLibrary(temporary.cache)).path).toBe(path);
  });

  it('prefers the C library over the C++ one', async () => {
    const library = await placeLibrary(inside('both', 'libtensorflow.so.2'));
    await placeLibrary(inside('both', 'libtensorflow_cc.so.2'));
    expect((await findLibrary(inside('both'))).path).toBe(library);
  });

  it.each(['option', 'environment'] as const)('by %s that is missing is an error at once', async (by) => {
    await placeEverywhere();
    const missing = inside('missing', 'libtensorflow.so.2');
    if (by === 'environment') vi.stubEnv('TF_SESSION_LIBRARY', missing);
    const error = findLibrary(by === 'option' ? missing : undefined);
    await expect(error).rejects.toMatchObject({ name: 'TensorFlowError', code: 'LIBRARY_NOT_FOUND' });
    await expect(error).rejects.toThrow(`${missing}: does not exist`);
    await expect(error).rejects.toThrow(by === 'option' ? '`library`' : 'TF_SESSION_LIBRARY');
  });

  it('that is unusable is an error that says why', async () => {
    await placeLibrary(inside('cut.so'), 0.9);
    await expect(findLibrary(inside('cut.so'))).rejects.toThrow(/is truncated: it has \d+ bytes/);
    await patchedLibrary(inside('foreign.so'), 18, 20);
    await expect(findLibrary(inside('foreign.so'))).rejects.toThrow(/is for ppc .*this Node\.js is/);
    await writeFile(inside('text.so'), 'GROUP ( libtensorflow.so.2 )\n');
    await expect(findLibrary(inside('text.so'))).rejects.toThrow('is not a shared library');
    await mkdir(inside('empty'));
    await expect(findLibrary(inside('empty'))).rejects.toThrow('holds none of libtensorflow.so.2');
    await expect(findLibrary('')).rejects.toMatchObject({ code: 'LIBRARY_NOT_FOUND' });
  });
});

describe('where nothing is found', () => {
  it('the error lists the places and the command that mends it', async () => {
    vi.stubEnv('LD_LIBRARY_PATH', inside('nowhere'));
    const error = await findLibrary().catch((e: Error) => e);
    if (!(error instanceof Error)) return; // a libtensorflow is installed on this system
    for (const text of [
      '`npx tf-session install`',
      'TF_SESSION_LIBRARY',
      temporary.cache,
      inside('nowhere'),
    ]) {
      expect(error.message).toContain(text);
    }
    expect(error.message).toContain('/usr/local/lib');
  });

  it('a damaged installation is passed over, and said', async () => {
    const { path } = await install({ from: await makeOfficial(temporary.path) });
    await placeLibrary(path, 0.5);
    const [, place] = await searchPlaces();
    expect(place).toMatchObject({ source: 'cache', found: false });
    expect(place?.note).toMatch(/damaged: lib\/libtensorflow\.so\.2 has \d+ bytes instead of \d+/);
  });

  it('an unusable library of the system is passed over, and said', async () => {
    await placeLibrary(inside('broken', 'libtensorflow.so.2'), 0.5);
    const sound = await placeLibrary(inside('sound', 'libtensorflow.so.2'));
    vi.stubEnv('LD_LIBRARY_PATH', `${inside('broken')}:${inside('sound')}`);
    const { path, searched } = await findLibrary();
    expect(path).toBe(sound);
    expect(searched.find((place) => place.path.startsWith(inside('broken')))?.note).toMatch('truncated');
  });
});

describe('the cache folder', () => {
  it('ignores a relative XDG_CACHE_HOME', () => {
    vi.stubEnv('XDG_CACHE_HOME', 'relative');
    vi.stubEnv('HOME', '/home/somebody');
    expect(findCacheFolder()).toBe('/home/somebody/.cache/tf-session');
  });
});

describe('includeFolder', () => {
  it('finds the headers beside a library, also through a link to it', async () => {
    const folder = await makeOfficialFolder(inside('unpacked'));
    const library = join(folder, 'lib', 'libtensorflow.so.2');
    expect(await includeFolder(library)).toBe(join(folder, 'include'));
    await mkdir(inside('links'));
    await symlink(library, inside('links', 'libtensorflow.so.2'));
    expect(await includeFolder(inside('links', 'libtensorflow.so.2'))).toBe(join(folder, 'include'));
    expect(await includeFolder(await placeLibrary(inside('alone', 'libtensorflow.so')))).toBeUndefined();
    expect(await readdir(inside('alone'))).toHaveLength(1);
  });
});

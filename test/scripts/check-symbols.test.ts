/** That what must not be shipped is found: each fault is planted into a library that is good without it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSymbols, PREBUILT } from '../../scripts/tools/check-symbols.mjs';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = join(PACKAGE, 'build', 'Release', 'tf-session.node');
const COMMAND = join(PACKAGE, 'scripts', 'tools', 'check-symbols.mjs');

const ENTRY_POINTS = `
  int node_api_module_get_api_version_v1(void) { return 8; }
  void *napi_register_module_v1(void *env, void *exports) { return exports; }
`;

/** As every addon has it: what is linked without it leaves __cxa_finalize open. */
const LIBC = ['-Wl,--no-as-needed', '-lc'];
const UNWINDER = ['-Wl,--no-as-needed', '-lgcc_s'];

/** Why nothing can be read or planted here: part of the title of what is skipped. */
const obstacle =
  process.platform !== 'linux'
    ? ' (ELF files are of Linux)'
    : ['readelf', 'cc']
        .filter((program) => spawnSync(program, ['--version']).error !== undefined)
        .map((program) => ` (there is no ${program})`)
        .join('');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tf-session-symbols-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function library(source: string, flags = ['-Wl,-z,nodelete', ...UNWINDER]): Promise<string> {
  const file = join(folder, `${Math.random()}.so`);
  await writeFile(`${file}.c`, source);
  const { status, stderr } = spawnSync('cc', [
    '-shared',
    '-fPIC',
    '-o',
    file,
    `${file}.c`,
    ...flags,
    ...LIBC,
  ]);
  expect(status, String(stderr)).toBe(0);
  return file;
}

describe.skipIf(obstacle !== '')(`what an addon needs and shows${obstacle}`, () => {
  it('is as it should be in a library that has the two entry points and nothing else', async () => {
    const checked = checkSymbols(await library(ENTRY_POINTS));
    expect(checked.faults).toEqual([]);
    expect(checked.exported.sort()).toEqual([
      'napi_register_module_v1',
      'node_api_module_get_api_version_v1',
    ]);
  });

  it.each([
    ['a third name', `${ENTRY_POINTS} int _Znwm(void) { return 0; }`, ['it exports _Znwm']],
    [
      'no entry point',
      'static int x; int *napi_register_module_v1(void) { return &x; }',
      ['it does not export node_api_module_get_api_version_v1'],
    ],
    [
      'a function of whoever has it',
      `void other(void); ${ENTRY_POINTS} __attribute__((constructor)) static void f(void) { other(); }`,
      ['it leaves other to any library that has it'],
    ],
    [
      'a weak function of a C++ runtime',
      `__attribute__((weak)) void __gxx_personality_v0(void); ${ENTRY_POINTS}
       __attribute__((constructor)) static void f(void) { if (__gxx_personality_v0) __gxx_personality_v0(); }`,
      ['it leaves __gxx_personality_v0 to any library that has it'],
    ],
  ])('finds %s', async (_, source, faults) => {
    expect(checkSymbols(await library(source)).faults).toEqual(faults);
  });

  it('finds what Node can unload', async () => {
    expect(checkSymbols(await library(ENTRY_POINTS, UNWINDER)).faults).toEqual([
      'it can be unloaded: link it with -z nodelete',
    ]);
  });

  it('finds another library', async () => {
    const flags = ['-Wl,-z,nodelete', ...UNWINDER, '-lm'];
    const file = await library(ENTRY_POINTS, [...flags, '-lstdc++']);
    expect(checkSymbols(file).faults).toEqual(['it needs libstdc++.so.6']);
  });

  it('finds an unwinder of its own, or none', async () => {
    expect(checkSymbols(await library(ENTRY_POINTS, ['-Wl,-z,nodelete'])).faults).toEqual([
      "it does not need libgcc_s.so.1: an exception of TensorFlow's would crash in it",
    ]);
  });

  it('finds a glibc that is newer than is allowed', async () => {
    // It came with glibc 2.25.
    const source = `${ENTRY_POINTS} int getrandom(void *, unsigned long, unsigned);
      __attribute__((constructor)) static void f(void) { int x; getrandom(&x, sizeof x, 0); }`;
    const file = await library(source);
    const allowing = (glibc: string) =>
      checkSymbols(file, { ...PREBUILT, newest: { ...PREBUILT.newest, GLIBC: glibc } }).faults;
    expect(allowing('2.25')).toEqual([]);
    expect(allowing('2.24')).toEqual(['getrandom needs GLIBC_2.25; the newest that is allowed is 2.24']);
    // As numbers, not as text.
    expect(allowing('2.9')).toContain('getrandom needs GLIBC_2.25; the newest that is allowed is 2.9');
    const { status, stdout } = command('--glibc', '2.24', file);
    expect(status).toBe(1);
    expect(stdout).toContain('WRONG: getrandom needs GLIBC_2.25');
  });
});

describe.skipIf(obstacle !== '')(`addons${obstacle}`, () => {
  it('of this machine show Node their entry points and nothing else, and stay', () => {
    const { exported, isKept, faults } = checkSymbols(BUILT, { newest: anything(), libstdcxx: true });
    expect(exported.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
    expect(isKept).toBe(true);
    expect(faults).toEqual([]);
  });

  it('of this machine are none to be shipped: they share the C++ library', () => {
    const { faults } = checkSymbols(BUILT);
    expect(faults).toContain('it needs libstdc++.so.6');
    expect(command(BUILT).status).toBe(1);
  });

  it.for(['x64', 'arm64'])('that are built ahead of time for %s can be shipped', (arch, { skip }) => {
    const file = join(PACKAGE, 'prebuilds', `linux-${arch}`, 'tf-session.glibc.node');
    if (!existsSync(file)) return skip('not built here: npm run prebuildify');
    expect(checkSymbols(file).faults).toEqual([]);
    expect(command(file).status).toBe(0);
  });
});

/** Limits that nothing exceeds. */
function anything(): Record<string, string> {
  return Object.fromEntries(Object.keys(PREBUILT.newest).map((kind) => [kind, '1000']));
}

function command(...args: string[]): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8' });
}

import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { install } from '../../lib/runtime/install/install.js';
import { makeZip, useTemporaryFolder, wheelEntries, wheelName } from './archives.js';

const temporary = useTemporaryFolder();
const { inside } = temporary;

/** Puts a `python3` in front of all others: a shell script of these lines. */
async function fakePython(...lines: string[]): Promise<void> {
  await mkdir(inside('bin'));
  await writeFile(inside('bin', 'python3'), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  vi.stubEnv('PATH', `${inside('bin')}:${process.env.PATH}`);
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 1;
}

function hasPip(): boolean {
  try {
    execFileSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const left = () => readdir(temporary.cache).catch(() => []);

describe('install by pip', () => {
  it('takes the wheel that pip brings, and asks for it by platform', async () => {
    await makeZip(inside(wheelName()), await wheelEntries());
    await fakePython(
      `echo "$@" > '${inside('arguments')}'`,
      `echo "$TMPDIR" > '${inside('tmpdir')}'`,
      'while [ "$1" != -d ]; do shift; done',
      `cp '${inside(wheelName())}' "$2"`,
    );
    const done = await install({ version: '2.99.0' });
    expect(done.path).toBe(join(temporary.cache, '2.99.0-cpu', 'lib', 'libtensorflow_cc.so.2'));
    const asked = await readFile(inside('arguments'), 'utf8');
    expect(asked).toMatch(/^-m pip download --no-deps --only-binary=:all: /);
    // pip passes over wheels for a platform between two that are named.
    expect(asked).toMatch(/--platform manylinux_2_27_(x86_64|aarch64) --platform manylinux_2_26_/);
    expect(asked).toMatch(/ tensorflow(-cpu)?==2\.99\.0 /);
    expect(await readFile(inside('tmpdir'), 'utf8')).toContain(temporary.cache);
    const record = JSON.parse(await readFile(join(temporary.cache, '2.99.0-cpu', 'install.json'), 'utf8'));
    expect(record.source).toMatchObject({ kind: 'pip', name: wheelName() });
    expect(await left()).toEqual(['2.99.0-cpu']);
  });

  it('knows how much there is to fetch from what pip says, where it is not known before', async () => {
    await makeZip(inside(wheelName()), await wheelEntries());
    await fakePython(
      'while [ "$1" != -d ]; do shift; done',
      `echo "  Downloading ${wheelName()} (581.2 MB)"; sleep 0.5`,
      `cp '${inside(wheelName())}' "$2"`,
    );
    const totals = new Set<number | undefined>();
    await install({
      version: '2.99.0',
      onProgress: ({ step, total }) => step === 'Downloading' && totals.add(total),
    });
    expect([...totals]).toEqual([undefined, 581.2e6]);
  });

  it('says what to do where python3 is missing', async () => {
    vi.stubEnv('PATH', inside('nowhere'));
    const attempt = install();
    await expect(attempt).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(attempt).rejects.toThrow(/python3 was not found.*--from FILE\.whl/s);
    expect(await left()).toEqual([]);
  });

  it('says what to do where pip is missing', async () => {
    await fakePython('echo "/usr/bin/python3: No module named pip" >&2', 'exit 1');
    const attempt = install();
    await expect(attempt).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(attempt).rejects.toThrow(/python3 has no pip.*--from FILE\.whl/s);
    expect(await left()).toEqual([]);
  });

  it('passes on which versions there are', async () => {
    const versions = Array.from({ length: 30 }, (_, i) => `2.12.${i}, 2.12.${i}rc0`).join(', ');
    await fakePython(
      `echo "ERROR: Could not find a version that satisfies the requirement x (from versions: ${versions})" >&2`,
      'echo "ERROR: No matching distribution found for x" >&2',
      'exit 1',
    );
    const attempt = install({ version: '2.99.0' });
    await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(attempt).rejects.toThrow(/There is: …, 2\.12\.18, .*2\.12\.29\.$/);
    expect(await left()).toEqual([]);
  });

  it('tells of a full disk', async () => {
    await fakePython('echo "ERROR: [Errno 28] No space left on device" >&2', 'exit 1');
    const attempt = install();
    await expect(attempt).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await expect(attempt).rejects.toThrow('XDG_CACHE_HOME');
    expect(await left()).toEqual([]);
  });

  it('gives the last lines of a pip that fails', async () => {
    await fakePython('echo first; echo "the last line" >&2', 'exit 3');
    const attempt = install();
    await expect(attempt).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(attempt).rejects.toThrow(/exit status 3.*the last line.*--from FILE\.whl/s);
  });

  it('says so where the index can not be reached', { timeout: 60_000 }, async ({ skip }) => {
    skip(!hasPip(), 'needs python3 with pip');
    for (const name of Object.keys(process.env)) if (/^pip_/i.test(name)) vi.stubEnv(name, undefined);
    vi.stubEnv('PIP_CONFIG_FILE', '/dev/null');
    vi.stubEnv('PIP_RETRIES', '0');
    vi.stubEnv('PIP_INDEX_URL', `http://127.0.0.1:${await closedPort()}/simple`);
    for (const name of ['no_proxy', 'NO_PROXY']) vi.stubEnv(name, '127.0.0.1');
    const attempt = install();
    await expect(attempt).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(attempt).rejects.toThrow(
      /pip could not fetch .*No matching distribution.*--from FILE\.whl/s,
    );
    expect(await left()).toEqual([]);
  });
});

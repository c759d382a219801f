/** The program that checks this library on a GPU, where there is none: all others are hidden from it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findLibrary } from '../../lib/runtime/finder.js';
import { folder, run } from './program.js';

const { path: library } = await findLibrary();

it('rehearses every check, and writes down what was seen', { timeout: 240_000 }, async () => {
  const out = join(await folder(), 'report');
  const { status, stdout, stderr } = await run([
    '--rehearse',
    '--quick',
    '--no-bench',
    '--library',
    library,
    '--out',
    out,
  ]);
  expect(stdout.split('\n').filter((line) => line.includes('FAIL'))).toEqual([]);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^REHEARSAL WITHOUT A GPU/);
  const lines = stdout.split('\n').filter((line) => /\b(ok|skip) {2}/.test(line));
  for (const line of lines) expect(line).toMatch(/^rehearsal {2}(ok|skip) +[\w-]+: \S/);
  const { rehearsal, about, counts, machine, results } = JSON.parse(
    await readFile(join(out, 'report.json'), 'utf8'),
  );
  expect({ rehearsal, failed: counts.failed }).toEqual({ rehearsal: true, failed: 0 });
  expect(about).toMatch(/^REHEARSAL/);
  expect(machine).toMatchObject({ node: process.version, library: { path: expect.any(String) }, gpus: [] });
  expect(machine.glibc).toMatch(/^2\./);
  // What only a GPU can tell says so; its code has run, too.
  for (const { name, expectations, skipped, seen } of results) {
    if (['libraries', 'chosen-ops'].includes(name)) continue;
    expect(seen, name).toBeDefined();
    expect(expectations.length > 0 || /^needs a GPU/.test(skipped[0]), name).toBe(true);
  }
  const markdown = await readFile(join(out, 'report.md'), 'utf8');
  expect(markdown).toMatch(/^# REHEARSAL WITHOUT A GPU/);
  for (const { title } of results) expect(markdown).toContain(`## Rehearsed: ${title}`);
});

it('without a GPU it checks nothing, fails, and says why', async () => {
  const { status, stdout, stderr } = await run(['--library', library]);
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(
    /^There is no GPU, so nothing was checked\. (This is a CPU build|CUDA_VISIBLE_DEVICES|NVIDIA)/,
  );
  expect(stderr).toContain('--rehearse');
});

it('without a library it says where it looked', async () => {
  const { status, stderr } = await run(['--rehearse', '--library', '/nowhere']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/nowhere/);
});

it.each([['--only', 'nothing'], ['--fast'], ['extra'], ['--minutes', 'few']])(
  'wrong usage: %s',
  async (...args) => {
    const { status, stderr } = await run(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/Ends with 0 when all that ran held/);
  },
);

it('lists the checks', async () => {
  const { status, stdout } = await run(['--list']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^devices: GPUs are listed with their memory$/m);
});

it('begins nothing once the time is over, and says so', async () => {
  const args = [
    '--rehearse',
    '--minutes',
    '0.001',
    '--only',
    'rules',
    '--only',
    'bench',
    '--library',
    library,
  ];
  const { status, stdout } = await run([...args, '--out', join(await folder(), 'report')]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/skip {2}rules: the time was over/);
  expect(stdout).toMatch(/skip {2}bench: the time was over/);
});

it('a part does not outlive its check', { timeout: 60_000 }, async () => {
  const program = fileURLToPath(new URL('../../scripts/gpu/rig/child.mjs', import.meta.url));
  const given = { name: 'event-loop', library, rehearse: true, quick: false, seconds: 60 };
  const child = spawn(process.execPath, [program, JSON.stringify(given)], {
    env: { ...process.env, CUDA_VISIBLE_DEVICES: '-1' },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
});

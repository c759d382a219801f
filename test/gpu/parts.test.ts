/** Parts of the checks for GPUs, on what such machines say. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sortMaps } from '../../scripts/gpu/checks/own-files.mjs';
import { cards, cudaVersion, findSmi, pids, used } from '../../scripts/gpu/rig/nvidia-smi.mjs';
import { MARK, resultOf } from '../../scripts/gpu/rig/start.mjs';

/** A program in place of NVIDIA's. */
async function smi(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-smi-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'nvidia-smi');
  await writeFile(file, `#!/bin/sh\n${script}`);
  await chmod(file, 0o755);
  return findSmi(folder)!;
}

describe('nvidia-smi', () => {
  it('tells the cards, what is in use, and who uses them', async () => {
    const file = await smi(`case "$1" in
  --query-gpu=compute_cap) echo 9.0; echo 7.5 ;;
  --query-gpu=memory.used) echo 620; echo 3 ;;
  --query-gpu=*) echo 'NVIDIA H200, GPU-1, 00000000:01:00.0, 143771, 620, 570.1'
    echo 'Tesla T4, GPU-2, 00000000:02:00.0, 15360, 3, 570.1' ;;
  --query-compute-apps=pid) echo 41; echo 42 ;;
  *) echo '| NVIDIA-SMI 570.1    Driver Version: 570.1    CUDA Version: 12.8 |' ;;
esac`);
    expect(cards(file)).toMatchObject([
      { name: 'NVIDIA H200', totalMiB: 143771, usedMiB: 620, driver: '570.1', capability: 9 },
      { name: 'Tesla T4', totalMiB: 15360, usedMiB: 3, capability: 7.5 },
    ]);
    expect(used(file)).toEqual([620, 3]);
    expect(pids(file)).toEqual([41, 42]);
    expect(cudaVersion(file)).toBe('12.8');
  });

  it('may know less', async () => {
    const file = await smi(`case "$1" in
  --query-gpu=compute_cap) echo 'Field "compute_cap" is not a valid field to query.'; exit 2 ;;
  --query-gpu=*) echo 'NVIDIA GB10, GPU-1, 0000000F:01:00.0, [N/A], [N/A], 580.1' ;;
esac`);
    expect(cards(file)).toMatchObject([
      { name: 'NVIDIA GB10', totalMiB: NaN, usedMiB: NaN, capability: undefined },
    ]);
    expect(pids(file)).toEqual([]);
    expect(cudaVersion(file)).toBeUndefined();
  });
});

describe('a process that has ended', () => {
  const well = {
    stdout: `chatter\n${MARK}{"a":1}\n`,
    stderr: '',
    status: 0,
    signal: null,
    isLate: false,
    seconds: 9,
  };

  it('has seen what its line says', () => {
    expect(resultOf(well)).toEqual({ seen: { a: 1 } });
  });

  it('has failed, whatever it saw, where it did not end well', () => {
    const stderr = 'what it said';
    const killed = { ...well, status: null, signal: 'SIGABRT' as const, stderr };
    expect(resultOf(killed)).toEqual({ failure: 'the process was ended by SIGABRT\nwhat it said' });
    expect(resultOf({ ...well, status: 3 }).failure).toBe('the process ended with status 3');
    expect(resultOf({ ...well, isLate: true, signal: 'SIGKILL' }).failure).toBe('it had not ended after 9 s');
    expect(resultOf({ ...well, stdout: 'chatter' }).failure).toMatch(/said nothing/);
  });
});

it('files of a process are sorted by whose they are', () => {
  const files = {
    own: ['/b/app/addon.node', '/b/lib/libtensorflow_cc.so.2', '/b/node'],
    glibc: [
      '/usr/lib/x86_64-linux-gnu/libc.so.6',
      '/lib64/ld-linux-x86-64.so.2',
      '/usr/lib/libm-2.31.so',
      '/usr/lib/locale/C.utf8/LC_CTYPE',
    ],
    driver: ['/usr/lib/x86_64-linux-gnu/libcuda.so.570.1', '/usr/lib/libnvidia-ptxjitcompiler.so.570.1'],
    compiler: ['/usr/lib/libgcc_s.so.1', '/usr/lib/libstdc++.so.6.0.30'],
    cuda: ['/usr/local/cuda/lib64/libcublasLt.so.12.9'],
    strangers: ['/usr/local/cuda/lib64/libcublasLt.so.12.9', '/usr/lib/libssl.so.3', '/usr/bin/node'],
  };
  const line = (file: string) => `7f00-7f01 r-xp 00000000 08:01 42     ${file}`;
  const text = [...Object.values(files).flat(), '[heap]', '/dev/nvidiactl', '/memfd:x (deleted)']
    .map(line)
    .join('\n');
  expect(sortMaps(text, { root: '/b/app', library: '/b/lib', node: '/b/node' })).toEqual(files);
});

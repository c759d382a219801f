/** ELF files that say of themselves what no linker writes. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectLibrary } from '../../lib/runtime/shared-library.js';

const MACHINE: Partial<Record<string, number>> = { x64: 62, arm64: 183 };
const machine = MACHINE[process.arch];
const isElf = process.platform === 'linux' && machine !== undefined;
const MEGABYTE = 2 ** 20;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tf-session-elf-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A header of a shared library, and after it whatever there is. */
function elf(size: number, segments: { at: number; bytes: number; count: number }): Buffer {
  const file = Buffer.alloc(size, 'a');
  file.fill(0, 0, 64);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(3, 16);
  file.writeUInt16LE(machine!, 18);
  file.writeBigUInt64LE(BigInt(segments.at), 32);
  file.writeUInt16LE(segments.bytes, 54);
  file.writeUInt16LE(segments.count, 56);
  return file;
}

function segment(file: Buffer, at: number, type: number, offset: number, bytes: number): void {
  file.fill(0, at, at + 56);
  file.writeUInt32LE(type, at);
  for (const place of [8, 16]) file.writeBigUInt64LE(BigInt(offset), at + place);
  file.writeBigUInt64LE(BigInt(bytes), at + 32);
}

/** What is said of a file, and the memory that it took. */
async function inspected(file: Buffer) {
  const path = join(folder, 'library.so');
  await writeFile(path, file);
  const before = process.resourceUsage().maxRSS / 1024;
  const result = await inspectLibrary(path);
  return { result, megabytes: process.resourceUsage().maxRSS / 1024 - before };
}

it.skipIf(process.platform === 'win32')('a pipe to which nobody writes is no library, at once', async () => {
  const path = join(folder, 'pipe.so');
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  expect(await inspectLibrary(path)).toMatchObject({ fault: 'is not a file' });
});

describe.runIf(isElf)('a file', () => {
  it('of 64 bytes that says it has tables of gigabytes costs none', async () => {
    const file = elf(64, { at: 64, bytes: 0xffff, count: 0xffff });
    file.writeUInt16LE(0xffff, 58);
    file.writeUInt16LE(0xffff, 60);
    const { result, megabytes } = await inspected(file);
    expect(result.fault).toBe('is an ELF file but not a shared library');
    expect(megabytes).toBeLessThan(200);
  });

  it('that needs thousands of libraries whose names have no end does not fill the memory', async () => {
    const size = 3 * MEGABYTE;
    const file = elf(size, { at: 64, bytes: 56, count: 2 });
    const dynamic = 4096;
    segment(file, 64, 1, 0, size);
    segment(file, 120, 2, dynamic, 65_536);
    const [STRTAB, NEEDED] = [5n, 1n];
    for (let i = 0; i < 4096; i++) {
      file.writeBigUInt64LE(i === 0 ? STRTAB : NEEDED, dynamic + i * 16);
      file.writeBigUInt64LE(i === 0 ? 100_000n : BigInt(i), dynamic + i * 16 + 8);
    }
    const { result, megabytes } = await inspected(file);
    expect(result).toMatchObject({ fault: undefined, runpath: '' });
    expect(result.fault === undefined && result.needed.every((name) => name.length <= 4096)).toBe(true);
    expect(megabytes).toBeLessThan(300);
  });
});

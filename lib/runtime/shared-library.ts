/**
 * What can be told of a shared library without opening it: whether it is one, for this platform, and whole.
 *
 * `dlopen` of a truncated library ends in SIGBUS when a missing page is touched, so this is looked at first.
 * Only a few hundred bytes are read, whatever the size.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ErrorCode } from '../errors.js';

export type Inspection =
  | {
      fault: undefined;
      /** Libraries that this one names as needed; empty where the format isn't read that far (macOS, Windows). */
      needed: string[];
      /** Folders in which it looks for them, and for what it opens by name, joined by `:`. */
      runpath: string;
      /** Whether it carries code for NVIDIA's GPUs; false where the format isn't read that far. */
      hasCudaCode: boolean;
    }
  | {
      /** A clause that follows the file's name: `is truncated: …`. */
      fault: string;
      code: ErrorCode;
    };

/** ELF's numbers for machines (`e_machine`), as Node names them. */
const MACHINES: Record<number, string> = {
  3: 'ia32',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};

const HEADER_BYTES = 64;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const ET_DYN = 3;
/** A pipe is opened at once, not when somebody writes to it. Windows has no such flag. */
const AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
/** Where CUDA's compiler puts GPU code. */
const CUDA_SECTION = '.nv_fatbin';
const MOST_TEXT = 1 << 20;
/** The longest path that Linux takes. */
const MOST_NAME = 4096;

/** Looks at one file. Never throws for what the file holds; a file that can't be read is a fault too. */
export async function inspectLibrary(file: string): Promise<Inspection> {
  let handle: FileHandle;
  try {
    handle = await open(file, AT_ONCE);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return fault('NOT_FOUND', 'does not exist');
    return fault('PERMISSION_DENIED', `can't be read (${code})`);
  }
  try {
    return await inspect(handle);
  } finally {
    await handle.close();
  }
}

/** The folders that a search path names, `$ORIGIN` in it being the folder of its library. */
export function searchFolders(runpath: string, origin: string): string[] {
  const paths = runpath.split(':').filter((path) => path !== '');
  return paths.map((path) => resolve(path.replace(/^\$ORIGIN|^\$\{ORIGIN\}/, origin)));
}

/** Whether a library was built for NVIDIA's GPUs: it carries code for them, or looks for CUDA; CPU builds do neither. */
export function isGpuBuild(inspection: Inspection): boolean {
  if (inspection.fault !== undefined) return false;
  const cuda = /nvidia|cuda|cudnn|cublas/i;
  const { hasCudaCode, runpath, needed } = inspection;
  return hasCudaCode || cuda.test(runpath) || needed.some((name) => cuda.test(name));
}

async function inspect(handle: FileHandle): Promise<Inspection> {
  const stats = await handle.stat();
  if (!stats.isFile()) return fault('INVALID_OPTION', 'is not a file');
  if (stats.size === 0) return fault('DATA_LOSS', 'is empty');
  const header = await read(handle, 0, HEADER_BYTES);
  const magic = header.length < 4 ? 0 : header.readUInt32BE(0);
  const here = `this is ${process.platform} ${process.arch}`;
  if (magic === 0x7f454c46) {
    if (process.platform === 'darwin' || process.platform === 'win32') {
      return fault('FAILED_PRECONDITION', `is a library for Linux (ELF), ${here}`);
    }
    return inspectElf(handle, header, stats.size);
  }
  if ([0xcffaedfe, 0xcefaedfe, 0xfeedfacf, 0xfeedface, 0xcafebabe].includes(magic)) {
    if (process.platform !== 'darwin') {
      return fault('FAILED_PRECONDITION', `is a library for macOS (Mach-O), ${here}`);
    }
    return { fault: undefined, needed: [], runpath: '', hasCudaCode: false };
  }
  if (magic >>> 16 === 0x4d5a) {
    if (process.platform !== 'win32')
      return fault('FAILED_PRECONDITION', `is a library for Windows (PE), ${here}`);
    return { fault: undefined, needed: [], runpath: '', hasCudaCode: false };
  }
  return fault('INVALID_OPTION', 'is not a shared library');
}

async function inspectElf(handle: FileHandle, header: Buffer, size: number): Promise<Inspection> {
  if (header.length < HEADER_BYTES) return truncated(size, HEADER_BYTES);
  const little = header[5] === 1;
  const machine = little ? header.readUInt16LE(18) : header.readUInt16BE(18);
  const name = MACHINES[machine] ?? `machine ${machine}`;
  const bits = header[4] === 2 ? 64 : 32;
  if (name !== process.arch || bits !== 64 || !little) {
    const order = little ? '' : ' big-endian';
    return fault(
      'FAILED_PRECONDITION',
      `is for ${name} (${bits} bits${order}), this Node.js is ${process.arch}`,
    );
  }
  if (header.readUInt16LE(16) !== ET_DYN) {
    return fault('INVALID_OPTION', 'is an ELF file but not a shared library');
  }

  const sections = number(header, 40);
  const sectionsEnd = sections + header.readUInt16LE(58) * header.readUInt16LE(60);
  if (sections !== 0 && sectionsEnd > size) return truncated(size, sectionsEnd);

  const segmentsAt = number(header, 32);
  const segmentBytes = header.readUInt16LE(54);
  const table = await read(handle, segmentsAt, segmentBytes * header.readUInt16LE(56));
  const segments: { type: number; offset: number; address: number; bytes: number }[] = [];
  for (let at = 0; segmentBytes >= 56 && at + segmentBytes <= table.length; at += segmentBytes) {
    segments.push({
      type: table.readUInt32LE(at),
      offset: number(table, at + 8),
      address: number(table, at + 16),
      bytes: number(table, at + 32),
    });
  }
  const end = Math.max(0, ...segments.map((s) => s.offset + s.bytes));
  if (end > size) return truncated(size, end);
  const dynamic = segments.find((s) => s.type === PT_DYNAMIC);
  if (dynamic === undefined) return fault('INVALID_OPTION', 'is an ELF file but not a shared library');

  const entries = await read(handle, dynamic.offset, Math.min(dynamic.bytes, 1 << 16));
  const needed: number[] = [];
  const runpath: number[] = [];
  let strings = 0;
  for (let at = 0; at + 16 <= entries.length; at += 16) {
    const tag = number(entries, at);
    const value = number(entries, at + 8);
    if (tag === 0) break;
    if (tag === DT_NEEDED) needed.push(value);
    else if (tag === DT_RPATH || tag === DT_RUNPATH) runpath.push(value);
    else if (tag === DT_STRTAB) strings = value;
  }
  const holder = segments.find(
    (s) => s.type === PT_LOAD && strings >= s.address && strings < s.address + s.bytes,
  );
  const text = async (offset: number, most: number) =>
    holder === undefined ? '' : textAt(handle, strings - holder.address + holder.offset + offset, most);
  return {
    fault: undefined,
    needed: await Promise.all(needed.map((offset) => text(offset, MOST_NAME))),
    // The loader takes one of each.
    runpath: (await Promise.all(runpath.slice(0, 2).map((offset) => text(offset, MOST_TEXT)))).join(':'),
    hasCudaCode: (await sectionNames(handle, header)).includes(CUDA_SECTION),
  };
}

/** Names of the sections; none where they were stripped. */
async function sectionNames(handle: FileHandle, header: Buffer): Promise<string[]> {
  const bytes = header.readUInt16LE(58);
  const table = await read(handle, number(header, 40), bytes * header.readUInt16LE(60));
  const strings = header.readUInt16LE(62) * bytes;
  if (bytes < 64 || strings + bytes > table.length) return [];
  const names = await read(
    handle,
    number(table, strings + 24),
    Math.min(number(table, strings + 32), MOST_TEXT),
  );
  const found: string[] = [];
  for (let at = 0; at + bytes <= table.length; at += bytes) found.push(textIn(names, table.readUInt32LE(at)));
  return found;
}

function fault(code: ErrorCode, text: string): Inspection {
  return { fault: text, code };
}

function truncated(size: number, wanted: number): Inspection {
  return fault('DATA_LOSS', `is truncated: it has ${size} bytes and should have at least ${wanted}`);
}

/** Up to `bytes` bytes; fewer at the end of the file, which may be short of what its header says by gigabytes. */
async function read(handle: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, size - offset)));
  if (buffer.length === 0) return buffer;
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
  return buffer.subarray(0, bytesRead);
}

/** Mostly short; TensorFlow's search path has some 20,000 characters. */
async function textAt(handle: FileHandle, offset: number, limit: number): Promise<string> {
  for (let most = MOST_NAME; ; most *= 16) {
    const bytes = await read(handle, offset, most);
    if (bytes.includes(0) || bytes.length < most || most >= limit) return textIn(bytes, 0);
  }
}

function textIn(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString('utf8', start, end < 0 ? bytes.length : end);
}

/** A 64-bit field; offsets beyond 2^53 come out inexact, and beyond any file's size. */
function number(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** Makes small archives, folders and libraries for the tests: real formats, stand-in contents. */
import { createWriteStream } from 'node:fs';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32, createGzip, deflateRawSync } from 'node:zlib';
import { type Headers, pack } from 'tar-stream';
import { afterEach, beforeEach, vi } from 'vitest';
import { removeStaging } from '../../lib/runtime/install/staging.js';
import { systemLibrary } from '../helpers/system-library.js';

export interface TemporaryFolder {
  readonly path: string;
  readonly cache: string;
  /** A path in it. */
  inside(...parts: string[]): string;
  /** What lies in the cache, hidden names too. */
  inCache(): Promise<string[]>;
}

/** A folder that is removed after the test; the cache is in it, and neither variables nor the system count. */
export function useTemporaryFolder(): TemporaryFolder {
  const state = {
    path: '',
    cache: '',
    inside: (...parts: string[]) => join(state.path, ...parts),
    inCache: () => readdir(state.cache).catch(() => []),
  };
  beforeEach(async () => {
    state.path = await realpath(await mkdtemp(join(tmpdir(), 'tf-session-test-')));
    state.cache = join(state.path, 'xdg', 'tf-session');
    vi.stubEnv('XDG_CACHE_HOME', join(state.path, 'xdg'));
    vi.stubEnv('TF_SESSION_LIBRARY', '');
    vi.stubEnv('LD_LIBRARY_PATH', '');
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await removeStaging(state.path);
  });
  return state;
}

/** A real shared library of some hundred kilobytes: one that Node itself has loaded. */
export function smallLibrary(): string {
  const found = systemLibrary();
  if (found === undefined) throw new Error('these tests need a Linux whose Node.js links libm');
  return found;
}

/** The small library with an ELF field changed: `e_machine` is at 18. */
export async function patchedLibrary(target: string, at: number, value: number): Promise<void> {
  const bytes = await readFile(smallLibrary());
  bytes.writeUInt16LE(value, at);
  await writeFile(target, bytes);
}

/** A library named as TensorFlow's, whole or cut to a share of its size. */
export async function placeLibrary(target: string, share = 1): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  if (share === 1) await copyFile(smallLibrary(), target);
  else {
    const bytes = await readFile(smallLibrary());
    await writeFile(target, bytes.subarray(0, Math.floor(bytes.length * share)));
  }
  return target;
}

export type TarEntry = Headers & { contents?: Buffer | string };

export async function makeTarball(target: string, entries: TarEntry[], gzipped = true): Promise<string> {
  const archive = pack();
  const written = gzipped
    ? pipeline(archive, createGzip(), createWriteStream(target))
    : pipeline(archive, createWriteStream(target));
  for (const { contents, ...headers } of entries) archive.entry(headers, contents ?? '');
  archive.finalize();
  await written;
  return target;
}

/** What an official C archive holds, with stand-ins for the libraries. */
export async function officialEntries(version = '2.18.0'): Promise<TarEntry[]> {
  const library = await readFile(smallLibrary());
  const major = version.split('.')[0];
  const link = (name: string, linkname: string): TarEntry => ({ name, type: 'symlink', linkname });
  return [
    { name: './', type: 'directory' },
    { name: './lib/', type: 'directory' },
    link('./lib/libtensorflow.so', `libtensorflow.so.${major}`),
    link(`./lib/libtensorflow.so.${major}`, `libtensorflow.so.${version}`),
    { name: `./lib/libtensorflow.so.${version}`, contents: library },
    link(`./lib/libtensorflow_framework.so.${major}`, `libtensorflow_framework.so.${version}`),
    { name: `./lib/libtensorflow_framework.so.${version}`, contents: library },
    { name: './include/tensorflow/c/c_api.h', contents: '/* C API */\n' },
    { name: './include/tensorflow/c/eager/c_api.h', contents: '/* eager */\n' },
    { name: './include/tsl/platform/ctstring.h', contents: '/* string */\n' },
    { name: './LICENSE', contents: 'licence\n' },
  ];
}

/** An official archive. */
export async function makeOfficial(folder: string, version = '2.18.0'): Promise<string> {
  const name = `libtensorflow-cpu-linux-x86_64-${version}.tar.gz`;
  return makeTarball(join(folder, name), await officialEntries(version));
}

/** The same, unpacked. */
export async function makeOfficialFolder(folder: string, version = '2.18.0'): Promise<string> {
  for (const entry of await officialEntries(version)) {
    const path = join(folder, entry.name);
    await mkdir(dirname(path), { recursive: true });
    if (entry.type === 'symlink') await symlink(entry.linkname ?? '', path);
    else if (entry.type !== 'directory') await writeFile(path, entry.contents ?? '');
  }
  return folder;
}

/** What a wheel of TensorFlow 2.12 or later holds. */
export async function wheelEntries(version = '2.99.0'): Promise<Record<string, Buffer | string>> {
  const library = await readFile(smallLibrary());
  return {
    'tensorflow/__init__.py': '',
    'tensorflow/libtensorflow_framework.so.2': library,
    'tensorflow/libtensorflow_cc.so.2': library,
    'tensorflow/include/tensorflow/c/c_api.h': '/* C API */\n',
    'tensorflow/include/xla/tsl/c/tsl_status.h': '/* status */\n',
    'tensorflow/include/absl/base/macros.h': '/* not wanted */\n',
    'tensorflow/THIRD_PARTY_NOTICES.txt': 'notices\n',
    [`tensorflow_cpu-${version}.dist-info/METADATA`]: `Version: ${version}\n`,
  };
}

export function wheelName(version = '2.99.0'): string {
  return `tensorflow_cpu-${version}-cp311-cp311-manylinux_2_27_x86_64.whl`;
}

/** A zip archive, made on Unix; `crcOf` may lie about a checksum. What lies in a folder `bin` may be executed. */
export async function makeZip(
  target: string,
  entries: Record<string, Buffer | string>,
  crcOf: (name: string, crc: number) => number = (_, crc) => crc,
): Promise<string> {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, contents] of Object.entries(entries)) {
    const plain = Buffer.from(contents);
    const packed = deflateRawSync(plain);
    const path = Buffer.from(name);
    // The fields that the local and the central header share, from "version needed" to "extra field length".
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(crcOf(name, crc32(plain)), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(plain.length, 18);
    shared.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), shared, path, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt16LE(name.includes('/bin/') ? 0o100744 : 0o100644, 8);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), shared, rest, path);
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  const count = Object.keys(entries).length;
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  await writeFile(target, Buffer.concat([...locals, directory, end]));
  return target;
}

/** Cuts a file to a share of its size. */
export async function cut(file: string, share: number): Promise<string> {
  await truncate(file, Math.floor((await stat(file)).size * share));
  return file;
}

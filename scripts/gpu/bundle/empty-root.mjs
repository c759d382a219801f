// A root folder with nothing in it but what a bundle asks of a machine: a shell, four programs, glibc. No Node, Python, compiler
// or CUDA is to be found there, nor libstdc++ and zlib, nor a driver.
import { copyFile, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt } from '../../tools/spawn.mjs';
import { glibcOf, neededOf } from './system-libraries.mjs';

/** What run-gpu-checks says that it needs. */
export const PROGRAMS = ['/bin/sh', '/bin/cat', '/bin/chmod', '/bin/mkdir', '/bin/mv'];

/** glibc's other parts, which Node, TensorFlow and CUDA need. */
const PARTS = ['libdl.so.2', 'libm.so.6', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1'];

/**
 * Fills a folder.
 *
 * @param {string} root
 * @returns {Promise<string[]>} The files in it.
 */
export async function fillRoot(root) {
  for (const name of ['bundle', 'dev', 'proc', 'sys', 'tmp'])
    await mkdir(join(root, name), { recursive: true });
  const glibc = [...(await glibcOf(PROGRAMS)).values()];
  const home = dirname(glibc.find((path) => path.endsWith('/libc.so.6')));
  const others = [...(await neededOf(PROGRAMS)).values()];
  const files = [...PROGRAMS, ...glibc, ...PARTS.map((name) => join(home, name)), ...others].sort();
  for (const path of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(await realpath(path), join(root, path));
  }
  return files;
}

/**
 * Runs a command in it, with a bundle at /bundle that can't be written to, and no variables but these and PATH, and no network. Needs root's rights, or a
 * kernel that lets everybody have namespaces.
 */
export function inRoot(root, bundle, env, command) {
  const script = [
    'set -e',
    'root=$1 bundle=$2; shift 2',
    'mount --bind "$bundle" "$root/bundle"',
    'mount -o remount,bind,ro "$root/bundle"',
    'for name in dev proc sys; do mount --rbind "/$name" "$root/$name"; done',
    'chroot=$(command -v chroot)',
    'PATH=/bin exec "$chroot" "$root" "$@"',
  ].join('\n');
  const own = process.getuid() === 0 ? [] : ['--map-root-user'];
  const args = [...own, '--mount', '--net', 'sh', '-c', script, 'sh', root, bundle];
  return attempt('unshare', [...args, ...command], { env: { PATH: process.env.PATH, ...env } });
}

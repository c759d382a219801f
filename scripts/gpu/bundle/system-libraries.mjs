// Shared objects of this machine that go along, and those that do not: glibc is the target's own, as its driver wants it.
import { basename } from 'node:path';
import { Failure } from '../../tools/failure.mjs';
import { attempt } from '../../tools/spawn.mjs';

const GLIBC = /^(ld-linux.*|lib(c|m|dl|pthread|rt|util|resolv|nsl|anl|BrokenLocale|crypt)\.so\..*)$/;

/** Of others: Node and TensorFlow need GCC's, cuDNN zlib. */
export const CARRIED = ['libstdc++.so.6', 'libgcc_s.so.1', 'libz.so.1'];

/** What the loader finds for a file, itself included: paths by name; undefined where it finds nothing. */
async function loadedBy(file) {
  const { output } = await attempt('ldd', [file], { capture: true });
  const found = new Map();
  for (const line of output.split('\n')) {
    const [, name, path] = /^\s+(\S+)(?: => (\/\S+|not found))?/.exec(line) ?? [];
    if (name === undefined || (path === undefined && !name.startsWith('/'))) continue;
    found.set(basename(name), path === 'not found' ? undefined : (path ?? name));
  }
  return found;
}

async function all(files, isWanted) {
  const found = new Map();
  for (const file of files) {
    for (const [name, path] of await loadedBy(file)) {
      if (!isWanted(name)) continue;
      if (path === undefined)
        throw new Failure(`${basename(file)} needs ${name}, which is not on this machine.`);
      found.set(name, path);
    }
  }
  return found;
}

/** What of `CARRIED` they need. @param {readonly string[]} files @returns {Promise<Map<string, string>>} */
export const carriedOf = (files) => all(files, (name) => CARRIED.includes(name));

/** What these files need beside glibc. @param {readonly string[]} files @returns {Promise<Map<string, string>>} */
export const neededOf = (files) => all(files, (name) => !GLIBC.test(name));

/** What of glibc they need, the loader included. @param {readonly string[]} files @returns {Promise<Map<string, string>>} */
export const glibcOf = (files) => all(files, (name) => GLIBC.test(name));

// Shared objects of this machine that go along, and those that do not: glibc is the target's own, as its driver wants it.
import { basename } from 'node:path';
import { Failure } from '../../tools/failure.mjs';
import { attempt } from '../../tools/spawn.mjs';

const GLIBC = /^(ld-linux.*|lib(c|m|dl|pthread|rt|util|resolv|nsl|anl|BrokenLocale|crypt)\.so\..*)$/;

/** For a machine without them: Node and TensorFlow need GCC's. */
export const CXX_RUNTIME = ['libstdc++.so.6', 'libgcc_s.so.1'];

/** What the loader finds for a file, itself included: paths by name. */
async function loadedBy(file) {
  const { output } = await attempt('ldd', [file], { capture: true });
  const lines = output.matchAll(/^\s*(?:\S+ => )?(\/\S+|not found)?.*$/gm);
  const found = new Map();
  for (const [line, path] of lines) {
    if (path === undefined) continue;
    if (path === 'not found')
      throw new Failure(
        `${basename(file)} needs ${line.trim().split(' ')[0]}, which is not on this machine.`,
      );
    const [name] = line.trim().split(' ');
    found.set(basename(name), path);
  }
  return found;
}

async function all(files, isWanted) {
  const found = new Map();
  for (const file of files) {
    for (const [name, path] of await loadedBy(file)) if (isWanted(name)) found.set(name, path);
  }
  return found;
}

/** What these files need beside glibc. @param {readonly string[]} files @returns {Promise<Map<string, string>>} */
export const neededOf = (files) => all(files, (name) => !GLIBC.test(name));

/** What of glibc they need, the loader included. @param {readonly string[]} files @returns {Promise<Map<string, string>>} */
export const glibcOf = (files) => all(files, (name) => GLIBC.test(name));

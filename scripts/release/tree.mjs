// The checkout that a release is made from: clean before, and as it was after a failure.
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../tools/failure.mjs';
import { attempt } from '../tools/spawn.mjs';

const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/**
 * Throws where `version` is none, is older than the package's own, or has its tag already; or where the tree has changes.
 *
 * @param {string} root
 * @param {string} version
 */
export async function checkTree(root, version) {
  if (!VERSION.test(version)) throw new Failure(`"${version}" is no version: X.Y.Z, or X.Y.Z-rc.1.`);
  const { version: present } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  if (isOlder(version, present))
    throw new Failure(`${version} is older than ${present}, which package.json has.`);
  if ((await git(root, 'tag', '--list', `v${version}`)) !== '')
    throw new Failure(`There is a tag v${version} already.`);
  const changes = await git(root, 'status', '--porcelain');
  if (changes !== '') throw new Failure(`Commit or stash these first:\n${changes}`);
}

/** By the three numbers; pre-releases of one version are not told apart. */
function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => text.split('-')[0].split('.').map(Number));
  const at = a.findIndex((number, i) => number !== b[i]);
  return at >= 0 && a[at] < b[at];
}

async function git(root, ...args) {
  const { status, output } = await attempt('git', args, { cwd: root, capture: true });
  if (status !== 0) throw new Failure(`git ${args.join(' ')}:\n${output}`);
  return output.trimEnd();
}

/**
 * Runs `work`. Where it throws, where the process is interrupted, and where `keep` says no, these files are afterwards as
 * they were.
 *
 * @template T
 * @param {readonly string[]} files
 * @param {() => Promise<T>} work
 * @param {{ keep?: boolean }} [options]
 * @returns {Promise<T>}
 */
export async function restoring(files, work, { keep = true } = {}) {
  const before = files.map((file) => [file, readFileSync(file)]);
  const restore = () => {
    for (const [file, bytes] of before) writeFileSync(file, bytes);
  };
  const interrupted = () => {
    restore();
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  let isDone = false;
  try {
    const result = await work();
    isDone = true;
    return result;
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    if (!(isDone && keep)) restore();
  }
}

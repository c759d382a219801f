/** The native addon: found once an environment, at first need, so that importing the package costs nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { TensorFlowError } from '../errors.js';
import type { NativeAddon } from '../native.js';
import { glibcVersion } from './glibc.js';

const NAME = 'tf-session.node';
/**
 * The file of another build of the addon, taken in place of all others: linked with one library, or with sanitizers.
 * Relative paths start at the working directory.
 */
const VARIABLE = 'TF_SESSION_ADDON';

let loaded: { addon: NativeAddon; path: string } | undefined;

/**
 * The addon, loaded at the first call.
 *
 * @throws TensorFlowError ADDON_NOT_FOUND, with what was tried and the command that builds it.
 */
export function addon(): NativeAddon {
  return load().addon;
}

/** The path of the addon's file; the same errors. */
export function addonPath(): string {
  return load().path;
}

function load(): { addon: NativeAddon; path: string } {
  if (loaded === undefined) {
    const folder = packageFolder();
    const named = process.env[VARIABLE] ? resolve(process.env[VARIABLE]) : undefined;
    const places = [builtPath(folder), join(folder, prebuiltPath())] as const;
    const path = named ?? (existsSync(places[0]) ? places[0] : places[1]);
    const require = createRequire(import.meta.url);
    let found: NativeAddon;
    try {
      found = require('bindings')({ bindings: NAME, module_root: folder, file: path, try: [['file']] });
    } catch (error) {
      throw notFound(error, folder, named, places.join(' and '));
    }
    found.init({ TensorFlowError, isMainThread });
    // A graph that never ends would hold the exit of the process: sessions are ended first. Worker threads end their
    // own only, the main thread's exit ends those of all.
    process.on('exit', () => found.closeAll(isMainThread));
    loaded = { addon: found, path };
  }
  return loaded;
}

/**
 * The package's folder: this file is lib/runtime/addon.ts, or in dist/bundle/, unless a bundler has moved the code. Then there is neither an addon nor what it takes to build one.
 */
function packageFolder(): string {
  // Where a bundler writes CommonJS, there is no URL.
  const here = import.meta.url as string | undefined;
  const folder = here === undefined ? undefined : join(dirname(fileURLToPath(here)), '..', '..');
  if (folder !== undefined && isPackage(folder)) return folder;
  throw new TensorFlowError(
    'ADDON_NOT_FOUND',
    `The code of tf-session runs from ${here === undefined ? 'a bundle' : fileURLToPath(here)}, outside of its package, so its native addon cannot be found.\n` +
      'Tell the bundler to leave the package where it is: --external:tf-session (esbuild), external: ["tf-session"] (Rollup, ' +
      'Rolldown), ssr.external (Vite), externals (webpack), serverExternalPackages (Next.js).',
  );
}

function isPackage(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name === 'tf-session';
  } catch {
    return false;
  }
}

/** What was built here goes before what came with the package. */
function builtPath(folder: string): string {
  return join(folder, 'build', 'Release', NAME);
}

/** The addon for this machine, by its path in the package, as prebuildify names it. */
export function prebuiltPath(): string {
  const libc = process.platform === 'linux' ? `.${isMusl() ? 'musl' : 'glibc'}` : '';
  return `prebuilds/${process.platform}-${process.arch}/tf-session${libc}.node`;
}

function isMusl(): boolean {
  return glibcVersion() === undefined;
}

function notFound(
  cause: unknown,
  folder: string,
  named: string | undefined,
  places: string,
): TensorFlowError {
  const [line] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const reason = line!.replace(/ Tried:$/, '');
  // Under Yarn's Plug'n'Play a program finds its packages only if Yarn starts it.
  const node = process.versions.pnp === undefined ? 'node' : 'yarn node';
  const command = `${node} ${shellWord(join(folder, 'scripts', 'build.mjs'))}`;
  const isOnMusl = process.platform === 'linux' && isMusl();
  const build = isOnMusl
    ? 'This Node is for musl (as on Alpine), for which there is no TensorFlow: use a system with glibc, in Docker ' +
      `node:22-slim in place of node:22-alpine. If you have a libtensorflow for musl, build the addon: ${command}`
    : `Build it (CMake and a C++ compiler are needed): ${command}`;
  const wayOut =
    named === undefined
      ? build
      : `The environment variable ${VARIABLE} names that file: unset it to take the addon that comes with the package.`;
  return new TensorFlowError(
    'ADDON_NOT_FOUND',
    `The native addon of tf-session could not be loaded for ${process.platform}-${process.arch}` +
      `${isOnMusl ? ' with musl' : ''}: ${reason}\nTried: ${named ?? places}.\n${wayOut}`,
    { cause },
  );
}

/** A path as it can be pasted into a shell. */
function shellWord(path: string): string {
  return /^[\w./:@-]+$/.test(path) ? path : `"${path}"`;
}

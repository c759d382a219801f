/** The native addon: found once an environment, at first need, so that importing the package costs nothing. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { TensorFlowError } from '../errors.js';
import type { NativeAddon } from '../native.js';

/** The package's folder: this file is lib/runtime/addon.ts or dist/runtime/addon.js. */
const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const NAME = 'tf-session.node';
/** The file of another build of the addon, taken in place of all others: linked with one library, or with sanitizers. */
const VARIABLE = 'TF_SESSION_ADDON';
/** What was built here goes before what came with the package. */
const BUILT = join(PACKAGE, 'build', 'Release', NAME);

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
    const path = process.env[VARIABLE] || (existsSync(BUILT) ? BUILT : join(PACKAGE, prebuiltPath()));
    const require = createRequire(import.meta.url);
    let found: NativeAddon;
    try {
      found = require('bindings')({ bindings: NAME, module_root: PACKAGE, file: path, try: [['file']] });
    } catch (error) {
      throw notFound(error);
    }
    found.init({ TensorFlowError, isMainThread });
    // A graph that never ends would hold the exit of the process: sessions are ended first. Worker threads end their
    // own only, the main thread's exit ends those of all.
    process.on('exit', () => found.closeAll(isMainThread));
    loaded = { addon: found, path };
  }
  return loaded;
}

/** As prebuildify names it. */
function prebuiltPath(): string {
  const libc = process.platform === 'linux' ? `.${isMusl() ? 'musl' : 'glibc'}` : '';
  return `prebuilds/${process.platform}-${process.arch}/tf-session${libc}.node`;
}

function isMusl(): boolean {
  Object.assign(process.report, { excludeNetwork: true }); // or the report looks host names up
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}

function notFound(cause: unknown): TensorFlowError {
  const [line] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const reason = line!.replace(/ Tried:$/, '');
  const command = `node ${shellWord(join(PACKAGE, 'scripts', 'build.mjs'))}`;
  const isOnMusl = process.platform === 'linux' && isMusl();
  const wayOut = isOnMusl
    ? 'This Node is for musl (as on Alpine), for which there is no TensorFlow: use a system with glibc, in Docker ' +
      `node:22-slim in place of node:22-alpine. If you have a libtensorflow for musl, build the addon: ${command}`
    : `Build it (CMake and a C++ compiler are needed): ${command}`;
  return new TensorFlowError(
    'ADDON_NOT_FOUND',
    `The native addon of tf-session could not be loaded for ${process.platform}-${process.arch}` +
      `${isOnMusl ? ' with musl' : ''}: ${reason}\n` +
      `Tried: ${process.env[VARIABLE] || `${BUILT} and ${join(PACKAGE, prebuiltPath())}`}.\n${wayOut}`,
    { cause },
  );
}

/** A path as it can be pasted into a shell. */
function shellWord(path: string): string {
  return /^[\w./:@-]+$/.test(path) ? path : `"${path}"`;
}

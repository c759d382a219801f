// What a built addon needs from the machine that loads it, and what it shows to others, read from the ELF file: an
// addon that is shipped has to load on old systems, and its C++ runtime must not meet another one in the process.
//
//   node scripts/tools/check-symbols.mjs FILE… [--glibc VERSION] [--libstdcxx]
//
// --glibc      the newest glibc that it may need; default: 2.28, what Node's own builds need
// --libstdcxx  it may need libstdc++, not newer than that of GCC 8, which goes with glibc 2.28
//
// libgcc_s it has to need: Node does, and TensorFlow.
//
// Ends with status 1 when a file is not as it should be. Needs readelf, of the binutils.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure, main } from './failure.mjs';

/** The two names that Node looks for in an addon. */
const ENTRY_POINTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
/** What hands exceptions on from function to function: one for all C++ in the process. */
const UNWINDER = 'libgcc_s.so.1';
/** The libraries that are glibc. */
const GLIBC = /^(?:lib(?:c|m|dl|pthread|rt)\.so\.\d|ld-linux-[\w-]+\.so\.\d)$/;
const RUNTIME = /^libstdc\+\+\.so\.\d$/;
/** What a C++ runtime has: left open, another library's could be taken. */
const OF_RUNTIME = /^(?:_Z|__cxa_|_Unwind_|__gxx_)/;

/** What an addon that is shipped may need: the newest version by its kind, and libstdc++ or not. */
export const PREBUILT = {
  newest: { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '8.0.0' },
  libstdcxx: false,
};

/**
 * @typedef {object} Symbols
 * @property {string} file
 * @property {string} machine
 * @property {string[]} needed Libraries.
 * @property {string[]} exported
 * @property {{ name: string, version?: string, isWeak: boolean }[]} undefined_ Taken from others; `version` like
 *   GLIBC_2.17.
 * @property {boolean} isKept Whether it is never unloaded.
 */

/**
 * Reads a file and holds it against the limits.
 *
 * @param {string} file
 * @param {typeof PREBUILT} [limits]
 * @returns {Symbols & { versions: Record<string, string>, faults: string[] }} `versions`: the newest of each kind.
 */
export function checkSymbols(file, limits = PREBUILT) {
  const symbols = readSymbols(file);
  return { ...symbols, versions: newestVersions(symbols), faults: [...faults(symbols, limits)] };
}

/** A few lines for people. */
export function describe({ file, machine, versions, needed, exported, faults: found }) {
  const newest = Object.entries(versions).map(([kind, version]) => `${kind}_${version}`);
  return [
    `${file}: ${machine}`,
    `  needs at most: ${newest.join(', ') || 'no versions'}; from ${needed.join(', ') || 'nothing'}`,
    `  exports: ${exported.join(', ') || 'nothing'}`,
    ...found.map((fault) => `  WRONG: ${fault}`),
  ].join('\n');
}

function* faults({ needed, exported, undefined_, isKept }, { newest, libstdcxx }) {
  for (const library of needed) {
    if (GLIBC.test(library) || library === UNWINDER || (libstdcxx && RUNTIME.test(library))) continue;
    yield `it needs ${library}`;
  }
  for (const { name, version, isWeak } of undefined_) {
    if (version === undefined) {
      const isNode = /^(?:napi|node_api)_/.test(name);
      if (!isNode && (!isWeak || OF_RUNTIME.test(name))) yield `it leaves ${name} to any library that has it`;
      continue;
    }
    const [kind, number] = split(version);
    if (newest[kind] === undefined || compare(number, newest[kind]) > 0) {
      yield `${name} needs ${version}; the newest that is allowed is ${newest[kind] ?? 'none'}`;
    }
  }
  for (const name of exported) if (!ENTRY_POINTS.includes(name)) yield `it exports ${name}`;
  for (const name of ENTRY_POINTS) if (!exported.includes(name)) yield `it does not export ${name}`;
  if (!needed.includes(UNWINDER))
    yield `it does not need ${UNWINDER}: an exception of TensorFlow's would crash in it`;
  if (!isKept) yield 'it can be unloaded: link it with -z nodelete';
}

/** @returns {Symbols} */
function readSymbols(file) {
  if (!existsSync(file)) throw new Failure(`There is no file ${file}.`);
  const args = ['--wide', '--file-header', '--dynamic', '--dyn-syms', file];
  const { error, stdout, stderr } = spawnSync('readelf', args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) {
    throw new Failure(
      `readelf could not be started (${error.code}): it reads what ${file} needs. Install the binutils.`,
    );
  }
  const machine = /^\s*Machine:\s+(.+?)\s*$/m.exec(stdout)?.[1];
  if (machine === undefined) throw new Failure(`${file} is no ELF file: ${stderr.trim()}`);
  const rows = [
    // Num: Value Size Type Bind Vis Ndx Name[@Version]
    ...stdout.matchAll(/^ *\d+: +\S+ +\S+ +\S+ +(\S+) +\S+ +(\S+) +([^\s@]+)(?:@@?(\S+))?/gm),
  ].map(([, bind, section, name, version]) => ({ name, version, section, isWeak: bind === 'WEAK' }));
  return {
    file,
    machine,
    needed: [...stdout.matchAll(/\(NEEDED\)[^[\n]*\[([^\]]+)\]/g)].map(([, name]) => name),
    exported: rows.filter(({ section }) => section !== 'UND').map(({ name }) => name),
    undefined_: rows.filter(({ section }) => section === 'UND'),
    isKept: /\(FLAGS_1\).*\bNODELETE\b/.test(stdout),
  };
}

function newestVersions({ undefined_ }) {
  const versions = {};
  for (const { version } of undefined_) {
    if (version === undefined) continue;
    const [kind, number] = split(version);
    if (versions[kind] === undefined || compare(number, versions[kind]) > 0) versions[kind] = number;
  }
  return versions;
}

/** GLIBC_2.17: its kind and its number. */
function split(version) {
  const at = version.lastIndexOf('_');
  return [version.slice(0, at), version.slice(at + 1)];
}

function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const usage = 'node scripts/tools/check-symbols.mjs FILE… [--glibc VERSION] [--libstdcxx]';
  await main(async () => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        glibc: { type: 'string', default: PREBUILT.newest.GLIBC },
        libstdcxx: { type: 'boolean', default: PREBUILT.libstdcxx },
      },
    });
    if (positionals.length === 0) throw new Failure(usage);
    if (!/^\d+(\.\d+)+$/.test(values.glibc)) throw new Failure(`--glibc: ${values.glibc} is no version.`);
    const limits = { newest: { ...PREBUILT.newest, GLIBC: values.glibc }, libstdcxx: values.libstdcxx };
    const checked = positionals.map((file) => checkSymbols(file, limits));
    for (const one of checked) console.log(describe(one));
    const wrong = checked.filter((one) => one.faults.length > 0).map(({ file }) => file);
    if (wrong.length > 0) throw new Failure(`Not as it should be: ${wrong.join(', ')}.`);
  }, usage);
}

// One libtensorflow of another version, in the cache folder: fetched by pip where it is not there yet.
//
//   node scripts/compat/library.mjs 1.15.5     prints the file that is opened
import { readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, fromDist, ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { cached } from '../tools/publish.mjs';
import { attempt } from '../tools/spawn.mjs';
import { fetchWheel, unpackWheel } from '../tools/wheel.mjs';
import { VERSIONS } from './versions.mjs';

/** The file that is opened, by the kind of source. */
const OPENED = { extension: 'tensorflow/libtensorflow.so', file: 'lib/libtensorflow.so.2' };

/** What is taken out of the wheels, and where it goes: the extension finds the other file by its own runpath. */
const TAKEN = {
  extension: [
    [/(?:^|\/)tensorflow(?:_core)?\/python\/(_pywrap_tensorflow_internal\.so)$/, 'tensorflow/python/'],
    [/(?:^|\/)tensorflow(?:_core)?\/(libtensorflow_framework\.so(?:\.\d)?)$/, 'tensorflow/'],
  ],
  file: [[/\.libs\/(libtensorflow-[^/]*\.so\.[\d.]+)$/, 'lib/']],
};

/**
 * The library file of a version in VERSIONS.
 *
 * @param {string} version
 * @returns {Promise<string>}
 */
export async function compatLibrary(version) {
  const source = VERSIONS.find((entry) => entry.version === version);
  if (source === undefined) {
    throw new Failure(
      `There is no TensorFlow ${version} here. There is: ${VERSIONS.map((v) => v.version).join(', ')}.`,
    );
  }
  if (source.kind === 'install') return installed(version);
  const opened = OPENED[source.kind];
  const isWhole = async (folder) => (await stat(join(folder, opened)).catch(() => undefined)) !== undefined;
  const folder = await cached(`compat/${version}`, isWhole, async (made, staging) => {
    console.error(`Fetching ${source.requirement}, once …`);
    const wheel = await fetchWheel(source.requirement, join(staging, 'wheel'), { args: source.pip });
    await unpack(wheel, TAKEN[source.kind], made);
    await rm(wheel);
    if (source.kind === 'extension') await wrap(made);
    // The name that it was given by its packagers is that by which the loader knows it.
    else await symlink((await readdir(join(made, 'lib')))[0], join(made, OPENED.file));
  });
  return join(folder, opened);
}

/** What `tf-session install` makes of it: the user's own, or else one in a cache folder apart, where none is found. */
async function installed(version) {
  const { readEntry } = await fromDist('runtime/cache.js');
  const own = await readEntry(join(await cacheFolder(), `${version}-cpu`));
  if (typeof own !== 'string') return own.library;
  const env = { ...process.env, XDG_CACHE_HOME: join(await cacheFolder(), 'compat') };
  const args = [join(ROOT, 'dist/cli/main.js'), 'install', '--tensorflow', version];
  const { status } = await attempt(process.execPath, args, { env, capture: true });
  if (status !== 0) throw new Failure(`TensorFlow ${version} could not be installed.`);
  return join(env.XDG_CACHE_HOME, 'tf-session', `${version}-cpu`, 'lib/libtensorflow_cc.so.2');
}

/** Throws where the wheel lacks anything of what is to be taken. */
async function unpack(wheel, taken, folder) {
  const missing = new Set(taken);
  await unpackWheel(wheel, folder, (name) => {
    const rule = taken.find(([pattern]) => pattern.test(name));
    if (rule === undefined) return undefined;
    missing.delete(rule);
    return join(rule[1], basename(name));
  });
  if (missing.size > 0) throw new Failure(`${basename(wheel)} does not hold what is expected in it.`);
}

/** The one function of Python that TensorFlow's C functions do call, when a run is traced. */
const IS_INITIALIZED = 'Py_IsInitialized';

/**
 * Makes a library of a Python extension. The extension names some 170 symbols of Python, which TensorFlow's C functions
 * have no use for where there is no Python; the linker wants them all the same. A small library that defines them and
 * needs the extension is what is opened.
 */
async function wrap(folder) {
  const extension = join(folder, 'tensorflow/python/_pywrap_tensorflow_internal.so');
  const { status, output } = await attempt('nm', ['-D', '--undefined-only', extension], { capture: true });
  if (status !== 0) throw new Failure(`nm (binutils) could not read ${extension}: ${output}`);
  const names = new Set(output.match(/\b_?Py\w+$/gm));
  const define = (name) =>
    name === IS_INITIALIZED ? `int ${name}(void) { return 0; }\n` : `char ${name}[1024];\n`;
  const source = join(folder, 'python-symbols.c');
  await writeFile(source, [...names].map(define).join(''));
  const args = ['-shared', '-fPIC', '-o', join(folder, OPENED.extension), source];
  args.push('-Wl,--no-as-needed', extension, '-Wl,--allow-shlib-undefined', '-Wl,-rpath,$ORIGIN/python');
  args.push(`-Wl,-soname,${basename(OPENED.extension)}`);
  const linked = await attempt('cc', args, { capture: true });
  if (linked.status !== 0) throw new Failure(`The C compiler could not link against it: ${linked.output}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    if (process.argv.length !== 3)
      throw new Failure('Say one version: node scripts/compat/library.mjs 1.15.5');
    console.log(await compatLibrary(process.argv[2]));
  });
}

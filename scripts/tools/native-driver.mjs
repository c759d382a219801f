// The parts of the addon that know no JavaScript, with a program that drives them without Node: native/threads.cc.
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { run } from '../run.mjs';
import { fromDist, ROOT } from './dist.mjs';
import { ensureLibrary } from './library.mjs';

const require = createRequire(import.meta.url);

/** `work_line` and `status` name Node-API, of which the program has what is called. */
const PARTS = [
  'executor_choice',
  'graph',
  'graph_fitness',
  'library',
  'run_gate',
  'session_core',
  'status',
  'string_layout',
  'turns',
  'work_line',
];

/** What the program prints last: without it something ended it before, whatever its status says. */
const END = 'The driver came to its end.';

/**
 * Builds it into build/NAME.
 *
 * @param {string} name
 * @param {readonly string[]} flags For compiling and linking: `-fsanitize=thread`.
 * @returns {Promise<{ program: string, args: string[], isWhole: (output: string) => boolean }>} `isWhole`: whether a run
 *   that printed this came to its end.
 */
export async function nativeDriver(name, flags) {
  const library = await ensureLibrary();
  const { includeFolder } = await fromDist('runtime/include-folder.js');
  const folder = join(ROOT, 'build', name);
  await mkdir(folder, { recursive: true });
  const packages = ['node-api-headers', 'node-addon-api', 'protozero'].map((each) =>
    dirname(require.resolve(`${each}/package.json`)),
  );
  const [headers, addon, protozero] = packages;
  const folders = [join(headers, 'include'), addon, join(protozero, 'include'), await includeFolder(library)];
  const compile = [
    ...flags,
    '-std=c++17',
    '-g',
    '-pthread',
    '-DNAPI_VERSION=8',
    '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL',
    `-I${join(ROOT, 'native')}`,
    ...folders.flatMap((path) => ['-isystem', path]),
  ];
  const parts = join(folder, 'libparts.so');
  const program = join(folder, 'threads');
  const own = (file) => join(ROOT, 'scripts/tools/native', file);
  // A library of their own, which may name functions that nobody has, as long as nobody calls them.
  const sources = [...PARTS.map((part) => join(ROOT, 'native', `${part}.cc`)), own('threads.cc')];
  await run('g++', [...compile, '-fPIC', '-shared', '-Wl,-z,lazy', ...sources, '-o', parts]);
  const link = ['-rdynamic', parts, '-Wl,--allow-shlib-undefined', `-Wl,-rpath,${folder}`, '-ldl'];
  await run('g++', [...compile, own('event_loop.cc'), ...link, '-o', program]);
  return {
    program,
    args: [library, join(ROOT, 'test', 'fixtures')],
    isWhole: (output) => output.includes(END),
  };
}

// Looks at a GPU build of libtensorflow, on a machine with a GPU or without one: does it find CUDA with nothing set, does
// it run a model, and if it has no GPU device, why.
//
//     node scripts/gpu/check.mjs [--library FILE_OR_DIR]     default: what `tf-session install --gpu` installed
//
// 1. Each CUDA library beside it is opened in a process of its own, by its path.
// 2. TensorFlow's own check, without which it makes no GPU device: it opens all that it needs by their names. The function
//    is in no header, and is left out where the library does not export it.
// 3. `tf-session info`, and a model of TensorFlow 1, whose outputs are compared; on GPU:0 too where there is one.
//
// LD_LIBRARY_PATH is empty throughout. Ends with status 1 where something failed that no missing driver explains.
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder, fromDist, ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { cudaLibraries, openLibrary } from './rig/cuda-libraries.mjs';

const CHECK = '_ZN3tsl8internal9DsoLoader26MaybeTryDlopenGPULibrariesEv';
const MODEL = join(ROOT, 'test/fixtures/tf1-variables');
const env = { ...process.env, LD_LIBRARY_PATH: '', TF_CPP_MIN_LOG_LEVEL: '2' };
let failures = 0;

await main(async () => {
  const { values } = parseArgs({ options: { library: { type: 'string' } } });
  const { findLibrary } = await fromDist('runtime/finder.js');
  const { path } = await findLibrary(values.library ?? (await installed()));
  const { isGpuLibrary } = await fromDist('runtime/gpu-absence.js');
  console.log(path);
  if (!(await isGpuLibrary(path))) throw new Failure('This is no GPU build.');
  await openEach(path);
  tensorflowOpens(path);
  const devices = info(path);
  const { cases } = JSON.parse(await readFile(join(MODEL, 'expected.json'), 'utf8'));
  runs(path, cases[0], []);
  if (devices.some(({ type }) => type === 'GPU'))
    runs(path, cases[0], ['--device', '/GPU:0', '--clear-devices']);
  if (failures > 0) process.exitCode = 1;
});

async function installed() {
  const { listCache } = await fromDist('runtime/cache.js');
  const { entries } = await listCache(await cacheFolder());
  const gpu = entries.find(({ record }) => record.variant === 'gpu');
  if (gpu === undefined)
    throw new Failure('No GPU build is installed: run `tf-session install --gpu` first.');
  return gpu.library;
}

function say(isGood, text) {
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${text}`);
  if (!isGood) failures++;
}

async function openEach(library) {
  const files = await cudaLibraries(library);
  if (files.length === 0) console.log('       no CUDA libraries are beside it');
  for (const { name, path } of files) {
    const result = await openLibrary(path);
    say(['opens', 'wants the driver'].includes(result), `${name}: ${result}`);
  }
}

/** An absl::Status comes back by way of a hidden pointer; a good one is the number 1, in older versions 0. */
function tensorflowOpens(library) {
  const program = [
    'import ctypes, os, sys',
    'library = ctypes.CDLL(sys.argv[1], mode=os.RTLD_NOW)',
    `check = getattr(library, "${CHECK}", None)`,
    'if check is None: sys.exit(3)',
    'status = ctypes.create_string_buffer(64)',
    'check.restype = None',
    'check(ctypes.byref(status))',
    'sys.exit(0 if int.from_bytes(status[:8], "little") in (0, 1) else 1)',
  ].join('\n');
  const { status, output } = python(program, library);
  if (status === 3) console.log('       TensorFlow exports no check of its own');
  else
    say(status === 0, `TensorFlow opens all its CUDA libraries by name${status === 0 ? '' : `: ${output}`}`);
}

function python(program, argument) {
  const { status, stdout, stderr, error } = spawnSync('python3', ['-c', program, argument], {
    env,
    encoding: 'utf8',
  });
  if (error !== undefined) throw new Failure(`python3 is needed for this: ${error.message}`);
  return { status, output: stdout + stderr };
}

function command(...args) {
  const words = [join(ROOT, 'dist/cli/main.js'), ...args, '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function info(library) {
  const { status, stdout, stderr } = command('info', '--library', library);
  if (status !== 0) throw new Failure(stderr);
  const { library: opened, devices } = JSON.parse(stdout);
  for (const { name, memoryBytes } of devices)
    console.log(`       ${name} ${(memoryBytes / 1e6).toFixed(0)} MB`);
  const why = /^note: no GPU device\. .*$/m.exec(stderr)?.[0];
  const hasGpu = devices.some(({ type }) => type === 'GPU');
  say(hasGpu || why !== undefined, `TensorFlow ${opened.version}: ${hasGpu ? 'has a GPU' : why}`);
  return devices;
}

function runs(library, { inputs, outputs }, flags) {
  const given = Object.entries(inputs).flatMap(([name, value]) => [
    '--input',
    `${name}=${JSON.stringify(value)}`,
  ]);
  const { status, stdout, stderr } = command(
    'run',
    join(MODEL, 'saved_model'),
    '--library',
    library,
    ...given,
    ...flags,
  );
  const is = status === 0 ? JSON.parse(stdout).outputs : undefined;
  const isGood =
    is !== undefined &&
    Object.entries(outputs).every(([name, { data }]) =>
      data.every((value, i) => Math.abs(value - is[name].data[i]) <= 1e-5 * Math.max(1, Math.abs(value))),
    );
  const where = flags.length === 0 ? '' : ` on ${flags[1]}`;
  say(isGood, `${relative(ROOT, MODEL)} runs${where}${isGood ? '' : `: ${stderr || stdout}`}`);
}

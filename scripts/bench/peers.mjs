// The programs beside this library, each fetched or built once into the cache folder. One that cannot be had is left out
// aloud.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { headers } from '../headers.mjs';
import { ensureLibrary } from '../tools/library.mjs';
import { MODELS } from './cases.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '..', '..');
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tf-session', 'bench');

const ONNXRUNTIME = 'onnxruntime-node@1.30.0';
const TFJS = '@tensorflow/tfjs-node@4.22.0';
/** tf2onnx reads SavedModels with a TensorFlow of its own, and knows none of numpy 2. */
const CONVERTER = ['tf2onnx==1.16.1', 'onnx==1.17.0', 'tensorflow-cpu==2.18.0', 'numpy<2'];

/** Runs a program; resolves to its stdout. Throws with the end of its stderr. */
export function capture(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-3000)));
    child.on('error', reject);
    child.on('close', (status, signal) =>
      status === 0
        ? resolve(stdout)
        : reject(
            new Error(
              `${program} ended with ${signal ?? `status ${status}`}: ${stderr.trim().split('\n').at(-1)}`,
            ),
          ),
    );
  });
}

/** What bench_models.py leaves behind: the models of `npm run bench`, and those of scripts/gpu/bench with their sizes. */
const MADE = [
  ...Object.keys(MODELS),
  ...['matmul', 'transformer'],
  ...['mlp', 'mobilenet', 'resnet', 'transformer'].map((name) => join(name, 'flops.json')),
];

/** The models, made by Python's TensorFlow where one is not there. */
export async function models() {
  const folder = join(CACHE, 'models');
  if (!MADE.every((name) => existsSync(join(folder, name)))) {
    console.error('Making the models with Python’s TensorFlow, once …');
    await capture(process.execPath, [join(ROOT, 'scripts/fixtures/make.mjs'), '--bench', folder]);
  }
  return folder;
}

/** The Python in which the models were made, which has the same TensorFlow. */
export function python() {
  const command = join(CACHE, '..', 'fixtures-venv', 'bin', 'python');
  if (!existsSync(command))
    throw new Error('its Python environment is not there (npm run fixtures makes it)');
  return command;
}

/** How a program is compiled against the library that is measured, and where to. */
async function compiler() {
  const library = await ensureLibrary();
  const folder = join(CACHE, 'native');
  await mkdir(folder, { recursive: true });
  const beside = join(dirname(library), 'libtensorflow_framework.so.2');
  const link = [
    library,
    ...(existsSync(beside) ? [beside] : []),
    `-Wl,-rpath,${dirname(library)}`,
    '-Wl,--allow-shlib-undefined',
  ];
  const compile = ['-O2', '-std=c++17', `-I${await headers()}`];
  return async (name, source, flags = []) => {
    const file = join(folder, name);
    // Another process may run the one that is there.
    const part = `${file}.${process.pid}.part`;
    await capture('c++', [...compile, ...flags, source, ...link, '-o', part]);
    await rename(part, file);
    return file;
  };
}

/** A program of one file, compiled so. */
export async function native(name, source) {
  return (await compiler())(name, source);
}

/** The raw loop and the bare hop. */
export async function natives() {
  const compile = await compiler();
  const node = join(ROOT, 'node_modules', 'node-api-headers', 'include');
  return {
    raw: await compile('raw', join(HERE, 'native/raw.cc')),
    hop: await compile('hop.node', join(HERE, 'native/hop.cc'), ['-shared', '-fPIC', `-I${node}`]),
  };
}

/** onnxruntime-node, by its path. Its own install script fetches GPU code, which is left out. */
export async function onnxruntime() {
  const folder = join(CACHE, ONNXRUNTIME.replace('@', '-'));
  const module = join(folder, 'node_modules', 'onnxruntime-node');
  if (!existsSync(module)) {
    console.error(`Fetching ${ONNXRUNTIME} …`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), '{}');
    await capture('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ONNXRUNTIME], {
      cwd: folder,
    });
  }
  return module;
}

/** tfjs-node, by its path: its addon is built against the library that is measured, in the place of the one it would fetch. */
export async function tfjs() {
  const folder = join(CACHE, TFJS.split('/')[1].replace('@', '-'));
  const module = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
  if (existsSync(join(module, 'lib', 'napi-v8', 'tfjs_binding.node'))) return module;
  console.error(`Fetching ${TFJS}, and building its addon …`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{}');
  await capture('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', TFJS], { cwd: folder });
  const library = await ensureLibrary();
  const libraries = join(module, 'deps', 'lib');
  await mkdir(libraries, { recursive: true });
  const link = async (target, name) => {
    await rm(join(module, 'deps', name), { force: true });
    await symlink(target, join(module, 'deps', name));
  };
  for (const name of await readdir(dirname(library))) await link(join(dirname(library), name), `lib/${name}`);
  await link(library, 'lib/libtensorflow.so');
  await link(join(dirname(library), 'libtensorflow_framework.so.2'), 'lib/libtensorflow_framework.so');
  await link(await headers(), 'include');
  // Node's own headers lie beside it.
  const nodedir = join(dirname(process.execPath), '..');
  await capture('npx', ['--no-install', 'node-pre-gyp', 'install', '--build-from-source'], {
    cwd: module,
    env: { ...process.env, npm_config_nodedir: nodedir },
  });
  return module;
}

/** A model converted to ONNX. */
export async function toOnnx(folder, name) {
  const file = join(CACHE, 'onnx', `${name}.onnx`);
  if (existsSync(file)) return file;
  const venv = join(CACHE, 'tf2onnx');
  const command = join(venv, 'bin', 'python');
  if (!existsSync(join(venv, 'whole'))) {
    console.error('Making a Python environment with tf2onnx, once …');
    await capture('python3', ['-m', 'venv', venv]);
    await capture(command, ['-m', 'pip', 'install', '--disable-pip-version-check', ...CONVERTER]);
    await writeFile(join(venv, 'whole'), '');
  }
  await mkdir(dirname(file), { recursive: true });
  const args = [
    '-m',
    'tf2onnx.convert',
    '--saved-model',
    join(folder, name),
    '--output',
    `${file}.part`,
    '--opset',
    '17',
  ];
  await capture(command, args, { env: { ...process.env, CUDA_VISIBLE_DEVICES: '-1' } });
  await rename(`${file}.part`, file);
  return file;
}

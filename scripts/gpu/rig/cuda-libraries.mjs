// The CUDA libraries beside TensorFlow's, and whether they open.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { attempt } from './nvidia-smi.mjs';

/** @returns {Promise<{ name: string, path: string }[]>} `cublas/lib/libcublas.so.12` and so on, in order. */
export async function cudaLibraries(library) {
  const folder = join(dirname(await realpath(library)), '..', 'nvidia');
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = names.filter((name) => /^[^/]+\/lib\/[^/]+\.so[^/]*$/.test(name)).sort();
  return files.map((name) => ({ name, path: join(folder, name) }));
}

/** Node opens it as an addon, which it is not: it says so once all of it, and what it needs, is there. */
const PROGRAM =
  'process.dlopen({ exports: {} }, process.argv[1], require("node:os").constants.dlopen.RTLD_NOW)';

/** `opens`, `wants the driver`, or what the loader says. The process is a new one: nothing else has been opened in it. */
export function openLibrary(path) {
  const env = { ...process.env, LD_LIBRARY_PATH: withoutCuda(process.env.LD_LIBRARY_PATH ?? '') };
  const child = spawn(process.execPath, ['-e', PROGRAM, path], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more) => {
    text += more;
  });
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (_, signal) => {
      if (signal !== null) return resolve(`the process was ended by ${signal}`);
      if (/did not self-register/.test(text)) return resolve('opens');
      if (/libcuda\.so\.1: cannot open/.test(text)) return resolve('wants the driver');
      resolve(/^Error: (.*)$/m.exec(text)?.[1] ?? (text.trim() || 'nothing was said'));
    });
  });
}

/** The loader's folders but those with a CUDA of their own, which would be taken in the place of TensorFlow's. */
function withoutCuda(folders) {
  const isFree = (folder) => !readdirSync(folder).some((name) => /^lib(cudart|cublas|cudnn)\.so/.test(name));
  return folders
    .split(delimiter)
    .filter((folder) => folder !== '' && (attempt(() => isFree(folder)) ?? true))
    .join(delimiter);
}

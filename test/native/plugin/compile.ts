/** Shared objects that the tests compile against the headers and the library of the opened TensorFlow. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';
import { tensorflow } from '../../../lib/index.js';
import { includeFolder } from '../../../lib/runtime/include-folder.js';

const run = promisify(execFile);
const COMPILER = process.env.CXX || 'c++';
const HEADER = 'tensorflow/c/experimental/stream_executor/stream_executor.h';

/** The plug-in with two devices of the type HOST_DEVICE. */
export const HOST_DEVICE = fileURLToPath(new URL('host_device.cc', import.meta.url));

/** What plug-ins are linked with. */
export async function framework(): Promise<string[]> {
  const folder = dirname(tensorflow.path);
  const names = await readdir(folder);
  const name = names.find((each) => /^libtensorflow_framework\.so\.\d+$/.test(each));
  return name === undefined ? [] : [`-L${folder}`, `-l:${name}`];
}

/** Skips the test, and says why, where nothing can be compiled. */
export async function needCompiler(context: Pick<TestContext, 'skip'>): Promise<void> {
  await tensorflow.open();
  const include = await includeFolder(tensorflow.path);
  const preprocess = ['-E', `-I${include}`, '-include', HEADER, '-x', 'c++', '/dev/null'];
  const failed = await run(COMPILER, preprocess).then(
    () => '',
    (error: Error) => error.message,
  );
  const lacks =
    failed ||
    ((await framework()).length === 0 ? `no libtensorflow_framework beside ${tensorflow.path}` : '');
  if (lacks === '') return;
  console.warn(`Skipped: nothing can be compiled. ${lacks}`);
  context.skip(lacks);
}

/** Compiles a source into `folder`. `link`: arguments that name libraries. */
export async function compile(source: string, folder: string, link: readonly string[]): Promise<string> {
  const output = join(folder, basename(source).replace(/\.\w+$/, '.so'));
  const include = await includeFolder(tensorflow.path);
  await run(COMPILER, [
    ...['-std=c++17', '-O1', '-shared', '-fPIC', `-I${include}`],
    source,
    '-Wl,--no-as-needed',
    ...link,
    '-o',
    output,
  ]);
  return output;
}

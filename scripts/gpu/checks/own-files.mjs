// Which files the process has in memory once TensorFlow has run: in a bundle only the bundle's own, what belongs to glibc, and the
// driver. In a checkout it is the CUDA libraries alone that must come from beside TensorFlow.
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SavedModel, tensorflow } from 'tf-session';
import { expectation, inputsFor } from '../rig/seen.mjs';

export const title = 'nothing comes from elsewhere on the system';
export const needs = [];

const GLIBC =
  /^(ld-linux[\w-]*|libc|libm|libmvec|libdl|libpthread|librt|libresolv|libutil|libanl|libnss_\w+)([-.][\d.]+)?\.so(\.\d+)*$/;
const LOCALE = /\/(locale|gconv|i18n)\/|gconv-modules\.cache$|locale-archive$/;
const DRIVER = /^lib(cuda|cudadebugger|nvidia-[\w-]+|nvcuvid|nvoptix|dxcore|d3d12core|nvwgf2umx)\.so/;
/** A bundle has its own of these, unless the machine's glibc is too old for them. */
const COMPILER = /^lib(stdc\+\+|gcc_s|z)\.so/;
const CUDA =
  /^lib(cudart|cublas|cublasLt|cudnn|cufft|curand|cusolver|cusparse|cupti|nccl|nvrtc|nvJitLink|nvjitlink|nvToolsExt)/;

export async function see(context) {
  // Convolutions and products, so that all that is opened late is there.
  for (const name of ['keras-nested', 'tf2-functions']) {
    const { folder } = await context.fixture(name);
    const model = await SavedModel.load(folder, { config: context.config() });
    await model.run(inputsFor(model, 2));
  }
  const library = join(dirname(await realpath(tensorflow.path)), '..');
  const node = await realpath(process.execPath);
  const { root, isBundle } = context.kit;
  const sorted = sortMaps(await readFile('/proc/self/maps', 'utf8'), {
    root: await realpath(root),
    library,
    node,
  });
  return {
    isBundle,
    own: sorted.own.length,
    strangers: isBundle ? sorted.strangers : null,
    strangeCuda: sorted.cuda.filter((file) => !file.startsWith(`${library}/`)),
    skipped: isBundle ? [] : ['files of the system, CUDA aside: this is no bundle'],
    noted: { glibc: sorted.glibc, driver: sorted.driver, compiler: sorted.compiler, cuda: sorted.cuda },
  };
}

/** The files of a process's map by whose they are. */
export function sortMaps(text, { root, library, node }) {
  const files = [...new Set(text.match(/\/.*$/gm) ?? [])].map((file) => file.replace(/ \(deleted\)$/, ''));
  const sorted = { own: [], glibc: [], driver: [], compiler: [], cuda: [], strangers: [] };
  for (const file of files) {
    const name = basename(file);
    // Memory that has the look of a file, and the driver's devices.
    if (/^\/(dev|memfd:|SYSV|proc|anon_hugepage)/.test(file)) continue;
    if (CUDA.test(name)) sorted.cuda.push(file);
    if (file === node || [root, library].some((folder) => file.startsWith(`${folder}/`)))
      sorted.own.push(file);
    else if (GLIBC.test(name) || LOCALE.test(file)) sorted.glibc.push(file);
    else if (DRIVER.test(name)) sorted.driver.push(file);
    else if (COMPILER.test(name)) sorted.compiler.push(file);
    else sorted.strangers.push(file);
  }
  return sorted;
}

export function judge({ isBundle, own, strangers, strangeCuda, noted }) {
  const cuda = expectation(
    'CUDA libraries come from beside TensorFlow alone',
    strangeCuda?.join(', ') || `${noted?.cuda?.length} of them, all from there`,
    strangeCuda?.length === 0,
  );
  const ran = expectation('TensorFlow and Node are in memory', `${own} files of their own`, own > 1);
  if (isBundle === false && strangers === null) return [ran, cuda];
  const compiler = noted?.compiler?.join(', ') || 'none';
  const files = expectation(
    "of the system only glibc's files, the driver, libgcc_s, libstdc++ and zlib",
    strangers?.join(', ') || `no other; of the last three: ${compiler}`,
    isBundle === true && strangers?.length === 0,
  );
  return [ran, cuda, files];
}

/** Makes small wheels as those of TensorFlow's GPU build and of CUDA are: real libraries, compiled here, of a few lines. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeZip, wheelEntries } from './archives.js';

const COMPILER = 'c++';

/** Whether there is a compiler, with which this package is built anyway. */
export function hasCompiler(): boolean {
  try {
    execFileSync(COMPILER, ['--version'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    console.warn(`Tests of GPU installs are skipped: they need ${COMPILER}, on Linux.`);
    return false;
  }
}

/** Compiles C to a shared library, or without `-shared` among the flags to a program. */
export async function compile(target: string, source: string, ...flags: string[]): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  await writeFile(`${target}.c`, source);
  const words = ['-x', 'c', `${target}.c`, '-x', 'none', '-o', target, ...flags, '-ldl'];
  execFileSync(COMPILER, words, { stdio: 'pipe' });
  return target;
}

const SHARED = ['-shared', '-fPIC', '-Wl,--no-as-needed'];

/** GPU code, as far as it can be told from outside. */
const GPU_CODE = '__attribute__((section(".nv_fatbin"), used)) static const char gpu_code[] = "code";\n';
/** Opens a library by its name, as TensorFlow opens CUDA's. */
const OPENER = `#include <dlfcn.h>
const char *open_by_name(const char *name) { return dlopen(name, RTLD_NOW) ? "" : dlerror(); }
`;

/** Folders that libtensorflow_framework of 2.21 names; libcusolver's is not among them. */
const SEARCHED = ['cublas', 'cuda_runtime', 'cudnn', 'cufft', 'cusparse'];

interface GpuWheels {
  /** The folder that they are in. */
  folder: string;
  tensorflow: string;
}

const METADATA = `Metadata-Version: 2.2
Name: tensorflow
Version: 2.99.0
Requires-Dist: numpy>=1.26.0
Requires-Dist: nvidia-cusolver-cu12<12.0,>=11.6.3.83; extra == "and-cuda"
Requires-Dist: nvidia-cusparse-cu12<13.0,>=12.5.1.3; extra == "and-cuda"
Requires-Dist: nvidia-cuda-nvcc-cu12<13.0,>=12.5.82; extra == "and-cuda"
Requires-Dist: tensorflow-io-gcs-filesystem>=0.23.1; extra == "gcs-filesystem"
`;

export interface GpuOptions {
  /** Parts of nvidia/ that TensorFlow looks into. */
  searched?: string[];
  /** METADATA of the wheel. */
  metadata?: string;
}

/** The GPU wheel of TensorFlow 2.99.0 and the three CUDA wheels that it names. */
export async function makeGpuWheels(folder: string, options: GpuOptions = {}): Promise<GpuWheels> {
  const built = join(folder, 'built');
  const runpath = (options.searched ?? SEARCHED).map((part) => `$ORIGIN/../nvidia/${part}/lib`).join(':');
  const framework = await compile(
    join(built, 'libtensorflow_framework.so.2'),
    OPENER + GPU_CODE,
    ...SHARED,
    ...(runpath === '' ? [] : [`-Wl,-rpath,${runpath}`]),
    '-Wl,-soname,libtensorflow_framework.so.2',
  );
  const tensorflow = await compile(
    join(built, 'libtensorflow_cc.so.2'),
    GPU_CODE,
    ...SHARED,
    '-Wl,-rpath,$ORIGIN:$ORIGIN/../nvidia/cusolver/lib',
    framework,
  );
  const cusparse = await compile(
    join(built, 'libcusparse.so.12'),
    'int sparse(void) { return 1; }\n',
    ...SHARED,
    '-Wl,-soname,libcusparse.so.12',
  );
  const cusolver = await compile(
    join(built, 'libcusolver.so.11'),
    'int sparse(void); int solve(void) { return sparse(); }\n',
    ...SHARED,
    '-Wl,-rpath,$ORIGIN/../../cusparse/lib',
    cusparse,
  );
  const wheels = join(folder, 'wheels');
  await mkdir(wheels);
  const bytes = await Promise.all([tensorflow, framework, cusolver, cusparse].map((file) => readFile(file)));
  const [ccBytes, frameworkBytes, cusolverBytes, cusparseBytes] = bytes as [Buffer, Buffer, Buffer, Buffer];
  const entries = await wheelEntries();
  delete entries['tensorflow_cpu-2.99.0.dist-info/METADATA'];
  const wheel = await makeZip(join(wheels, 'tensorflow-2.99.0-cp311-cp311-manylinux_2_27_x86_64.whl'), {
    ...entries,
    'tensorflow/libtensorflow_cc.so.2': ccBytes,
    'tensorflow/libtensorflow_framework.so.2': frameworkBytes,
    'tensorflow-2.99.0.dist-info/METADATA': options.metadata ?? METADATA,
  });
  const tags = 'py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl';
  await makeZip(join(wheels, `nvidia_cusolver_cu12-11.99.0-${tags}`), {
    'nvidia/__init__.py': '',
    'nvidia/cusolver/lib/libcusolver.so.11': cusolverBytes,
    'nvidia/cusolver/include/cusolverDn.h': 'header',
    'nvidia_cusolver_cu12-11.99.0.dist-info/licenses/License.txt': 'licence of cusolver',
  });
  await makeZip(join(wheels, `nvidia_cusparse_cu12-12.99.0-${tags}`), {
    'nvidia/__init__.py': '',
    'nvidia/cusparse/lib/libcusparse.so.12': cusparseBytes,
    'nvidia/cusparse/lib/libcusparse_static.a': 'static',
    'nvidia_cusparse_cu12-12.99.0.dist-info/License.txt': 'licence of cusparse',
  });
  await makeZip(join(wheels, `nvidia_cuda_nvcc_cu12-12.99.1-${tags}`), {
    'nvidia/cuda_nvcc/bin/ptxas': '#!/bin/sh\n',
    'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc': 'bitcode',
    'nvidia/cuda_nvcc/nvvm/lib64/libnvvm.so': 'not wanted',
  });
  return { folder: wheels, tensorflow: wheel };
}

/** What the loader says to a TensorFlow in `library` that opens `name`, nothing set: `''` where it is found. */
export async function openedByName(folder: string, library: string, name: string): Promise<string> {
  const program = await compile(
    join(folder, 'opener'),
    `#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
  void *library = dlopen(words[1], RTLD_NOW);
  if (!library) return puts(dlerror()), 1;
  const char *(*open_by_name)(const char *) = dlsym(library, "open_by_name");
  return fputs(open_by_name(words[2]), stdout) < 0;
}
`,
  );
  return execFileSync(program, [library, name], { env: {}, encoding: 'utf8' });
}

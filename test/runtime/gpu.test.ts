import { mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { missingCuda } from '../../lib/runtime/cuda-search.js';
import { findLibrary } from '../../lib/runtime/finder.js';
import { isGpuLibrary } from '../../lib/runtime/gpu-absence.js';
import { parseRequirements } from '../../lib/runtime/install/cuda-wheels.js';
import { install } from '../../lib/runtime/install/install.js';
import { requireSpace } from '../../lib/runtime/install/space.js';
import {
  makeOfficial,
  makeTarball,
  makeZip,
  officialEntries,
  useTemporaryFolder,
  wheelEntries,
  wheelName,
} from './archives.js';
import { compile, hasCompiler, makeGpuWheels, openedByName } from './gpu-archives.js';

const temporary = useTemporaryFolder();
const { inside, inCache } = temporary;

describe.skipIf(!hasCompiler())('a GPU install', () => {
  /** A `python3` whose pip brings what lies in a folder, and writes down what it was asked for. */
  async function pipFrom(folder: string): Promise<void> {
    await mkdir(inside('bin'));
    const script = [
      '#!/bin/sh',
      'while [ "$2" != -d ]; do shift; done',
      `echo "$1" >> '${inside('asked')}'`,
      'project=$(echo "$1" | sed "s/[=<>].*//; s/-/_/g")',
      `cp '${folder}'/"$project"-*.whl "$3"`,
    ];
    await writeFile(inside('bin', 'python3'), `${script.join('\n')}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${inside('bin')}:${process.env.PATH}`);
  }

  it('fetches what the wheel names, lays it out as pip does, and finds it with nothing set', async () => {
    const { folder } = await makeGpuWheels(temporary.path);
    await pipFrom(folder);
    const notes: string[] = [];
    const steps = new Set<string>();
    const done = await install({
      version: '2.99.0',
      variant: 'gpu',
      onNote: (text) => notes.push(text),
      onProgress: ({ step }) => steps.add(step),
    });
    const entry = join(temporary.cache, '2.99.0-gpu');
    expect(done).toEqual({
      version: '2.99.0',
      variant: 'gpu',
      path: join(entry, 'lib', 'libtensorflow_cc.so.2'),
    });
    expect((await readFile(inside('asked'), 'utf8')).split('\n')).toEqual([
      'tensorflow==2.99.0',
      'nvidia-cusolver-cu12<12.0,>=11.6.3.83',
      'nvidia-cusparse-cu12<13.0,>=12.5.1.3',
      'nvidia-cuda-nvcc-cu12<13.0,>=12.5.82',
      '',
    ]);
    expect(notes[0]).toMatch(/^Fetching tensorflow 2\.99\.0 and the CUDA packages .*GB.*GB\.$/);
    expect(steps).toContain('Downloading cusparse (2 of 3)');

    const names = (await readdir(join(entry, 'nvidia'), { recursive: true })).filter((name) =>
      /\.|ptxas/.test(basename(name)),
    );
    expect(names.sort()).toEqual([
      'cuda_nvcc/bin/ptxas',
      'cuda_nvcc/nvvm/libdevice/libdevice.10.bc',
      'cusolver/lib/libcusolver.so.11',
      'cusparse/lib/libcusolver.so.11',
      'cusparse/lib/libcusparse.so.12',
      'licenses/nvidia_cusolver_cu12-11.99.0',
      'licenses/nvidia_cusolver_cu12-11.99.0/License.txt',
      'licenses/nvidia_cusparse_cu12-12.99.0',
      'licenses/nvidia_cusparse_cu12-12.99.0/License.txt',
    ]);
    expect((await stat(join(entry, 'nvidia/cuda_nvcc/bin/ptxas'))).mode & 0o777).toBe(0o755);
    const link = join(entry, 'nvidia/cusparse/lib/libcusolver.so.11');
    expect(await readlink(link)).toBe('../../cusolver/lib/libcusolver.so.11');

    const record = JSON.parse(await readFile(join(entry, 'install.json'), 'utf8'));
    const packages = record.cuda.map(({ name }: { name: string }) => name.split('-')[0]);
    expect(packages).toEqual(['nvidia_cusolver_cu12', 'nvidia_cusparse_cu12', 'nvidia_cuda_nvcc_cu12']);
    expect(record.cuda[0].sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(record.files).toContainEqual(
      expect.objectContaining({ path: 'nvidia/cusparse/lib/libcusolver.so.11' }),
    );
    expect(await inCache()).toEqual(['2.99.0-gpu']);

    // TensorFlow opens it from libtensorflow_framework, which does not name its folder.
    for (const name of ['libcusolver.so.11', 'libcusparse.so.12']) {
      expect(await openedByName(temporary.path, done.path, name)).toBe('');
    }
    expect(await openedByName(temporary.path, done.path, 'libcuda.so.99')).toMatch(/cannot open/);
    await rm(link);
    expect(await openedByName(temporary.path, done.path, 'libcusolver.so.11')).toMatch(/cannot open/);
  });

  it('is not made again, and is damaged without one of its CUDA libraries', async () => {
    const { folder } = await makeGpuWheels(temporary.path);
    const { path } = await install({ from: folder, variant: 'gpu' });
    const made = (await stat(path)).ino;
    expect((await install({ version: '2.99.0', variant: 'gpu' })).path).toBe(path);
    expect((await install({ from: folder, variant: 'gpu' })).path).toBe(path);
    expect((await stat(path)).ino).toBe(made);
    await rm(join(path, '../../nvidia/cusolver/lib/libcusolver.so.11'));
    await install({ from: folder, variant: 'gpu' });
    expect((await stat(path)).ino).not.toBe(made);
    expect(await openedByName(temporary.path, path, 'libcusolver.so.11')).toBe('');
  });

  it('takes a folder of wheels with no Python at all', async () => {
    const { folder } = await makeGpuWheels(temporary.path);
    vi.stubEnv('PATH', inside('nowhere'));
    expect(await install({ from: folder, variant: 'gpu' })).toMatchObject({
      version: '2.99.0',
      variant: 'gpu',
    });
    expect(await findLibrary()).toMatchObject({ source: 'cache' });
    expect(await inCache()).toEqual(['2.99.0-gpu']);
  });

  it('of a wheel alone takes that, and CUDA only when it is asked for', async () => {
    const { folder, tensorflow } = await makeGpuWheels(temporary.path);
    const { path } = await install({ from: tensorflow });
    expect(path).toContain('2.99.0-gpu');
    expect(await readdir(join(path, '../..'))).not.toContain('nvidia');
    expect(await isGpuLibrary(path)).toBe(true);
    expect(await missingCuda(path)).toEqual(expect.arrayContaining(['libcusparse', 'libcusolver']));
    await pipFrom(folder);
    expect((await install({ from: tensorflow, variant: 'gpu' })).path).toBe(path);
    expect(await missingCuda(path)).not.toEqual(expect.arrayContaining(['libcusolver']));
    // And then the one without does not take its place.
    await install({ from: tensorflow });
    expect(await readdir(join(path, '../..'))).toContain('nvidia');
  });

  it('links the CUDA that pip has installed beside a package, and leaves it as it was', async () => {
    const { folder } = await makeGpuWheels(temporary.path);
    const { path: packed } = await install({ from: folder, variant: 'gpu' });
    const site = inside('site-packages');
    await mkdir(site);
    await rename(join(packed, '../../nvidia'), join(site, 'nvidia'));
    await rm(join(site, 'nvidia/cusparse/lib/libcusolver.so.11'));
    await rename(join(packed, '..'), join(site, 'tensorflow'));
    await mkdir(join(site, 'tensorflow-2.99.0.dist-info'));
    await rm(temporary.cache, { recursive: true });
    const before = (await readdir(site, { recursive: true })).sort();
    const { path, version } = await install({ from: join(site, 'tensorflow'), variant: 'gpu' });
    expect(version).toBe('2.99.0');
    expect(await openedByName(temporary.path, path, 'libcusolver.so.11')).toBe('');
    expect((await readdir(site, { recursive: true })).sort()).toEqual(before);
  });

  it('needs no link where TensorFlow looks into every folder', async () => {
    const searched = ['cusparse', 'cusolver'];
    const { folder } = await makeGpuWheels(temporary.path, { searched });
    const { path } = await install({ from: folder, variant: 'gpu' });
    expect(await readdir(join(path, '../../nvidia/cusparse/lib'))).toEqual(['libcusparse.so.12']);
  });

  it('that can not work is refused, and leaves nothing behind', async () => {
    const blind = await makeGpuWheels(temporary.path, { searched: [] });
    const attempt = install({ from: blind.folder, variant: 'gpu' });
    await expect(attempt).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(attempt).rejects.toThrow(/names no folder of nvidia.*LD_LIBRARY_PATH/);
    expect(await inCache()).toEqual([]);
    await rm(blind.folder, { recursive: true });
    const { folder } = await makeGpuWheels(temporary.path, { metadata: 'Version: 2.99.0\n' });
    await expect(install({ from: folder, variant: 'gpu' })).rejects.toThrow(
      /does not name the CUDA packages/,
    );
    expect(await inCache()).toEqual([]);
  });

  it('of an archive that carries GPU code is told by that alone, and finds CUDA on the system', async () => {
    const code = '__attribute__((section(".nv_fatbin"), used)) static const char code[] = "code";\n';
    const library = await readFile(await compile(inside('gpu.so'), code, '-shared', '-fPIC'));
    const entries = (await officialEntries()).map((entry) =>
      entry.name === './lib/libtensorflow.so.2.18.0' ? { ...entry, contents: library } : entry,
    );
    const from = await makeTarball(inside('any.tar.gz'), entries);
    expect(await install({ from })).toMatchObject({ version: '2.18.0', variant: 'gpu' });
    await expect(install({ from, variant: 'gpu', force: true })).rejects.toThrow(/LD_LIBRARY_PATH/);
  });

  it('that is ended while CUDA comes leaves nothing behind', async () => {
    const { folder } = await makeGpuWheels(temporary.path);
    const ending = new AbortController();
    const attempt = install({
      from: folder,
      variant: 'gpu',
      signal: ending.signal,
      onProgress: ({ step }) => {
        if (step.startsWith('Unpacking cusparse')) ending.abort(new Error('enough'));
      },
    });
    await expect(attempt).rejects.toThrow(/enough|aborted/);
    expect(await inCache()).toEqual([]);
  });
});

it('a GPU build is not to be had of a CPU build, nor of an archive', async () => {
  const wheel = await makeZip(inside(wheelName()), await wheelEntries());
  for (const from of [wheel, await makeOfficial(temporary.path)]) {
    const attempt = install({ from, variant: 'gpu' });
    await expect(attempt).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(attempt).rejects.toThrow('holds a CPU build');
  }
  await expect(install({ variant: 'tpu' as 'gpu' })).rejects.toThrow("'cpu' or 'gpu'");
  expect(await inCache()).toEqual([]);
});

it('a folder of wheels gives the build and the version that are asked for', async () => {
  await mkdir(inside('wheels'));
  for (const version of ['2.98.0', '2.99.0']) {
    await makeZip(inside('wheels', wheelName(version)), await wheelEntries(version));
  }
  await expect(install({ from: inside('wheels') })).rejects.toThrow(/several versions.*2\.98\.0.*2\.99\.0/);
  await expect(install({ from: inside('wheels'), version: '2.1.0' })).rejects.toThrow(/none that was asked/);
  expect((await install({ from: inside('wheels'), version: '2.98.0' })).version).toBe('2.98.0');
});

it('the library that auditwheel has packed into the wheel of another project is taken', async () => {
  const library = (await wheelEntries())['tensorflow/libtensorflow_cc.so.2']!;
  const from = await makeZip(inside('other_project-1.0-cp311-cp311-manylinux_2_17_x86_64.whl'), {
    'other/__init__.py': '',
    'other_project.libs/libtensorflow-5b27f169.so.2.5.0': library,
    'other_project.libs/libother-1a2b3c4d.so.1': library,
  });
  const { version, path } = await install({ from });
  expect(version).toBe('2.5.0');
  expect(await readdir(join(path, '..'))).toEqual(['libtensorflow-5b27f169.so.2.5.0']);
});

it('reads which CUDA packages a wheel names, in both spellings', () => {
  const metadata = [
    'Requires-Dist: numpy >=1.26',
    "Requires-Dist: nvidia-cublas-cu12 (==12.3.4.1) ; extra == 'and-cuda'",
    'Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"',
    'Requires-Dist: nvidia-other<1; extra == "other"',
    "Requires-Dist: tensorrt ==8.6.1.post1 ; extra == 'and-cuda'",
  ];
  expect(parseRequirements(metadata.join('\r\n'))).toEqual([
    'nvidia-cublas-cu12==12.3.4.1',
    'nvidia-nccl-cu12<3.0,>=2.27.7',
  ]);
});

it('reads a hostile list of packages in no time, and takes no addresses, options and text from it', () => {
  const metadata = [
    `Requires-Dist: ${' '.repeat(20_000)}x`,
    `Requires-Dist: nvidia-${'-'.repeat(20_000)}@; extra == "and-cuda"`,
    `Requires-Dist: nvidia-a; extra${' '.repeat(20_000)}= "and-cuda"`,
    'Requires-Dist: nvidia-evil @ file:///evil.whl ; extra == "and-cuda"',
    'Requires-Dist: --index-url=nvidia-x ; extra == "and-cuda"',
    'Requires-Dist: nvidia-good ; extra == "and-cuda" and platform_system == "Linux"',
    '',
    'Requires-Dist: nvidia-description; extra == "and-cuda"',
  ];
  const started = performance.now();
  expect(parseRequirements(metadata.join('\n'))).toEqual(['nvidia-good']);
  expect(performance.now() - started).toBeLessThan(5000);
});

it('says before it fetches that there is no space', async () => {
  await requireSpace(temporary.path, 'TensorFlow', { during: 1, after: 1 });
  const attempt = requireSpace(temporary.path, 'TensorFlow', { during: 1e18, after: 9e17 });
  await expect(attempt).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  await expect(attempt).rejects.toThrow(
    /no space for TensorFlow, with about 1000000000\.0 GB while .* GB are left\./,
  );
});

// Lays libtensorflow out as TensorFlow's official C archive, from a wheel: for versions that have no archive of their
// own (those end at 2.18), and to try what users of an archive do.
//
//     node scripts/tarball/make.mjs [--from WHEEL] [--gpu] [--tensorflow X.Y.Z] [--out FOLDER]
//
// Without --from pip fetches the wheel; --gpu takes the GPU build. Prints the path of the archive:
//
//     lib/libtensorflow.so -> libtensorflow.so.2 -> libtensorflow.so.2.21.0
//     lib/libtensorflow_framework.so -> libtensorflow_framework.so.2 -> libtensorflow_framework.so.2.21.0
//     include/tensorflow/c/… and what these headers include, LICENSE, THIRD_PARTY_NOTICES.txt
//
// The wheel's libtensorflow_cc.so.2 exports the C API as the archive's libtensorflow.so.2 does, and more. It is given that
// name inside, too (SONAME), by which programs that link with -ltensorflow look for it.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { fromDist } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { patchelf } from '../tools/patchelf.mjs';
import { attempt } from '../tools/spawn.mjs';

const RENAMED = {
  'libtensorflow_cc.so.2': 'libtensorflow',
  'libtensorflow_framework.so.2': 'libtensorflow_framework',
};

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    gpu: { type: 'boolean', default: false },
    tensorflow: { type: 'string' },
    out: { type: 'string', default: '.' },
  },
});

await main(async () => {
  const work = await mkdtemp(join(tmpdir(), 'tf-session-tarball-'));
  try {
    const { unpackWheel } = await fromDist('runtime/install/wheel.js');
    const { requireLibrary } = await fromDist('runtime/install/require-library.js');
    const { progressReporter } = await fromDist('cli/output/progress.js');
    const progress = progressReporter();
    const context = { onProgress: progress.report, onNote: () => {}, signal: undefined };
    const wheel = values.from === undefined ? await fetched(work, context) : resolve(values.from);
    const folder = join(work, 'unpacked');
    const { version, library } = await unpackWheel(wheel, folder, context);
    progress.end();
    if (version === undefined) throw new Failure(`${wheel} does not tell its TensorFlow version.`);
    const { variant } = await requireLibrary(join(folder, library));
    await rename(join(folder, library));
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const target = join(resolve(values.out), `libtensorflow-${variant}-linux-${machine}-${version}.tar.gz`);
    await write(folder, version, target);
    console.log(target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
});

async function fetched(folder, context) {
  const { downloadWheel } = await fromDist('runtime/install/pip.js');
  const { wantedWheel } = await fromDist('runtime/install/wanted-wheel.js');
  const { DEFAULT_VERSION } = await fromDist('runtime/version.js');
  const version = values.tensorflow ?? DEFAULT_VERSION;
  const { project, machine } = wantedWheel(version, values.gpu ? 'gpu' : 'cpu');
  const requirement = `${project}==${version}`;
  return downloadWheel(
    { requirement, version, machine, total: undefined, step: 'Downloading' },
    folder,
    context,
  );
}

/** The name that is written into what links with the library. */
async function rename(library) {
  const name = `${RENAMED[basename(library)]}.so.2`;
  const { status, output } = await attempt(await patchelf(), ['--set-soname', name, library], {
    capture: true,
  });
  if (status !== 0) throw new Failure(`patchelf could not rename ${library}: ${output}`);
}

async function write(folder, version, target) {
  const archive = pack();
  // The least compression: libraries of a gigabyte are to be made in seconds.
  const written = pipeline(archive, createGzip({ level: 1, chunkSize: 1 << 18 }), createWriteStream(target));
  written.catch((error) => archive.destroy(error));
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of names.sort((a, b) => a.parentPath.localeCompare(b.parentPath))) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const place = `.${entry.parentPath.slice(folder.length)}`;
    const renamed = RENAMED[entry.name];
    if (renamed === undefined) {
      await add(archive, `${place}/${entry.name}`, file);
      continue;
    }
    const major = `${renamed}.so.${version.split('.')[0]}`;
    await add(archive, `${place}/${renamed}.so.${version}`, file);
    archive.entry({ name: `${place}/${major}`, type: 'symlink', linkname: `${renamed}.so.${version}` });
    archive.entry({ name: `${place}/${renamed}.so`, type: 'symlink', linkname: major });
  }
  archive.finalize();
  await written;
}

async function add(archive, name, file) {
  const { size } = await stat(file);
  await pipeline(
    createReadStream(file, { highWaterMark: 1 << 18 }),
    archive.entry({ name, size, mode: name.includes('.so') ? 0o755 : 0o644 }),
  );
}

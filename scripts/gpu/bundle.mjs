// A folder that proves this library on a GPU machine where nothing can be fetched: Node, the packed package, TensorFlow's
// GPU build with its CUDA libraries, fixtures, real models, a compiled loop of raw C, and Python's own TensorFlow to compare
// with. Of the machine it needs the NVIDIA driver, glibc 2.28 or later, `sh`, `cat`, `chmod`, `mkdir` and `mv`.
//
//     node scripts/gpu/bundle.mjs FOLDER [options]
//
// In FOLDER: `run-gpu-checks`, SHA256SUMS, and pieces/ with no file above 60 MB.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';
import { Failure, main } from '../tools/failure.mjs';
import { nodeProgram } from '../tools/npm.mjs';
import { attempt } from '../tools/spawn.mjs';
import { installation } from './bundle/installation.mjs';
import { modelFolders } from './bundle/models.mjs';
import { stageProgram } from './bundle/program.mjs';
import { stagePython } from './bundle/python.mjs';
import { carriedOf } from './bundle/system-libraries.mjs';
import { withTemporary } from './bundle/temporary.mjs';

/** Its zlib has zstd, which it has from 22.15 on. */
const NODE = '24.21.0';
const TARGET = 'linux-x64';
const PIECE_BYTES = 60_000_000;
const OPTIONAL = ['models', 'python'];
const USAGE = `node scripts/gpu/bundle.mjs FOLDER [options]
  --library FOLDER   what \`tf-session install\` has made; default: its GPU build, installed now where it is missing. Of a
                     CPU build the bundle is one, too: it tries all but the GPU
  --without PART     leave out ${OPTIONAL.join(' or ')} (repeatable)
  --level N          zstd's, 1 to 19; default 12. 19 takes ten times as long for 5 % less`;
const beside = (name) => fileURLToPath(new URL(`bundle/${name}`, import.meta.url));

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      library: { type: 'string' },
      without: { type: 'string', multiple: true, default: [] },
      level: { type: 'string', default: '12' },
    },
  });
  const [given = ''] = positionals;
  const level = Number(values.level);
  const unknown = values.without.filter((name) => !OPTIONAL.includes(name));
  if (positionals.length !== 1 || given === '') throw new Failure(USAGE);
  if (unknown.length > 0) throw new Failure(`No part ${unknown.join(', ')} can be left out.\n\n${USAGE}`);
  if (!(Number.isInteger(level) && level >= 1 && level <= 19)) throw new Failure(USAGE);
  if (`${process.platform}-${process.arch}` !== TARGET)
    throw new Failure('A bundle is made on Linux x64, for Linux x64.');
  const folder = await emptyFolder(given);
  await make(folder, values.library, (part) => !values.without.includes(part), level);
}, USAGE);

/** Where it is not there yet it will be. */
async function emptyFolder(given) {
  const folder = await realpath(given).catch(() => resolve(given));
  const names = await readdir(folder).catch(({ code }) => (code === 'ENOENT' ? [] : undefined));
  if (names?.length === 0) return folder;
  throw new Failure(`${folder} is there already, and is not an empty folder.`);
}

async function make(folder, chosen, has, level) {
  const library = await step('TensorFlow', () => installation(chosen));
  const node = await step(`Node ${NODE}`, () => nodeProgram(NODE, TARGET));
  const work = `${folder}.part`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await withTemporary(work, async () => {
    const app = join(work, 'app');
    const parts = [
      { name: 'app', folders: { app } },
      { name: 'library', folders: { library: library.folder } },
    ];
    const kit = { library: join('../library', library.library), made: aboutOf(library) };
    if (has('models')) {
      parts.push({ name: 'models', folders: await step('Models', modelFolders) });
      kit.models = '../models';
    }
    if (has('python')) {
      kit.python = await step('Python and its TensorFlow', () => stagePython(work, library, node));
      parts.push({ name: 'python', folders: { python: join(work, 'python') } });
    }
    await step('The package and its checks', () => stageProgram(app, library, kit));
    const out = join(work, 'out');
    await step('Pieces', () => cut({ out, node, parts, level, pieceBytes: PIECE_BYTES }));
    await addPrograms(out, node, library);
    await sums(out);
    await rename(out, folder);
  });
  await summarize(folder);
}

function aboutOf({ version, variant, cuda }) {
  return { date: new Date().toISOString().slice(0, 10), node: NODE, tensorflow: version, variant, cuda };
}

/** By the Node of the bundle: this one's zlib may have no zstd. */
async function cut(job) {
  const { status } = await attempt(job.node, [beside('pieces.mjs'), JSON.stringify(job)]);
  if (status !== 0) throw new Failure('The pieces could not be made, see above.');
}

/** What puts the pieces together, and runs. */
async function addPrograms(out, node, library) {
  const pieces = join(out, 'pieces');
  const bundle = await rolldown({ input: beside('unpack.mjs'), platform: 'node' });
  await bundle.write({ file: join(pieces, 'unpack.mjs'), format: 'esm' });
  await bundle.close();
  await copyFile(beside('run-gpu-checks'), join(out, 'run-gpu-checks'));
  const files = await readdir(library.folder, { recursive: true });
  const shared = files.filter((name) => /\.so[.\d]*$/.test(name)).map((name) => join(library.folder, name));
  await mkdir(join(pieces, 'system'));
  for (const [name, path] of await carriedOf([node, ...shared]))
    await copyFile(path, join(pieces, 'system', name));
  await copyFile(join(dirname(node), '../LICENSE'), join(pieces, 'LICENSE-node'));
}

/** For `sha256sum -c`, once it is copied. */
async function sums(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines = [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file)) hash.update(chunk);
    lines.push(`${hash.digest('hex')}  ${relative(folder, file)}\n`);
  }
  await writeFile(join(folder, 'SHA256SUMS'), lines.sort().join(''));
}

async function summarize(folder) {
  const { node, parts } = JSON.parse(await readFile(join(folder, 'pieces/manifest.json'), 'utf8'));
  const pieces = [node, ...parts].flatMap((part) => part.pieces);
  const mega = (all) => `${Math.round(all.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6)} MB`;
  console.log(
    `${folder}: ${pieces.length} pieces, ${mega(pieces)}, which make ${mega([node, ...parts])}.\n` +
      'Copy it to a machine with an NVIDIA GPU, and start ./run-gpu-checks there.',
  );
}

async function step(name, work) {
  console.error(`== ${name}`);
  return work();
}

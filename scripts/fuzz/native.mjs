// libFuzzer on the parts of the addon that read bytes and know neither Node-API nor TensorFlow, under AddressSanitizer and
// UndefinedBehaviorSanitizer. Built into build/fuzz, where the corpus stays from run to run.
//
//     node scripts/fuzz/native.mjs [--seconds 10]     for each target; they run side by side
//
// Ends with status 1 where a target finds something, and says where the input lies. Where there is no clang with
// libFuzzer it says so and ends with status 0.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { headers } from '../headers.mjs';
import { fromDist, ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { attempt } from '../tools/spawn.mjs';

const FOLDER = join(ROOT, 'build/fuzz');
const SANITIZERS = '-fsanitize=fuzzer,address,undefined';

/** Each target's sources in native/, beside its own file in scripts/fuzz/native/. */
const TARGETS = {
  graph: ['graph_index', 'graph_rewrite', 'graph_fitness', 'graph_faults', 'checkpoint_part'],
  values: ['packed_strings', 'utf8', 'meta_graph', 'checkpoint_part'],
};

/** The first byte of an input for the target `values`, by what follows. */
const VALUES = { text: 0, packed: 1, texts: 2, part: 3, metaGraph: 4 };

await main(async () => {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
  const seconds = Number(values.seconds);
  if (!(seconds >= 1)) throw new Failure('--seconds must be a number of 1 or more.');
  const compiler = await findCompiler();
  if (compiler === undefined) {
    console.error(
      'SKIPPED: there is no clang++ with libFuzzer here. Debian: apt install clang libclang-rt-14-dev (the number is its clang’s).',
    );
    return;
  }
  await mkdir(FOLDER, { recursive: true });
  const include = await headers();
  const seeds = await makeSeeds();
  const found = await Promise.all(
    Object.keys(TARGETS).map(async (target) => {
      await build(compiler, target, include);
      return fuzz(target, seconds, seeds[target]);
    }),
  );
  const faults = found.flat();
  if (faults.length > 0) throw new Failure(faults.join('\n'));
}, 'node scripts/fuzz/native.mjs [--seconds 10]');

/** The first of clang++, clang++-20 … that can make such a program. */
async function findCompiler() {
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-fuzz-'));
  try {
    const source = join(folder, 'empty.cc');
    await writeFile(
      source,
      'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n',
    );
    const names = ['clang++', ...Array.from({ length: 9 }, (_, i) => `clang++-${22 - i}`)];
    return names.find((name) => {
      const { status } = spawnSync(name, [SANITIZERS, source, '-o', join(folder, 'empty')]);
      return status === 0;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Nothing where the program is newer than all it is made of. */
async function build(compiler, target, include) {
  const program = join(FOLDER, target);
  const sources = [
    join(ROOT, 'scripts/fuzz/native', `${target}.cc`),
    ...TARGETS[target].map((name) => join(ROOT, 'native', `${name}.cc`)),
  ];
  if (existsSync(program) && newest([...sources, ...headerFiles()]) < statSync(program).mtimeMs) return;
  const flags = ['-std=c++17', '-O1', '-g', '-fno-omit-frame-pointer', SANITIZERS];
  const folders = ['-I', join(ROOT, 'native')];
  for (const path of [join(ROOT, 'node_modules/protozero/include'), include]) folders.push('-isystem', path);
  const ignored = `-fsanitize-ignorelist=${join(ROOT, 'scripts/fuzz/native/ignored.txt')}`;
  const args = [...flags, '-fno-sanitize-recover=all', ignored, '-Wall', '-Wextra', ...folders, ...sources];
  const { status } = await attempt(compiler, [...args, '-o', program], { cwd: ROOT });
  if (status !== 0) throw new Failure(`The target ${target} cannot be built.`);
}

function headerFiles() {
  return ['native', 'scripts/fuzz/native'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.h'))
      .map((name) => join(ROOT, folder, name)),
  );
}

function newest(files) {
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/** What is wrong, in sentences. */
async function fuzz(target, seconds, seeds) {
  const [corpus, found] = ['corpus', 'found'].map((name) => join(FOLDER, `${target}-${name}`));
  await Promise.all([corpus, found].map((folder) => mkdir(folder, { recursive: true })));
  const limits = [`-max_total_time=${seconds}`, '-timeout=10', '-rss_limit_mb=2048', '-max_len=65536'];
  const { status, output } = await attempt(
    join(FOLDER, target),
    [...limits, `-artifact_prefix=${found}/`, '-print_final_stats=1', corpus, seeds],
    { capture: true, cwd: ROOT },
  );
  const of = (name) => new RegExp(`stat::${name}:\\s+(\\d+)`).exec(output)?.[1] ?? '?';
  const [cover] = output.match(/cov: \d+ ft: \d+ corp: \d+/g)?.slice(-1) ?? ['no coverage said'];
  console.log(`${target}: ${of('number_of_executed_units')} inputs in ${seconds} s, ${cover}`);
  if (status === 0) return [];
  console.error(output.trim().split('\n').slice(-60).join('\n'));
  const [kept] = /\S*\/(crash|timeout|oom|leak|slow-unit)-\w+/.exec(output) ?? ['no file'];
  const name = relative(ROOT, kept);
  return [
    `${target} ended with status ${status}. The input: ${name}. Once more: build/fuzz/${target} ${name}`,
  ];
}

/** Folders with an input each of every fixture: its graph, its MetaGraph, its data file. */
async function makeSeeds() {
  const { readMetaGraphBytes, readTagSets, graphDefOf } = await fromDist('saved-model/reader.js');
  const seeds = { graph: join(FOLDER, 'graph-seeds'), values: join(FOLDER, 'values-seeds') };
  for (const folder of Object.values(seeds)) await mkdir(folder, { recursive: true });
  const fixtures = join(ROOT, 'test/fixtures');
  for (const name of await readdir(fixtures)) {
    const directory = join(fixtures, name, 'saved_model');
    if (!existsSync(join(directory, 'saved_model.pb'))) continue;
    const [tags] = await readTagSets(directory);
    const metaGraph = await readMetaGraphBytes(directory, tags);
    const graph = Buffer.concat([Buffer.from(name.padEnd(8).slice(-8)), graphDefOf(metaGraph)]);
    await writeFile(join(seeds.graph, name), graph);
    await writeFile(
      join(seeds.values, `meta-graph-${name}`),
      Buffer.concat([Buffer.of(VALUES.metaGraph), metaGraph]),
    );
  }
  const texts = [
    'plain ASCII, more than eight',
    'grün 東京 🎈',
    '\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}',
  ];
  for (const [i, text] of texts.entries()) {
    for (const kind of ['text', 'texts'])
      await writeFile(
        join(seeds.values, `${kind}-${i}`),
        Buffer.concat([Buffer.of(VALUES[kind]), Buffer.from(text)]),
      );
  }
  // Two strings, `a` and `bc`; a part of five bytes from the second on.
  const packed = Buffer.from([
    VALUES.packed,
    1,
    2,
    ...[0, 2].flatMap((at) => [at, 0, 0, 0, 0, 0, 0, 0]),
    1,
    97,
    2,
    98,
    99,
  ]);
  await writeFile(join(seeds.values, 'packed'), packed);
  await writeFile(
    join(seeds.values, 'part'),
    Buffer.from([VALUES.part, 0, 1, 5, ...Buffer.from('some bytes of a file')]),
  );
  return seeds;
}

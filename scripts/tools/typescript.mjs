// TypeScript to dist/: the types as they lie in lib/, and the code in few files, since Node takes longer to find and open
// two hundred modules than to run what is in them.
//
// What `index.js` needs is dist/bundle/library.js, what only commands need dist/bundle/rest.js; beside them each module of
// lib/ has its place in dist/, where it re-exports its part.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { run } from '../run.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = join(ROOT, 'lib');
const OUTPUT = join(ROOT, 'dist');
/** The program of the pages that commands write: for browsers. */
const PAGE = join(SOURCES, 'page', 'app');
/** They do something when they are loaded, so they are nobody's part. */
const PROGRAMS = [
  'cli/main.ts',
  'bench/child.ts',
  'freeze/planner.ts',
  'trace/decoder.ts',
  'cluster/server-process.ts',
].map((path) => join(SOURCES, path));

export async function compile() {
  rmSync(OUTPUT, { recursive: true, force: true }); // or what was moved would stay
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', ROOT], { cwd: ROOT });
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const bundle = await rolldown({
    input: inputs(),
    platform: 'node',
    // The messages' runtime is a hundred modules: it comes along.
    external: Object.keys(dependencies).filter((name) => name !== '@bufbuild/protobuf'),
    tsconfig: join(ROOT, 'tsconfig.json'),
  });
  const { output } = await bundle.write({
    dir: OUTPUT,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'bundle/[name].js',
    banner: notices,
    codeSplitting: { groups: [{ name: chunkOf(), debugName: 'library, or the rest' }] },
  });
  await bundle.close();
  await compilePage();
  for (const { fileName, source } of output) if (fileName.endsWith('.map')) await shorten(fileName, source);
}

/** dist/page/: the program in one file, and the style, both to be put into a page. */
async function compilePage() {
  const bundle = await rolldown({ input: join(PAGE, 'main.ts'), platform: 'browser' });
  await bundle.write({ file: join(OUTPUT, 'page', 'app.js'), format: 'esm', minify: true });
  await bundle.close();
  const styles = ['base.css', 'views.css'].map((name) => readFile(join(PAGE, 'style', name), 'utf8'));
  await writeFile(join(OUTPUT, 'page', 'style.css'), (await Promise.all(styles)).join(''));
}

/** Each module, by its path without the ending. */
function inputs() {
  const files = readdirSync(SOURCES, { recursive: true }).map((name) => join(SOURCES, name));
  const own = files.filter((path) => path.endsWith('.ts') && !path.startsWith(PAGE));
  return Object.fromEntries(own.map((path) => [relative(SOURCES, path).slice(0, -'.ts'.length), path]));
}

/** The chunk of a module. */
function chunkOf() {
  let library;
  return (id, chunking) => {
    if (PROGRAMS.includes(id)) return undefined;
    library ??= reachable(
      join(SOURCES, 'index.ts'),
      (each) => chunking.getModuleInfo(each)?.importedIds ?? [],
    );
    return library.has(id) ? 'library' : 'rest';
  };
}

function reachable(from, importsOf) {
  const seen = new Set();
  const open = [from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...importsOf(id));
  }
  return seen;
}

/** The licence terms at the head of others' modules, each once: who passes on their code passes on these. */
function notices({ moduleIds }) {
  const others = moduleIds.filter((id) => id.includes('/node_modules/'));
  const heads = others.map((id) => /^(\/\/.*\n)*/.exec(readFileSync(id, 'utf8'))[0]);
  return [...new Set(heads)].join('\n');
}

/** lib/ is in the package itself: its text need not stand in the maps once more. */
async function shorten(fileName, source) {
  const map = JSON.parse(source);
  const isOwn = (path) => !relative(SOURCES, join(OUTPUT, fileName, '..', path)).startsWith('..');
  map.sourcesContent = map.sources.map((path, i) => (isOwn(path) ? null : map.sourcesContent[i]));
  await writeFile(join(OUTPUT, fileName), JSON.stringify(map));
}

// clang-tidy over native/, which takes a minute: a file is looked at again only when something it was compiled from
// has changed. What was clean is remembered in the cache folder.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { TIDY } from './clang-tools.mjs';
import { cacheFolder, ROOT } from './dist.mjs';
import { Failure } from './failure.mjs';
import { attempt } from './spawn.mjs';

/** Clean states that are remembered: several checkouts, some branches. */
const MOST_REMEMBERED = 1000;

/** Prints what clang-tidy finds. True when it finds nothing. Needs build/compile_commands.json. */
export async function tidy(program) {
  const memory = join(await cacheFolder(), 'tools', 'tidy.json');
  const clean = new Set(await readJson(memory).catch(() => []));
  const units = await compiledFiles();
  const waiting = units.filter(({ key }) => !clean.has(key));
  let isClean = true;
  const worker = async () => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
      const { status, output } = await attempt(program, ['--quiet', '-p', join(ROOT, 'build'), unit.file], {
        capture: true,
      });
      if (status === 0) {
        clean.add(unit.key);
      } else {
        isClean = false;
        console.error(output.trim());
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  await remember(memory, [...clean].slice(-MOST_REMEMBERED));
  return isClean;
}

/** The .cc files in native/, each with a hash of all that decides what clang-tidy says. */
async function compiledFiles() {
  const folder = join(ROOT, 'native');
  const names = (await readdir(folder)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const commands = await readJson(join(ROOT, 'build', 'compile_commands.json')).catch(() => []);
  const shared = createHash('sha256')
    .update(`clang-tidy ${TIDY}\n`)
    .update(await readFile(join(ROOT, '.clang-tidy')));
  names.forEach((name, i) => {
    if (name.endsWith('.h')) shared.update(`${name}\n${texts[i]}`);
  });
  return names.flatMap((name, i) => {
    if (!name.endsWith('.cc')) return [];
    const file = join(folder, name);
    const command = commands.find((entry) => entry.file === file)?.command;
    if (command === undefined) {
      throw new Failure(
        `build/compile_commands.json does not know native/${name}. Run: node scripts/build.mjs`,
      );
    }
    // Without the checkout's own path, so that a clone beside it need not begin anew.
    const key = shared.copy().update(command.replaceAll(ROOT, '')).update(texts[i]).digest('hex');
    return [{ file, key }];
  });
}

async function readJson(file) {
  return JSON.parse(await readFile(file, 'utf8'));
}

/** Whole or not at all: two lints at once must not leave half a file. */
async function remember(file, keys) {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(keys));
  await rename(temporary, file);
}

// `npm run lint`: the rules of style, all of them, before it says what is wrong. `npm run format` (--fix) mends what
// can be mended without thinking, and checks nothing else.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from './run.mjs';
import { checkFunctions } from './tools/check-functions.mjs';
import { clangTools } from './tools/clang-tools.mjs';
import { ROOT } from './tools/dist.mjs';
import { Failure, main } from './tools/failure.mjs';
import { attempt } from './tools/spawn.mjs';
import { tidy } from './tools/tidy.mjs';

await main(async () => {
  const { values } = parseArgs({ options: { fix: { type: 'boolean', default: false } } });
  const checks = { Biome: () => biome(values.fix), 'clang-format': () => format(values.fix) };
  if (!values.fix) Object.assign(checks, { 'C functions': functions, 'clang-tidy': clangTidy });

  const failed = [];
  for (const [name, check] of Object.entries(checks)) {
    if (await check()) continue;
    failed.push(name);
    console.error(`${name}: see above.`);
  }
  if (failed.length > 0) throw new Failure(`Lint found something: ${failed.join(', ')}.`);
}, 'npm run lint, npm run format');

async function biome(fix) {
  const program = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const args = ['check', '--error-on-warnings', ...(fix ? ['--write'] : [])];
  return (await attempt(process.execPath, [program, ...args], { cwd: ROOT })).status === 0;
}

async function format(fix) {
  const { format } = await clangTools();
  const folders = ['native', 'scripts/fuzz/native'];
  const names = await Promise.all(folders.map((folder) => readdir(join(ROOT, folder))));
  const files = folders.flatMap((folder, i) =>
    names[i].filter((name) => /\.(?:cc|h)$/.test(name)).map((name) => join(folder, name)),
  );
  const mode = fix ? ['-i'] : ['--dry-run', '--Werror'];
  return (await attempt(format, ['--style=file', ...mode, ...files], { cwd: ROOT })).status === 0;
}

async function functions() {
  const faults = await checkFunctions();
  for (const fault of faults) console.error(fault);
  return faults.length === 0;
}

async function clangTidy() {
  // Configures the build, without which nobody knows how a file is compiled.
  await run(process.execPath, ['scripts/build.mjs', '--if-needed'], { cwd: ROOT });
  const { tidy: program } = await clangTools();
  return tidy(program);
}

// `npm run build`: TypeScript to dist/, then the addon, against the headers of an installed libtensorflow.
//
// On a user's machine (no TypeScript there, dist/ came with the package) it builds the addon alone.
// --native-only   leave TypeScript alone
// --if-needed     do nothing that is up to date (the addon: newer than every file in native/)
// --link DIR      the addon linked with the libtensorflow in DIR or DIR/lib, into build/linked: it opens no other
// --asan          the addon with AddressSanitizer and UndefinedBehaviorSanitizer, into build/asan
// --coverage      the addon that counts what is executed, for gcov, into build/coverage
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { missingTools, REMEDY } from './build-tools.mjs';
import { headers } from './headers.mjs';
import { run } from './run.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

const { values } = parseArgs({
  options: {
    'native-only': { type: 'boolean', default: false },
    'if-needed': { type: 'boolean', default: false },
    link: { type: 'string' },
    asan: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
  },
});

const hasSources = existsSync(join(ROOT, 'tsconfig.json'));
if (!values['native-only'] && hasSources) await buildTypeScript();
try {
  await buildAddon();
} catch (error) {
  if (error?.name !== 'TensorFlowError') throw error;
  giveUp(error.message); // no libtensorflow, whose headers are needed
}

function giveUp(message) {
  console.error(message);
  process.exitCode = 1;
}

async function buildTypeScript() {
  const newest = join(ROOT, 'dist', 'index.js');
  if (values['if-needed'] && isNewer(newest, join(ROOT, 'lib'))) return;
  console.error('Compiling TypeScript to dist/ …');
  // Not among the scripts that the package has: there it is not needed.
  const { compile } = await import('./tools/typescript.mjs');
  await compile();
}

async function buildAddon() {
  const link = values.link && resolve(values.link);
  const variant = values.asan ? 'asan' : values.coverage ? 'coverage' : link ? 'linked' : '.';
  const output = join('build', variant);
  const addon = join(ROOT, output, 'Release', 'tf-session.node');
  // What it is linked with, the file does not tell.
  if (
    values['if-needed'] &&
    !link &&
    isNewer(addon, join(ROOT, 'native')) &&
    isNewer(addon, join(ROOT, 'CMakeLists.txt'))
  ) {
    return;
  }
  const missing = missingTools();
  if (missing.length > 0)
    return giveUp(`To build the addon, this machine lacks: ${missing.join('; ')}.\n${REMEDY}`);
  // A changed folder is a changed definition.
  if (link) rmSync(join(ROOT, output), { recursive: true, force: true });
  // Or a folder that was copied or moved with its checkout would go on building the other one's files.
  if (isForeign(join(ROOT, output))) rmSync(join(ROOT, output, 'CMakeCache.txt'));
  const include = link && existsSync(join(link, 'include')) ? join(link, 'include') : await headers();
  console.error(`Building the addon against ${include} …`);
  const cmakeJs = join(require.resolve('cmake-js/package.json'), '..', 'bin', 'cmake-js');
  // `compile` ignores changed definitions once it has configured, so each variant has a folder of its own.
  const definitions = [
    `--CDTF_SESSION_INCLUDE=${include}`,
    ...(link ? [`--CDTF_SESSION_LINK=${link}`] : []),
    `--CDTF_SESSION_PROTOZERO=${join(require.resolve('protozero/package.json'), '..', 'include')}`,
    ...(values.asan ? ['--CDTF_SESSION_ASAN=ON'] : []),
    ...(values.coverage ? ['--CDTF_SESSION_COVERAGE=ON'] : []),
  ];
  await run(
    process.execPath,
    [cmakeJs, 'compile', '--directory', ROOT, '--out', join(ROOT, output), ...definitions],
    {
      cwd: ROOT,
      quiet: true,
    },
  );
  console.error(`Built ${addon}`);
  if (link) console.error('Name it in the environment variable TF_SESSION_ADDON where it is to be used.');
}

/** True where a build folder was made for another checkout. */
function isForeign(folder) {
  const file = join(folder, 'CMakeCache.txt');
  if (!existsSync(file)) return false;
  const source = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1];
  return source !== undefined && resolve(source) !== resolve(ROOT);
}

/** True when `file` is newer than every file in `source`. */
function isNewer(file, source) {
  if (!existsSync(file)) return false;
  const built = statSync(file).mtimeMs;
  const newest = (path) =>
    statSync(path).isDirectory()
      ? Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
      : statSync(path).mtimeMs;
  return newest(source) <= built;
}

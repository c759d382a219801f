// `npm run build`: TypeScript to dist/, then the addon, against the headers of an installed libtensorflow.
//
// On a user's machine (no TypeScript there, dist/ came with the package) it builds the addon alone.
// --native-only   leave TypeScript alone
// --if-needed     do nothing that is up to date (the addon: newer than every file in native/)
// --asan          the addon with AddressSanitizer and UndefinedBehaviorSanitizer, into build/asan
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { missingTools, REMEDY } from './build-tools.mjs';
import { run } from './run.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

const { values } = parseArgs({
  options: {
    'native-only': { type: 'boolean', default: false },
    'if-needed': { type: 'boolean', default: false },
    asan: { type: 'boolean', default: false },
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
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true }); // or what was moved would stay
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', ROOT], { cwd: ROOT });
}

async function buildAddon() {
  const output = values.asan ? 'build/asan' : 'build';
  const addon = join(ROOT, output, 'Release', 'tf-session.node');
  if (
    values['if-needed'] &&
    isNewer(addon, join(ROOT, 'native')) &&
    isNewer(addon, join(ROOT, 'CMakeLists.txt'))
  ) {
    return;
  }
  const missing = missingTools();
  if (missing.length > 0)
    return giveUp(`To build the addon, this machine lacks: ${missing.join('; ')}.\n${REMEDY}`);
  const include = await headers();
  console.error(`Building the addon against ${include} …`);
  const cmakeJs = join(require.resolve('cmake-js/package.json'), '..', 'bin', 'cmake-js');
  // `compile` ignores changed definitions once it has configured, so each variant has a folder of its own.
  const definitions = [
    `--CDTF_SESSION_INCLUDE=${include}`,
    `--CDTF_SESSION_PROTOZERO=${join(require.resolve('protozero/package.json'), '..', 'include')}`,
    ...(values.asan ? ['--CDTF_SESSION_ASAN=ON'] : []),
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
}

/** The folder with tensorflow/c/c_api.h: of the library that is found, else of one that is fetched now. */
async function headers() {
  const load = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);
  const { includeFolder } = await load('runtime/include-folder.js');
  const { findLibrary } = await load('runtime/finder.js');
  const found = await findLibrary().catch(() => undefined);
  const beside = found && (await includeFolder(found.path));
  if (beside) return beside;
  const { install } = await load('runtime/install/install.js');
  const { progressReporter } = await load('cli/output/progress.js');
  const progress = progressReporter();
  const { path } = await install({ onProgress: progress.report });
  progress.end();
  return includeFolder(path);
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

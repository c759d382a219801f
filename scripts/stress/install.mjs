/**
 * Kills installs at random moments and looks at what they leave.
 *
 *     node scripts/stress/install.mjs [--count 20] [--rounds 5] [--from FILE_OR_DIR] [--dist dist] [--survive]
 *
 * Each round starts `count` installs at once into one fresh cache and kills each with SIGKILL after a random time,
 * up to what one install takes alone. Then the cache has to be empty for the finder or hold a library that is whole
 * byte by byte; one more install has to succeed, the library to be whole, and nothing else to be left in the cache.
 * `--survive` kills every second one only: all others have to succeed. Without `--from` each install fetches by pip.
 * Works on the compiled package; prints one line a round and exits with 1 after a failure.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
    from: { type: 'string' },
    dist: { type: 'string', default: join(import.meta.dirname, '..', '..', 'dist') },
    survive: { type: 'boolean', default: false },
  },
});
const count = Number(values.count);
const rounds = Number(values.rounds);
const moduleUrl = (path) => pathToFileURL(join(resolve(values.dist), 'runtime', path)).href;
const options = values.from === undefined ? {} : { from: resolve(values.from) };

const { findLibrary } = await import(moduleUrl('finder.js'));
const { inspectLibrary } = await import(moduleUrl('shared-library.js'));

const script = `
  import { install } from ${JSON.stringify(moduleUrl('install/install.js'))};
  try {
    await install(${JSON.stringify(options)});
  } catch (error) {
    console.error(error.code, error.message);
    process.exitCode = 1;
  }
`;

/** One install in a process of its own. */
function startInstall(xdg) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, XDG_CACHE_HOME: xdg },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const ended = new Promise((done) => {
    child.on('close', (status, signal) => done({ status, signal, errors: errors.trim() }));
  });
  return { child, ended };
}

/** `empty` or `working`; throws where the finder takes something that isn't whole. */
async function stateOf(xdg) {
  process.env.XDG_CACHE_HOME = xdg;
  delete process.env.TF_SESSION_LIBRARY;
  const found = await findLibrary().catch((error) => {
    if (error.code !== 'LIBRARY_NOT_FOUND') throw error;
  });
  if (found?.source !== 'cache') return 'empty';
  const folder = join(found.path, '..', '..');
  const record = JSON.parse(await readFile(join(folder, 'install.json'), 'utf8'));
  for (const file of record.files) {
    const path = join(folder, file.path);
    const { fault } = await inspectLibrary(path);
    if (fault !== undefined) throw new Error(`${path} ${fault}`);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
    if (hash.digest('hex') !== file.sha256) throw new Error(`${path} is not what was installed`);
  }
  return 'working';
}

/** What lies in the cache beside whole installations. */
async function leftovers(xdg) {
  const names = await readdir(join(xdg, 'tf-session')).catch(() => []);
  return names.filter((name) => name.startsWith('.')).length;
}

const xdgs = [];
const freshCache = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-stress-'));
  xdgs.push(folder);
  return folder;
};

async function round(number, most) {
  const xdg = await freshCache();
  const problems = [];
  const installs = Array.from({ length: count }, () => startInstall(xdg));
  const toKill = installs.filter((_, i) => !values.survive || i % 2 === 0);
  const timers = toKill.map(({ child }) => setTimeout(() => child.kill('SIGKILL'), Math.random() * most));
  const ends = await Promise.all(installs.map(({ ended }) => ended));
  timers.forEach(clearTimeout);
  const killed = ends.filter(({ signal }) => signal !== null).length;
  const done = ends.filter(({ status }) => status === 0).length;
  for (const { status, errors } of ends) if (status) problems.push(`an install failed: ${errors}`);

  const before = await stateOf(xdg).catch((error) => problems.push(error.message) && 'BROKEN');
  if (done > 0 && before === 'empty') problems.push(`${done} succeeded and nothing is there`);
  const left = await leftovers(xdg);
  const last = await startInstall(xdg).ended;
  if (last.status !== 0) problems.push(`the install afterwards failed: ${last.errors}`);
  const after = await stateOf(xdg).catch((error) => problems.push(error.message) && 'BROKEN');
  if (after === 'empty') problems.push('the install afterwards left nothing');
  const still = await leftovers(xdg);
  if (still > 0) problems.push(`${still} staging folders are still there`);
  console.log(
    `round ${number}: ${killed} killed, ${done} done; cache ${before}, ${left} staging folders; ` +
      `one more install: ${after}, ${still} staging folders${problems.length > 0 ? '; FAILED' : ''}`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
  await rm(xdg, { recursive: true, force: true });
  return problems.length === 0;
}

let ok = true;
try {
  const alone = await freshCache();
  const begun = performance.now();
  const first = await startInstall(alone).ended;
  const took = performance.now() - begun;
  if (first.status !== 0) throw new Error(`one install alone fails: ${first.errors}`);
  await rm(alone, { recursive: true, force: true });
  console.log(`one install alone takes ${Math.round(took)} ms`);
  // Installs at once share the machine: kill times reach from the first steps to some that finish.
  for (let i = 1; i <= rounds; i++) ok = (await round(i, took * (i % 2 === 1 ? 1.5 : count / 2))) && ok;
} catch (error) {
  console.error(error.message);
  ok = false;
} finally {
  for (const folder of xdgs) await rm(folder, { recursive: true, force: true });
}
process.exitCode = ok ? 0 : 1;

// `node scripts/compat/node-versions.mjs [--node VERSION]… [TEST]…`: one addon file under several versions of Node, which come from npm
// into the user's cache. One row each: version, Node-API, tests that passed, failed and were skipped.
//
// The file is the prebuilt addon of this machine where there is one, else what was built here; TF_SESSION_ADDON names another.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fromDist, ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { nodeProgram } from '../tools/npm.mjs';
import { attempt } from '../tools/spawn.mjs';
import { count } from '../tools/vitest-counts.mjs';

/** The newest of each line that is in support. */
export const NODE_VERSIONS = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

/** The addon that is tried. */
async function addonFile() {
  const { addonPath, prebuiltPath } = await fromDist('runtime/addon.js');
  const prebuilt = join(ROOT, prebuiltPath());
  return process.env.TF_SESSION_ADDON || !existsSync(prebuilt) ? addonPath() : prebuilt;
}

/** What loads the addon, in one process and in many. */
const TESTS = ['test/native', 'test/process'];
const USAGE = `node scripts/compat/node-versions.mjs [--node VERSION]… [TEST]…
  --node VERSION   default: ${NODE_VERSIONS.join(', ')}
  TEST             folders or files of tests; default: ${TESTS.join(' ')}`;

/**
 * @typedef {{ node: string, napi: string, passed: number, failed: number, skipped: number, note: string }} NodeRow
 *
 * @param {{ versions?: readonly string[], tests?: readonly string[], onRow?: (row: NodeRow) => void }} [options]
 * @returns {Promise<NodeRow[]>}
 */
export async function nodeRows({ versions = NODE_VERSIONS, tests = TESTS, onRow = () => {} } = {}) {
  const env = { ...process.env, TF_SESSION_ADDON: await addonFile() };
  const rows = [];
  for (const version of versions) {
    const row = await nodeRow(version, tests, env);
    rows.push(row);
    onRow(row);
  }
  return rows;
}

async function nodeRow(version, tests, env) {
  const none = { node: version, napi: '', passed: 0, failed: 0, skipped: 0 };
  let node;
  try {
    node = await nodeProgram(version);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...none, note: error.message };
  }
  const asked = await attempt(node, ['-p', 'process.versions.napi'], { capture: true });
  if (asked.status !== 0) return { ...none, note: asked.output.trim() };

  const folder = await mkdtemp(join(tmpdir(), 'tf-session-compat-'));
  try {
    const file = join(folder, 'report.json');
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=json',
      `--outputFile=${file}`,
      ...tests,
    ];
    const { output } = await attempt(node, args, { cwd: ROOT, env, capture: true });
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) return { ...none, failed: 1, note: output.trim().slice(-500) };
    const report = JSON.parse(text);
    return { node: version, napi: asked.stdout.trim(), ...count(report), note: failures(report) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What failed, by name. */
function failures({ testResults }) {
  const names = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed').map((test) => test.fullName);
    return status === 'failed' && failed.length === 0 ? [`${name}: ${message.split('\n')[0]}`] : failed;
  });
  return names.join('; ');
}

async function print() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { node: { type: 'string', multiple: true } },
  });
  const addon = await addonFile();
  const digest = createHash('sha256')
    .update(await readFile(addon))
    .digest('hex');
  console.log(`${addon}, SHA-256 ${digest.slice(0, 16)}…\n`);
  const line = (cells) =>
    console.log(cells.map((cell, i) => String(cell).padStart([9, 9, 7, 7, 8][i] ?? 0)).join(' '));
  line(['Node', 'Node-API', 'Passed', 'Failed', 'Skipped']);
  const rows = await nodeRows({
    ...(values.node && { versions: values.node }),
    ...(positionals.length > 0 && { tests: positionals }),
    onRow: ({ node, napi, passed, failed, skipped, note }) =>
      line([node, napi, passed, failed, skipped, ` ${note}`]),
  });
  const bad = rows.filter(({ passed, failed }) => failed > 0 || passed === 0);
  if (bad.length > 0)
    throw new Failure(`\nNot all is well with Node ${bad.map(({ node }) => node).join(', ')}.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(print, USAGE);

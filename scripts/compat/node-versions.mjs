// `node scripts/compat/node-versions.mjs [--node VERSION]… [TEST]…`: one addon file under several versions of Node, which come from npm
// into the user's cache. One row each: version, Node-API, tests that passed, failed and were skipped.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure, main } from '../tools/failure.mjs';
import { nodeProgram } from '../tools/npm.mjs';
import { attempt } from '../tools/spawn.mjs';
import { runVitest } from '../tools/vitest.mjs';
import { triedAddon } from './addon.mjs';

/** The newest of each line that is in support. */
export const NODE_VERSIONS = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

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
  const env = { ...process.env, TF_SESSION_ADDON: await triedAddon() };
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

  const { failures, ...counts } = await runVitest(tests, { node, env, capture: true });
  return { node: version, napi: asked.stdout.trim(), ...counts, note: failures.join('; ') };
}

async function print() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { node: { type: 'string', multiple: true } },
  });
  const addon = await triedAddon();
  const digest = createHash('sha256')
    .update(await readFile(addon))
    .digest('hex');
  console.log(`${addon}, SHA-256 ${digest.slice(0, 16)}…\n`);
  console.log('| Node | Node-API | passed | failed | skipped |\n| --- | --- | --- | --- | --- |');
  const rows = await nodeRows({
    ...(values.node && { versions: values.node }),
    ...(positionals.length > 0 && { tests: positionals }),
    onRow: ({ node, napi, passed, failed, skipped, note }) => {
      console.log(`| ${node} | ${napi} | ${passed} | ${failed} | ${skipped} |`);
      if (note !== '') console.error(note);
    },
  });
  const bad = rows.filter(({ passed, failed }) => failed > 0 || passed === 0);
  if (bad.length > 0)
    throw new Failure(`\nNot all is well with Node ${bad.map(({ node }) => node).join(', ')}.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(print, USAGE);

// `npm start`: a real model, from nothing. Fetches and builds what is missing, plays Basic Pitch a chord and prints the
// notes it hears. Ends with status 1 when it misses one.
//
// Only what comes with Node is imported before the packages are there.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from './run.mjs';
import { fromDist, ROOT } from './tools/dist.mjs';
import { Failure, main } from './tools/failure.mjs';
import { ensureLibrary } from './tools/library.mjs';

const USAGE = `npm start -- [--config FILE]
  --config FILE   a ConfigProto as JSON, in place of the example's own`;

await main(async () => {
  const { values } = parseArgs({ options: { config: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) return console.log(USAGE);
  const config = values.config === undefined ? undefined : await readConfig(values.config);

  if (!existsSync(join(ROOT, 'node_modules/typescript'))) {
    console.error('Fetching the packages of package-lock.json …');
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: ROOT, quiet: true });
  }
  // The library goes before the addon, which is built against its headers.
  const library = await ensureLibrary();
  await run(process.execPath, ['scripts/build.mjs', '--if-needed'], { cwd: ROOT });
  const folder = await fetchModel();

  const { demo } = await import('./models/demo.mjs');
  await demo({ folder, library, config });
}, USAGE);

async function readConfig(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Failure(`${file} is not readable as JSON: ${error.message}`);
  }
}

async function fetchModel() {
  const { basicPitch } = await import('./models/basic-pitch.mjs');
  const { progressReporter } = await fromDist('cli/output/progress.js');
  const progress = progressReporter();
  try {
    return await basicPitch({ onProgress: progress.report });
  } finally {
    progress.end();
  }
}

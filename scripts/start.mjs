// `npm start`: a real model, from nothing. Builds and fetches what is missing, plays Basic Pitch a chord and prints
// the notes it hears. Ends with status 1 when it misses one.
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { basicPitch } from './models/basic-pitch.mjs';
import { C_MAJOR, compare, notesOf, synthesize } from './models/chord.mjs';
import { printDevices, printNotes, printTimes } from './models/print.mjs';
import { run } from './run.mjs';
import { fromDist, ROOT } from './tools/dist.mjs';
import { Failure, main } from './tools/failure.mjs';
import { ensureLibrary } from './tools/library.mjs';
import { stopwatch, watchEventLoop } from './tools/stopwatch.mjs';

const USAGE = `npm start -- [--config FILE]
  --config FILE   a ConfigProto as JSON, in place of the example's own`;

await main(async () => {
  const { values } = parseArgs({ options: { config: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) return console.log(USAGE);
  const given = values.config === undefined ? undefined : await readConfig(values.config);

  // The library goes first: the addon is built against its headers.
  const library = await ensureLibrary();
  await run(process.execPath, ['scripts/build.mjs', '--if-needed'], { cwd: ROOT });
  const folder = await fetchModel();
  const { listen, config: own } = await import('./example.mjs');
  const { tensorflow } = await import('tf-session');
  const config = given ?? own;

  console.log(`Model    ${folder}`);
  console.log(`Config   ${JSON.stringify(config)}`);
  const sound = synthesize(C_MAJOR);
  const times = stopwatch();
  const longestGap = watchEventLoop();
  const { note, devices } = await listen(folder, sound, config, times.lap);
  const gap = await longestGap();
  console.log(`Library  TensorFlow ${tensorflow.version}, ${library}`);
  printDevices(devices);

  const notes = compare(C_MAJOR, notesOf(note));
  printNotes(notes);
  printTimes(times.laps, gap, performance.now());
  const missed = notes.filter(({ verdict }) => verdict === 'missed').length;
  if (missed > 0) throw new Failure(`${missed} of ${C_MAJOR.length} notes that were played were not heard.`);
}, USAGE);

async function readConfig(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Failure(`${file} is not readable as JSON: ${error.message}`);
  }
}

async function fetchModel() {
  const { progressReporter } = await fromDist('cli/output/progress.js');
  const progress = progressReporter();
  try {
    return await basicPitch({ onProgress: progress.report });
  } finally {
    progress.end();
  }
}

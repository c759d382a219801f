// The measured part of `npm start`: the example, timed, and what it heard beside what was played.
import { performance } from 'node:perf_hooks';
import { tensorflow } from 'tf-session';
import { listen, config as own } from '../example.mjs';
import { Failure } from '../tools/failure.mjs';
import { stopwatch, watchEventLoop } from '../tools/stopwatch.mjs';
import { C_MAJOR, compare, notesOf, synthesize } from './chord.mjs';
import { chordInputs } from './chord-inputs.mjs';
import { printDevices, printNotes, printTimes } from './print.mjs';
import { printAllOnCpu, printAlternate, printChosenOps } from './print-placement.mjs';

/**
 * @param {object} options
 * @param {string} options.folder The model.
 * @param {string} options.library The file of libtensorflow, to be shown.
 * @param {import('tf-session').ConfigProtoJson | undefined} options.config Default: the example's own.
 */
export async function demo({ folder, library, config = own }) {
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

  const inputs = await chordInputs(folder);
  await printAllOnCpu(folder, inputs);
  await printChosenOps(folder);
  await printAlternate(folder, inputs);
}

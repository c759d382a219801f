/** Traces in Perfetto's own parser, trace_processor, where there is one: what it makes of them, by SQL. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { programOnPath } from '../helpers/program.js';
import { temporaryDirectory } from '../saved-model/models.js';
import { FOUR, traceBasicPitch } from './basic-pitch.js';

const PROGRAM = programOnPath(['trace_processor_shell', 'trace_processor'], process.env.TRACE_PROCESSOR);
if (PROGRAM === undefined) {
  console.warn(
    "Traces are not read by Perfetto's trace_processor: it is neither on the PATH nor named in TRACE_PROCESSOR.",
  );
}

async function query(trace: string, sql: string): Promise<string[][]> {
  const file = join(await temporaryDirectory(), 'query.sql');
  await writeFile(file, sql);
  const { stdout } = await promisify(execFile)(PROGRAM!, ['-q', file, trace]);
  const [, ...rows] = stdout
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('"') || /^\d/.test(line));
  return rows.map((row) => row.split(',').map((cell) => cell.replaceAll('"', '')));
}

const BY_PROCESS = `select process.name, count(*) from slice join thread_track on slice.track_id = thread_track.id
  join thread using (utid) join process using (upid) group by 1 order by 1;`;
const ARROWS = `select count(*) from flow join slice a on flow.slice_out = a.id join slice b on flow.slice_in = b.id
  where a.track_id != b.track_id;`;
const OUTSIDE = `select count(*) from slice, (select ts, dur from slice where category = 'run') run
  where slice.ts < run.ts or slice.ts + slice.dur > run.ts + run.dur;`;

describe.runIf(PROGRAM)("Perfetto's trace_processor", () => {
  it.each([
    ['fused', FOUR],
    ['exact', { ...FOUR, exact: true }],
    ['frozen', { ...FOUR, freeze: true }],
  ])('reads all of a trace of Basic Pitch, %s', async (_, load) => {
    const trace = await traceBasicPitch(load);
    const file = join(await temporaryDirectory(), 'trace.json');
    await trace.writeChromeTrace(file);
    const own = [0, 1, 2, 3].map((i) => {
      const name = `/CPU:${i}`;
      return [name, String(trace.events.filter(({ device }) => device.endsWith(name.slice(1))).length)];
    });
    expect(await query(file, BY_PROCESS)).toEqual([...own, ['Run', '1']]);
    expect(await query(file, ARROWS)).toEqual([[String(trace.transfers.length)]]);
    expect(await query(file, OUTSIDE)).toEqual([['0']]);
    // What it could not read, and what it had to bend.
    const faults = "select name, value from stats where severity in ('error', 'data_loss') and value > 0;";
    expect(await query(file, faults)).toEqual([]);
    expect(await query(file, 'select name from slice where depth > 0;')).toEqual([]);
  });
});

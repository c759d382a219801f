// What `npm start` prints.
import { median } from '../tools/stopwatch.mjs';
import { noteName } from './chord.mjs';

/** @param {readonly { name: string, type: string, memoryBytes: number }[]} devices */
export function printDevices(devices) {
  console.log(`Devices  ${devices.map(({ name }) => name.replace(/^.*\/device:/, '/')).join(', ')}`);
}

/** @param {readonly import('./chord.mjs').Comparison[]} notes */
export function printNotes(notes) {
  const seconds = (value) => (value === undefined ? '-' : `${value.toFixed(2)} s`);
  const rows = notes.map(({ midi, verdict, played, start, confidence }) => [
    noteName(midi),
    seconds(played),
    seconds(start),
    confidence === undefined ? '-' : `${Math.round(confidence * 100)} %`,
    verdict,
  ]);
  console.log('');
  printTable([['Note', 'Played at', 'Heard at', 'Confidence', ''], ...rows]);
}

/**
 * @param {ReadonlyMap<string, readonly number[]>} laps
 * @param {number} gap The event loop's longest delay in ms.
 * @param {number} total
 */
export function printTimes(laps, gap, total) {
  const rows = [...laps].map(([what, times]) => [
    what,
    milliseconds(median(times)),
    times.length > 1 ? `median of ${times.length}` : '',
  ]);
  rows.push(['Longest delay of a timer meanwhile', milliseconds(gap), '']);
  rows.push(['Everything', milliseconds(total), '']);
  console.log('');
  printTable(rows);
}

/** First column to the left, the next ones to the right, the last to the left. */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    const cells = row.map((cell, column) => {
      const isText = column === 0 || column === row.length - 1;
      return isText ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
    });
    console.log(cells.join('   ').trimEnd());
  }
}

function milliseconds(value) {
  return value < 1000 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`;
}

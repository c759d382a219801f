/** Rows of a timeline: one for each device and stream; what goes on at the same time stands in rows of its own. */
import type { TraceEvent } from './timeline.js';

export interface TimelineRow {
  /** The device's full name. */
  readonly device: string;
  /** `ops`, or the stream; `ops (2)`, for what goes on at the same time. */
  readonly name: string;
}

/** Microseconds: readers of traces count whole nanoseconds, and may round either way. */
const GAP = 0.002;

/**
 * Rows in the order of the devices.
 *
 * @param events in the order of their start
 * @returns the rows, and the number of each event's
 */
export function rowsOf(events: readonly TraceEvent[]): { rows: TimelineRow[]; rowOf: number[] } {
  const found: (TimelineRow & { end: number; stream: string; order: number })[] = [];
  const streams = new Map<string, (typeof found)[number][]>();
  const own = events.map(({ device, stream, startUs, durationUs }) => {
    const key = `${device}\n${stream}`;
    const rows = streams.get(key) ?? [];
    streams.set(key, rows);
    let row = rows.find(({ end }) => end + GAP <= startUs);
    if (row === undefined) {
      const plain = stream === '' ? 'ops' : stream;
      const name = rows.length === 0 ? plain : `${plain} (${rows.length + 1})`;
      row = { device, stream, name, end: 0, order: rows.length };
      rows.push(row);
      found.push(row);
    }
    row.end = startUs + durationUs;
    return row;
  });
  const rows = [...found].sort(
    (a, b) => a.device.localeCompare(b.device) || a.stream.localeCompare(b.stream) || a.order - b.order,
  );
  const numbers = new Map(rows.map((row, i) => [row, i]));
  return { rows, rowOf: own.map((row) => numbers.get(row)!) };
}

/** What readers of Chrome's trace format want of a file: Perfetto's reader drops, or counts as errors, what is not so. */
import { expect } from 'vitest';
import type { ChromeEvent, ChromeTrace } from '../../lib/index.js';

type Span = Required<Pick<ChromeEvent, 'name' | 'pid' | 'tid' | 'ts' | 'dur'>>;

/** Fails where the trace is not well-formed; returns its spans. */
export function checkChromeTrace(trace: ChromeTrace): Span[] {
  const spans: Span[] = [];
  const arrows = new Map<number, ChromeEvent[]>();
  const named = { process: new Set<number>(), thread: new Set<string>() };
  for (const event of trace.traceEvents) {
    const { ph, pid, tid, ts, dur } = event;
    expect(typeof event.name).toBe('string');
    expect(event.name).not.toBe('');
    expect([Number.isInteger(pid), Number.isInteger(tid)]).toEqual([true, true]);
    if (ph === 'M') {
      if (event.name === 'process_name') named.process.add(pid);
      if (event.name === 'thread_name') named.thread.add(`${pid} ${tid}`);
      continue;
    }
    expect(Number.isFinite(ts)).toBe(true);
    if (ph === 'X') {
      expect(dur).toBeGreaterThanOrEqual(0);
      spans.push(event as Span);
    } else arrows.set(event.id!, [...(arrows.get(event.id!) ?? []), event]);
  }
  for (const { pid, tid } of spans) {
    expect(named.process.has(pid)).toBe(true);
    expect(named.thread.has(`${pid} ${tid}`)).toBe(true);
  }
  checkRows(spans);
  for (const [start, end, ...more] of arrows.values()) {
    expect([start?.ph, end?.ph, end?.bp, more.length]).toEqual(['s', 'f', 'e', 0]);
    expect([end!.name, end!.cat]).toEqual([start!.name, start!.cat]);
    expect(end!.ts).toBeGreaterThanOrEqual(start!.ts!);
    for (const each of [start!, end!]) expect(spanAround(spans, each), each.name).toBeDefined();
  }
  return spans;
}

/** In a row no span begins before the one before has ended, in whole nanoseconds. */
function checkRows(spans: readonly Span[]): void {
  const ends = new Map<string, number>();
  for (const { pid, tid, ts, dur } of [...spans].sort((a, b) => a.ts - b.ts)) {
    const row = `${pid} ${tid}`;
    expect(Math.floor(ts * 1000)).toBeGreaterThanOrEqual(ends.get(row) ?? -Infinity);
    ends.set(row, Math.ceil((ts + dur) * 1000));
  }
}

function spanAround(spans: readonly Span[], { pid, tid, ts }: ChromeEvent): Span | undefined {
  return spans.find(
    (span) => span.pid === pid && span.tid === tid && span.ts <= ts! && ts! <= span.ts + span.dur,
  );
}

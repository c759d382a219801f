/** Chrome's trace format, which Perfetto and chrome://tracing read: a process for each device, a row for each stream. */
import { shortDevice } from '../placement/device.js';
import type { Timeline, TraceEvent } from './timeline.js';

/** The run itself, from its call to its end. */
export interface RunSpan {
  /** The signature. */
  readonly name: string;
  readonly durationUs: number;
  /** Versions and the like, shown as the trace's metadata. */
  readonly about: Readonly<Record<string, string>>;
}

/** One entry of `traceEvents`; times in microseconds from the call of the run. */
export interface ChromeEvent {
  name: string;
  /** `X` a span, `M` the name of a row, `s` and `f` the ends of an arrow. */
  ph: 'X' | 'M' | 's' | 'f';
  pid: number;
  tid: number;
  ts?: number;
  dur?: number;
  cat?: string;
  id?: number;
  bp?: 'e';
  args?: Record<string, unknown>;
}

export interface ChromeTrace {
  traceEvents: ChromeEvent[];
  displayTimeUnit: 'ms';
  otherData: Record<string, string>;
}

const RUN_PID = 1;

export function chromeTrace({ events, transfers, devices }: Timeline, span: RunSpan): ChromeTrace {
  const rows = new Rows();
  const out: ChromeEvent[] = [
    ...named(RUN_PID, 0, 'Run'),
    { name: 'thread_name', ph: 'M', pid: RUN_PID, tid: 1, args: { name: span.name } },
    { name: span.name, ph: 'X', pid: RUN_PID, tid: 1, ts: 0, dur: span.durationUs, cat: 'run' },
  ];
  const pids = new Map(devices.map((device, i) => [device, RUN_PID + 1 + i]));
  for (const [device, pid] of pids) out.push(...named(pid, pid, shortDevice(device)));
  const tids = events.map((event) => rows.of(event));
  events.forEach((event, i) => {
    out.push({
      name: event.name,
      cat: event.stream === '' ? 'op' : 'stream',
      ph: 'X',
      pid: pids.get(event.device)!,
      tid: tids[i]!,
      ts: event.startUs,
      dur: event.durationUs,
      args: argsOf(event),
    });
  });
  for (const { device, tid, name } of rows.all) {
    out.push({ name: 'thread_name', ph: 'M', pid: pids.get(device)!, tid, args: { name } });
    out.push({
      name: 'thread_sort_index',
      ph: 'M',
      pid: pids.get(device)!,
      tid,
      args: { sort_index: tid },
    });
  }
  transfers.forEach(({ tensor, bytes, from, to }, i) => {
    const [source, target] = [events[from]!, events[to]!];
    const arrow = { name: tensor, cat: 'transfer', id: i + 1, args: { bytes } };
    // An arrow is bound to what is going on at its end: within the span, not on its edge.
    const [leaves, arrives] = [
      source.startUs + source.durationUs / 2,
      target.startUs + target.durationUs / 2,
    ];
    out.push({ ...arrow, ph: 's', pid: pids.get(source.device)!, tid: tids[from]!, ts: leaves });
    out.push({
      ...arrow,
      ph: 'f',
      bp: 'e',
      pid: pids.get(target.device)!,
      tid: tids[to]!,
      ts: Math.max(leaves, arrives),
    });
  });
  return { traceEvents: out, displayTimeUnit: 'ms', otherData: { ...span.about } };
}

function named(pid: number, order: number, name: string): ChromeEvent[] {
  return [
    { name: 'process_name', ph: 'M', pid, tid: 0, args: { name } },
    { name: 'process_sort_index', ph: 'M', pid, tid: 0, args: { sort_index: order } },
  ];
}

function argsOf(event: TraceEvent): Record<string, unknown> {
  const { type, function: inFunction, kernel, readyUs, outputs, peakBytes } = event;
  return {
    type,
    ...(inFunction === '' ? {} : { function: inFunction }),
    kernel: kernel.name,
    'kernel type': kernel.type,
    'ready before, us': readyUs,
    bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
    outputs: outputs.map(({ dtype, shape }) => `${dtype} ${shape === null ? '?' : `[${shape.join(', ')}]`}`),
    ...(peakBytes === 0 ? {} : { 'peak memory, bytes': peakBytes }),
  };
}

/** Rows of a device: what goes on at the same time stands in rows of its own. */
class Rows {
  readonly all: { device: string; name: string; tid: number; end: number }[] = [];
  readonly #streams = new Map<string, { device: string; name: string; tid: number; end: number }[]>();
  readonly #counts = new Map<string, number>();

  /** Of events in the order of their start. */
  of({ device, stream, startUs, durationUs }: TraceEvent): number {
    const key = `${device}\n${stream}`;
    const rows = this.#streams.get(key) ?? [];
    this.#streams.set(key, rows);
    let row = rows.find(({ end }) => end <= startUs);
    if (row === undefined) {
      const tid = (this.#counts.get(device) ?? 0) + 1;
      this.#counts.set(device, tid);
      const name = stream === '' ? 'ops' : stream;
      row = {
        device,
        name: rows.length === 0 ? name : `${name}, at the same time ${rows.length + 1}`,
        tid,
        end: 0,
      };
      rows.push(row);
      this.all.push(row);
    }
    row.end = startUs + durationUs;
    return row.tid;
  }
}

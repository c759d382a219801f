/** Chrome's trace format, which Perfetto and chrome://tracing read: a process for each device, a row for each stream. */
import { shortDevice } from '../placement/device.js';
import { rowsOf } from './rows.js';
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
  const { rows, rowOf } = rowsOf(events);
  const out: ChromeEvent[] = [
    ...named(RUN_PID, 0, 'Run'),
    { name: 'thread_name', ph: 'M', pid: RUN_PID, tid: 1, args: { name: span.name } },
    { name: span.name, ph: 'X', pid: RUN_PID, tid: 1, ts: 0, dur: span.durationUs, cat: 'run' },
  ];
  const pids = new Map(devices.map((device, i) => [device, RUN_PID + 1 + i]));
  for (const [device, pid] of pids) out.push(...named(pid, pid, shortDevice(device)));
  const tids = rowOf.map((row) => row + 1);
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
  rows.forEach(({ device, name }, i) => {
    const row = { ph: 'M' as const, pid: pids.get(device)!, tid: i + 1 };
    out.push({ ...row, name: 'thread_name', args: { name } });
    out.push({ ...row, name: 'thread_sort_index', args: { sort_index: i } });
  });
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
  const { type, function: inFunction, kernel, fused, readyUs, outputs, peakBytes } = event;
  return {
    type,
    ...(inFunction === '' ? {} : { function: inFunction }),
    kernel: kernel.name,
    'kernel type': kernel.type,
    ...(fused.length === 0 ? {} : { 'fused with': fused }),
    'ready before, us': readyUs,
    bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
    outputs: outputs.map(({ dtype, shape }) => `${dtype} ${shape === null ? '?' : `[${shape.join(', ')}]`}`),
    ...(peakBytes === 0 ? {} : { 'peak memory, bytes': peakBytes }),
  };
}

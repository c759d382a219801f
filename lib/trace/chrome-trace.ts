/** Chrome's trace format, which Perfetto and chrome://tracing read: a process for each device, a row for each stream. */
import { isSameTask, shortDevice } from '../placement/device.js';
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
/** Events of a piece of JSON: some 0.2 ms. */
const PIECE = 100;

export function chromeTrace(timeline: Timeline, span: RunSpan): ChromeTrace {
  const traceEvents = [...chromeEvents(timeline, span)];
  return { traceEvents, displayTimeUnit: 'ms', otherData: { ...span.about } };
}

/** The same as pieces of its JSON, each written down in a moment. */
export function* chromeJson(timeline: Timeline, span: RunSpan): Generator<string> {
  const rest = JSON.stringify({
    displayTimeUnit: 'ms',
    otherData: span.about,
  } satisfies Partial<ChromeTrace>);
  yield `${rest.slice(0, -1)},"traceEvents":[`;
  let piece: string[] = [];
  let isFirst = true;
  for (const event of chromeEvents(timeline, span)) {
    piece.push(JSON.stringify(event));
    if (piece.length < PIECE) continue;
    yield (isFirst ? '' : ',\n') + piece.join(',\n');
    isFirst = false;
    piece = [];
  }
  if (piece.length > 0) yield (isFirst ? '' : ',\n') + piece.join(',\n');
  yield ']}\n';
}

function* chromeEvents({ events, transfers, devices }: Timeline, span: RunSpan): Generator<ChromeEvent> {
  const { rows, rowOf } = rowsOf(events);
  yield* named(RUN_PID, 0, 'Run');
  yield { name: 'thread_name', ph: 'M', pid: RUN_PID, tid: 1, args: { name: span.name } };
  yield { name: span.name, ph: 'X', pid: RUN_PID, tid: 1, ts: 0, dur: span.durationUs, cat: 'run' };
  const pids = new Map(devices.map((device, i) => [device, RUN_PID + 1 + i]));
  for (const [device, pid] of pids) yield* named(pid, pid, shortDevice(device));
  const tids = rowOf.map((row) => row + 1);
  for (const [i, { device, name }] of rows.entries()) {
    const row = { ph: 'M' as const, pid: pids.get(device)!, tid: i + 1 };
    yield { ...row, name: 'thread_name', args: { name } };
    yield { ...row, name: 'thread_sort_index', args: { sort_index: i } };
  }
  for (const [i, event] of events.entries()) {
    yield {
      name: event.name,
      cat: event.stream === '' ? 'op' : event.stream === 'network' ? 'network' : 'stream',
      ph: 'X',
      pid: pids.get(event.device)!,
      tid: tids[i]!,
      ts: event.startUs,
      dur: event.durationUs,
      args: argsOf(event),
    };
  }
  for (const [i, { tensor, bytes, from, to }] of transfers.entries()) {
    const [source, target] = [events[from]!, events[to]!];
    const cat = isSameTask(source.device, target.device) ? 'transfer' : 'network';
    const arrow = { name: tensor, cat, id: i + 1 };
    // An arrow is bound to what is going on at its end: within the span, not on its edge.
    const [leaves, arrives] = [
      source.startUs + source.durationUs / 2,
      target.startUs + target.durationUs / 2,
    ];
    const start = { pid: pids.get(source.device)!, tid: tids[from]!, ts: leaves };
    // Said once: readers merge what both ends say.
    yield { ...arrow, ph: 's', ...start, args: { bytes } };
    yield {
      ...arrow,
      ph: 'f',
      bp: 'e',
      pid: pids.get(target.device)!,
      tid: tids[to]!,
      ts: Math.max(leaves, arrives),
    };
  }
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

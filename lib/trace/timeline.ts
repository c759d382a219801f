/** A recorded run as a timeline: each run of a kernel with its op's full name, and what crossed from device to device. */
import { DTYPES } from '../dtype.js';
import type { ModelNode } from '../placement/model-graph.js';
import type { RunEvent, RunEvents } from '../placement/report/events.js';
import type { Fusion } from '../placement/report/fusion.js';
import type { Ran } from '../placement/report/ran.js';
import type { TensorNames } from '../placement/report/tensor-names.js';
import { Slices } from '../placement/slices.js';
import type { RunGraph, RunInput } from '../plan/run-graph.js';
import { EVENT, EVENT_SIZE, forEachOutput, REQUEST, type Recorded } from './recorded.js';

/** An output of a kernel. */
export interface TraceOutput {
  /** `float32`; `''` for a type that is not known. */
  readonly dtype: string;
  /** Null where TensorFlow did not record it. */
  readonly shape: readonly number[] | null;
  readonly bytes: number;
}

/** One run of a kernel: one node execution that TensorFlow recorded. */
export interface TraceEvent {
  /** The op's name in the model; of TensorFlow's own nodes, and of work in a GPU's streams, as TensorFlow says it. */
  readonly name: string;
  /** The function of the model in whose body the op stands; `''` in the main graph, and where there is no such op. */
  readonly function: string;
  /** The op type in the model; of TensorFlow's own nodes theirs. */
  readonly type: string;
  /** The node that ran, by the name and type that TensorFlow gave it: `_FusedMatMul`. */
  readonly kernel: { readonly name: string; readonly type: string };
  /** Ops of the model that TensorFlow has fused into this kernel, besides the one that it is named after. */
  readonly fused: readonly string[];
  /** The device's full name. */
  readonly device: string;
  /** A GPU's stream, `stream:all`; `network` for a request for a tensor of another task; `''` for the device's own kernels. */
  readonly stream: string;
  /** Microseconds from the call of the run, by the wall clock. */
  readonly startUs: number;
  readonly durationUs: number;
  /** How long it was ready before it began, in microseconds. */
  readonly readyUs: number;
  readonly outputs: readonly TraceOutput[];
  /** The most memory that it held at a time, in bytes; 0 where that was not recorded. */
  readonly peakBytes: number;
}

/** A tensor on its way from one kernel to another, on another device. */
export interface TraceTransfer {
  /** As in the report's `transfers`. */
  readonly tensor: string;
  readonly bytes: number;
  /** Numbers of events: who made it, and who took it first. */
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  /** In the order of their start. */
  readonly events: readonly TraceEvent[];
  readonly transfers: readonly TraceTransfer[];
  /** Full names of the devices that did something. */
  readonly devices: readonly string[];
}

export interface TimelineInput {
  readonly recorded: Recorded;
  readonly events: RunEvents;
  readonly ran: Ran;
  readonly run: RunGraph;
  readonly names: TensorNames;
  readonly fusions: ReadonlyMap<ModelNode, Fusion>;
  /** Microseconds of the wall clock at which the run was called. */
  readonly beganUs: number;
}

const DTYPE = new Map<number, string>(DTYPES.map(({ number, name }) => [number, name]));
/** `…/device:GPU:0/stream:all` -> the device, and the stream. */
const STREAM = /^(.*\/device:[A-Za-z]\w*:\d+)\/(.+)$/;

/** Loops leave hundreds of thousands of events: made in slices. */
export async function timelineOf(input: TimelineInput): Promise<Timeline> {
  const { recorded, events, ran } = input;
  const known = new Map(events.all.map((event) => [event.index, event]));
  const order = byStart(recorded);
  const fused = new Map<ModelNode, string[]>();
  for (const [node, { survivor }] of input.fusions) {
    if (node !== survivor) fused.set(survivor, [...(fused.get(survivor) ?? []), node.name]);
  }
  const place = new Map<number, number>();
  const devices = fullNames(recorded.kernels.map(({ device }) => device));
  const all: TraceEvent[] = [];
  const slices = new Slices();
  for (const [i, index] of order.entries()) {
    if (slices.isOver(i)) await slices.next();
    const own = known.get(index);
    place.set(index, i);
    const node = own && ran.at(own)?.node;
    all.push(eventOf(input, index, devices, node, (node && fused.get(node)) ?? []));
  }
  const transfers: TraceTransfer[] = [];
  const seen = new Set<string>();
  for (const [i, event] of events.all.entries()) {
    if (slices.isOver(i)) await slices.next();
    for (const arrival of arrivals(event, input.run)) {
      const from = place.get(arrival.made.index);
      const to = place.get(event.index);
      // Sent once, whoever takes it there.
      const key = `${from} ${arrival.input.output} ${event.kernel.device}`;
      if (from === undefined || to === undefined || seen.has(key)) continue;
      seen.add(key);
      const { tensor } = input.names.at(arrival.made, arrival.input.output);
      transfers.push({ tensor, bytes: arrival.bytes, from, to });
    }
  }
  return { events: all, transfers, devices: [...new Set(all.map(({ device }) => device))].sort() };
}

/** Devices by the end of their names, all that TensorFlow says of a stream's: `/device:GPU:0`. */
export function fullNames(devices: Iterable<string>): Map<string, string> {
  const full = [...devices].filter((name) => name.startsWith('/job:') && !STREAM.test(name));
  return new Map(full.map((name) => [name.slice(name.indexOf('/device:')), name]));
}

function byStart({ events }: Recorded): number[] {
  const order = Array.from({ length: events.length / EVENT_SIZE }, (_, i) => i);
  const at = (i: number, field: number) => events[i * EVENT_SIZE + field]!;
  return order.sort((a, b) => at(a, EVENT.start) - at(b, EVENT.start) || at(b, EVENT.end) - at(a, EVENT.end));
}

function eventOf(
  { recorded, beganUs }: TimelineInput,
  index: number,
  devices: ReadonlyMap<string, string>,
  node: ModelNode | undefined,
  fused: readonly string[],
): TraceEvent {
  const { events, kernels, originUs } = recorded;
  const at = (field: number) => events[index * EVENT_SIZE + field]!;
  const kernel = kernels[at(EVENT.kernel)]!;
  const [, owner = kernel.device, stream = ''] = STREAM.exec(kernel.device) ?? [];
  const device = devices.get(owner) ?? owner;
  return {
    // TensorFlow numbers what it sends.
    name: node?.name ?? (kernel.op === REQUEST ? kernel.name.replace(/^edge_\d+_/, '') : kernel.name),
    function: node?.function ?? '',
    type: node?.type ?? kernel.op,
    kernel: { name: kernel.name, type: kernel.op },
    fused,
    device,
    stream,
    startUs: rounded(originUs - beganUs + at(EVENT.start) / 1000),
    durationUs: rounded((at(EVENT.end) - at(EVENT.start)) / 1000),
    readyUs: rounded((at(EVENT.start) - at(EVENT.scheduled)) / 1000),
    outputs: outputsOf(recorded, index),
    peakBytes: at(EVENT.peakBytes),
  };
}

function outputsOf(recorded: Recorded, event: number): TraceOutput[] {
  const found: TraceOutput[] = [];
  forEachOutput(recorded, event, (_, dtype, bytes, shape) => {
    found.push({ dtype: DTYPE.get(dtype) ?? '', bytes, shape: shape && Array.from(shape) });
  });
  return found;
}

/** What a kernel took from other devices. */
interface Arrival {
  input: RunInput;
  made: RunEvent;
  bytes: number;
}

function* arrivals(event: RunEvent, run: RunGraph): Generator<Arrival> {
  for (const input of run.of(event)?.inputs ?? []) {
    if (input.output < 0 || input.node.device === event.kernel.device) continue;
    const made = input.node.lastBefore(event.end);
    const bytes = made?.bytes.get(input.output);
    if (made !== undefined && bytes !== undefined) yield { input, made, bytes };
  }
}

/** Microseconds to the nanosecond, in which they were recorded. */
export function rounded(us: number): number {
  return Math.round(us * 1000) / 1000;
}

/**
 * A run as TensorFlow recorded it: its RunMetadata, as far as reports and traces need it, in a form that threads hand over
 * cheaply: strings once, numbers in typed arrays.
 */

import { decodeRunMetadata } from '../config.js';
import { DTYPES } from '../dtype.js';
import { textAttribute } from '../placement/attributes.js';
import type { NodeExecStats, NodeOutput } from '../proto/tensorflow/core/framework/step_stats_pb.js';

/** A node of the main graph's partitions: what TensorFlow made of the main graph, cut into one graph a device. */
export interface RecordedNode {
  readonly device: string;
  readonly name: string;
  readonly op: string;
  /** `a`, `a:1`, `^a`. */
  readonly inputs: readonly string[];
  /** Of a send and its receive: the device that receives, and the key by which both find each other. */
  readonly recvDevice?: string;
  readonly rendezvous?: string;
}

/**
 * What ran: a node on its device, a piece of work in one of a GPU's streams, or a request for a tensor of another task, which
 * is listed as the work of a stream of its own: `…/device:CPU:0/network`, op `RecvTensor`, its one input the device that sent.
 */
export interface RecordedKernel {
  /** The device's full name; of a stream the name that TensorFlow gives it. */
  readonly device: string;
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
}

export interface Recorded {
  readonly nodes: readonly RecordedNode[];
  readonly kernels: readonly RecordedKernel[];
  /** `EVENT` numbers for each run of a kernel. */
  readonly events: Float64Array;
  /** For each output `slot, dtype, bytes, rank, dimensions…`; a rank of -1 where it is not known. */
  readonly outputs: Float64Array;
  /** The earliest start, in microseconds of the wall clock since 1970. */
  readonly originUs: number;
}

/** What stands where in an event. Times are nanoseconds from the origin. */
export const EVENT = {
  kernel: 0,
  scheduled: 1,
  start: 2,
  end: 3,
  /** The most memory that it had allocated at a time, in bytes, temporary memory included; 0 where nothing is known. */
  peakBytes: 4,
  /** Where its outputs begin in `outputs`, and how many there are. */
  outputsAt: 5,
  outputCount: 6,
} as const;

/** Numbers of an event. */
export const EVENT_SIZE = 7;

const BYTES = new Map<number, number>(DTYPES.map(({ number, bytes }) => [number, bytes]));
/** Reference types, as of TensorFlow 1's variables, are numbered from here. */
const REFERENCE = 100;

/**
 * Decodes a serialized RunMetadata, at some 25 MB a second.
 *
 * @throws TensorFlowError DATA_LOSS
 */
export function readRecorded(metadata: Uint8Array): Recorded {
  const { partitionGraphs, stepStats } = decodeRunMetadata(metadata);
  const nodes = partitionGraphs.flatMap(({ node }) =>
    node.map((def): RecordedNode => {
      const recvDevice = textAttribute(def, 'recv_device');
      const rendezvous = textAttribute(def, 'tensor_name');
      const plain = { device: def.device, name: def.name, op: def.op, inputs: def.input };
      return recvDevice === undefined || rendezvous === undefined
        ? plain
        : { ...plain, recvDevice, rendezvous };
    }),
  );
  const stats = stepStats?.devStats ?? [];
  const origin = originOf(stats.flatMap(({ nodeStats }) => nodeStats));
  const count = stats.reduce((sum, { nodeStats }) => sum + nodeStats.length, 0);
  const events = new Float64Array(count * EVENT_SIZE);
  const outputs: number[] = [];
  const kernels: RecordedKernel[] = [];
  let at = 0;
  for (const { device, nodeStats } of stats) {
    const known = new Map<string, number>();
    for (const node of nodeStats) {
      const request = node.nodeName === REQUEST ? readRequest(node.timelineLabel) : undefined;
      // What stands before the name says how much memory was in use: it differs from run to run.
      const label = node.timelineLabel.slice(Math.max(0, node.timelineLabel.indexOf(`${node.nodeName} = `)));
      const key = `${node.nodeName}\n${label}`;
      let kernel = known.get(key);
      if (kernel === undefined) {
        kernel = kernels.length;
        kernels.push(request ?? { device, name: node.nodeName, ...readLabel(node.nodeName, label) });
        known.set(key, kernel);
      }
      const since = (time: bigint): number => Number(time - zeroOf(time, origin));
      const start = since(startOf(node));
      // Left out of a stream's work that nobody is known to have asked for.
      const scheduled = since(node.scheduledNanos || node.scheduledMicros * 1000n || startOf(node));
      events.set(
        [
          kernel,
          Math.min(start, scheduled),
          start,
          start + Number(node.allEndRelNanos || node.allEndRelMicros * 1000n),
          peakBytes(node),
          outputs.length,
          node.output.length,
        ],
        at,
      );
      for (const output of node.output) addOutput(output, outputs);
      at += EVENT_SIZE;
    }
  }
  return {
    nodes,
    kernels,
    events,
    outputs: Float64Array.from(outputs),
    originUs: Number(origin.wall / 1000n),
  };
}

/** The outputs of an event, by its number; the shape is a view, null where it is not known. */
export function forEachOutput(
  { events, outputs }: Recorded,
  event: number,
  visit: (slot: number, dtype: number, bytes: number, shape: Float64Array | null) => void,
): void {
  let at = events[event * EVENT_SIZE + EVENT.outputsAt]!;
  for (let left = events[event * EVENT_SIZE + EVENT.outputCount]!; left > 0; left--) {
    const rank = outputs[at + 3]!;
    const end = at + 4 + Math.max(0, rank);
    const shape = rank < 0 ? null : outputs.subarray(at + 4, end);
    visit(outputs[at]!, outputs[at + 1]!, outputs[at + 2]!, shape);
    at = end;
  }
}

/** What TensorFlow calls a request for a tensor of another task. */
export const REQUEST = 'RecvTensor';

/** `[512B] [29.0Mb/s] edge_21_kernel from /job:…/device:CPU:1 to /job:…/device:CPU:0`, or `[1.8MB] …`. */
function readRequest(label: string): RecordedKernel | undefined {
  const found = /^\[[\d.]+M?B\] (?:\[.*?\] )?(\S+) from (\S+) to (\S+)/.exec(label);
  if (found === null) return undefined;
  const [, name, from, to] = found;
  return { device: `${to}/network`, name: name!, op: REQUEST, inputs: [from!] };
}

/** `name = Op(input, ^input)`. */
function readLabel(name: string, label: string): { op: string; inputs: string[] } {
  const call = label.startsWith(`${name} = `) ? label.slice(name.length + 3) : '';
  const open = call.indexOf('(');
  if (open === -1) return { op: '', inputs: [] };
  const inputs = call.slice(open + 1, call.lastIndexOf(')'));
  return { op: call.slice(0, open), inputs: inputs === '' ? [] : inputs.split(', ') };
}

/** Before 1.13 there are microseconds only. */
function startOf(node: NodeExecStats): bigint {
  return node.allStartNanos || node.allStartMicros * 1000n;
}

/** 1980, in nanoseconds: what is earlier was counted from another zero than 1970. */
const OTHER_ZERO = 315_532_800_000_000_000n;

/**
 * The earliest start by the wall clock, and the earliest by another. Of a GPU's streams several versions of TensorFlow (from
 * 2.12 on) tell when something began since their profiler did, and not when that was. The first of it is taken to have begun with the run.
 */
interface Origin {
  wall: bigint;
  other: bigint;
}

function originOf(nodes: readonly NodeExecStats[]): Origin {
  const starts = nodes.map(startOf);
  const wall = earliest(starts.filter((start) => start >= OTHER_ZERO));
  const other = earliest(starts.filter((start) => start < OTHER_ZERO));
  return { wall: wall ?? other ?? 0n, other: other ?? 0n };
}

function zeroOf(time: bigint, { wall, other }: Origin): bigint {
  return time < OTHER_ZERO ? other : wall;
}

/** Rounded down to a microsecond, in which the origin is told. */
function earliest(times: readonly bigint[]): bigint | undefined {
  if (times.length === 0) return undefined;
  const first = times.reduce((least, time) => (time < least ? time : least));
  return (first / 1000n) * 1000n;
}

function peakBytes({ memory }: NodeExecStats): number {
  return memory.reduce((sum, each) => sum + Number(each.peakBytes), 0);
}

function addOutput({ slot, tensorDescription }: NodeOutput, into: number[]): void {
  const dtype = (tensorDescription?.dtype ?? 0) % REFERENCE;
  const shape = tensorDescription?.shape;
  const dims =
    shape === undefined || shape.unknownRank ? undefined : shape.dim.map(({ size }) => Number(size));
  const each = BYTES.get(dtype) ?? 0;
  const bytes =
    each > 0 && dims !== undefined
      ? dims.reduce((product, size) => product * size, each)
      : Number(tensorDescription?.allocationDescription?.requestedBytes ?? 0n);
  into.push(slot, dtype, bytes, dims?.length ?? -1);
  for (const size of dims ?? []) into.push(size);
}

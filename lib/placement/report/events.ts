/** What one traced run says: which kernels ran, on which device, when, and how large their outputs were. */
import type { RunMetadata } from '../../config.js';
import { DTYPES } from '../../dtype.js';
import type { NodeDef } from '../../proto/tensorflow/core/framework/node_def_pb.js';
import type { NodeExecStats, NodeOutput } from '../../proto/tensorflow/core/framework/step_stats_pb.js';
import { Slices } from '../slices.js';

/** A node of a graph that TensorFlow made of the model, on its device. */
export interface Kernel {
  /** The device's full name. */
  readonly device: string;
  readonly name: string;
  readonly op: string;
  /** `a`, `a:1`, `^a`. */
  readonly inputs: readonly string[];
  /** The node is one of the main graph's partitions, not of a function that was called. */
  readonly isMain: boolean;
  /** There is such a node in the main graph's partitions, if perhaps with other inputs. */
  readonly isLikeMain: boolean;
}

/** One run of a kernel. */
export interface RunEvent {
  readonly kernel: Kernel;
  /** Nanoseconds from the first event. */
  readonly start: number;
  readonly end: number;
  /** By output. */
  readonly bytes: ReadonlyMap<number, number>;
}

/** A node of the main graph as it was run, on its device. */
export interface PartitionNode {
  readonly device: string;
  readonly def: NodeDef;
}

/** TensorFlow stops collecting here. */
const MOST_EVENTS = 2 ** 20;
const BYTES = new Map<number, number>(DTYPES.map(({ number, bytes }) => [number, bytes]));

export class RunEvents {
  readonly all: RunEvent[] = [];
  readonly partition: PartitionNode[] = [];
  /** True where there were more events than TensorFlow keeps. */
  isCut = false;

  private constructor() {}

  /** Loops leave hundreds of thousands of events: read in slices. */
  static async read(metadata: RunMetadata, devices: readonly { name: string }[]): Promise<RunEvents> {
    const events = new RunEvents();
    await events.#read(metadata, devices);
    return events;
  }

  async #read(metadata: RunMetadata, devices: readonly { name: string }[]): Promise<void> {
    const labels = new Set<string>();
    const ops = new Set<string>();
    for (const graph of metadata.partitionGraphs) {
      for (const def of graph.node) {
        this.partition.push({ device: def.device, def });
        labels.add(key(def.device, def.name, def.op, def.input));
        ops.add(key(def.device, def.name, def.op, []));
      }
    }
    const known = new Set(devices.map(({ name }) => name));
    // A GPU's streams are listed, too, under names of their own: the same work once more.
    const stats = (metadata.stepStats?.devStats ?? []).filter(({ device }) => known.has(device));
    const first = earliest(stats.flatMap(({ nodeStats }) => nodeStats));
    const slices = new Slices();
    for (const { device, nodeStats } of stats) {
      const kernels = new Map<string, Kernel>();
      for (const [i, node] of nodeStats.entries()) {
        if (slices.isOver(i)) await slices.next();
        if (node.nodeName.startsWith('_SOURCE')) continue;
        let kernel = kernels.get(node.timelineLabel);
        if (kernel === undefined) {
          const { op, inputs } = readLabel(node);
          const isMain = labels.has(key(device, node.nodeName, op, inputs));
          const isLikeMain = ops.has(key(device, node.nodeName, op, []));
          kernel = { device, name: node.nodeName, op, inputs, isMain, isLikeMain };
          kernels.set(node.timelineLabel, kernel);
        }
        const start = Number(startOf(node) - first);
        const end = start + Number(node.allEndRelNanos || node.allEndRelMicros * 1000n);
        const bytes = new Map(node.output.map((output) => [output.slot, bytesOf(output)]));
        this.all.push({ kernel, start, end, bytes });
      }
    }
    this.all.sort((a, b) => a.start - b.start || b.end - a.end);
    this.isCut = this.all.length >= MOST_EVENTS - stats.length;
  }
}

/** Labels are not up to date on what a node only waits for. */
function key(device: string, name: string, op: string, inputs: readonly string[]): string {
  return [device, name, op, ...inputs.filter((input) => !input.startsWith('^'))].join('\n');
}

/** A label is `[memory] name = Op(input, ^input)`. */
function readLabel({ nodeName, timelineLabel }: NodeExecStats) {
  const at = timelineLabel.indexOf(`${nodeName} = `);
  const call = at === -1 ? '' : timelineLabel.slice(at + nodeName.length + 3);
  const open = call.indexOf('(');
  if (open === -1) return { op: '', inputs: [] };
  const inputs = call.slice(open + 1, call.lastIndexOf(')'));
  return { op: call.slice(0, open), inputs: inputs === '' ? [] : inputs.split(', ') };
}

/** Before 1.13 there are microseconds only. */
function startOf(node: NodeExecStats): bigint {
  return node.allStartNanos || node.allStartMicros * 1000n;
}

function earliest(nodes: readonly NodeExecStats[]): bigint {
  let first = nodes.length === 0 ? 0n : startOf(nodes[0]!);
  for (const node of nodes) if (startOf(node) < first) first = startOf(node);
  return first;
}

function bytesOf({ tensorDescription }: NodeOutput): number {
  const each = BYTES.get((tensorDescription?.dtype ?? 0) % 100) ?? 0;
  const dims = tensorDescription?.shape?.dim;
  if (each > 0 && dims !== undefined && tensorDescription?.shape?.unknownRank !== true) {
    return dims.reduce((product, { size }) => product * Number(size), each);
  }
  return Number(tensorDescription?.allocationDescription?.requestedBytes ?? 0n);
}

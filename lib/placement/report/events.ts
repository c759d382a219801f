/** What one traced run says: which kernels ran, on which device, when, and how large their outputs were. */
import {
  EVENT,
  EVENT_SIZE,
  forEachOutput,
  REQUEST,
  type Recorded,
  type RecordedNode,
} from '../../trace/recorded.js';
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
  /** Its number among the recorded events; -1 for one that is only known to have been. */
  readonly index: number;
}

/** TensorFlow stops collecting here. */
const MOST_EVENTS = 2 ** 20;

export class RunEvents {
  /** In the order of their start. */
  readonly all: RunEvent[] = [];
  /** The main graph as it was run. */
  readonly partition: readonly RecordedNode[];
  /** Requests for tensors of other tasks, by the key under which these were sent: how long they took, and what they brought. */
  readonly requests = new Map<string, { ns: number; bytes: number }>();
  /** True where there were more events than TensorFlow keeps. */
  isCut = false;

  private constructor(recorded: Recorded) {
    this.partition = recorded.nodes;
  }

  /** Loops leave hundreds of thousands of events: read in slices. */
  static async read(recorded: Recorded, devices: readonly { name: string }[]): Promise<RunEvents> {
    const run = new RunEvents(recorded);
    await run.#read(recorded, devices);
    return run;
  }

  async #read(recorded: Recorded, devices: readonly { name: string }[]): Promise<void> {
    const { nodes, kernels, events } = recorded;
    const labels = new Set<string>();
    const ops = new Set<string>();
    const slices = new Slices();
    for (const [i, { device, name, op, inputs }] of nodes.entries()) {
      if (slices.isOver(i)) await slices.next();
      labels.add(key(device, name, op, inputs));
      ops.add(key(device, name, op, []));
    }
    // A GPU's streams are listed, too, under names of their own: the same work once more.
    const known = new Set(devices.map(({ name }) => name));
    const own: (Kernel | undefined)[] = [];
    for (const [i, { device, name, op, inputs }] of kernels.entries()) {
      if (slices.isOver(i)) await slices.next();
      // Where TensorFlow begins in each graph there is no op.
      if (!known.has(device) || name.startsWith('_SOURCE')) own.push(undefined);
      else {
        const isMain = labels.has(key(device, name, op, inputs));
        const isLikeMain = ops.has(key(device, name, op, []));
        own.push({ device, name, op, inputs, isMain, isLikeMain });
      }
    }
    for (let at = 0, i = 0; at < events.length; at += EVENT_SIZE, i++) {
      if (slices.isOver(i)) await slices.next();
      const kernel = own[events[at + EVENT.kernel]!];
      if (kernel === undefined) {
        const { op, name } = kernels[events[at + EVENT.kernel]!]!;
        const took = events[at + EVENT.end]! - events[at + EVENT.start]!;
        if (op === REQUEST) this.#addRequest(name, took, bytesOf(recorded, i));
        continue;
      }
      const bytes = new Map<number, number>();
      forEachOutput(recorded, i, (slot, _, size) => bytes.set(slot, size));
      this.all.push({
        kernel,
        start: events[at + EVENT.start]!,
        end: events[at + EVENT.end]!,
        bytes,
        index: i,
      });
    }
    this.all.sort((a, b) => a.start - b.start || b.end - a.end);
    this.isCut = this.all.length >= MOST_EVENTS - 2 * known.size;
  }

  #addRequest(key: string, ns: number, bytes: number): void {
    const before = this.requests.get(key) ?? { ns: 0, bytes: 0 };
    this.requests.set(key, { ns: before.ns + ns, bytes: before.bytes + bytes });
  }
}

function bytesOf(recorded: Recorded, event: number): number {
  let bytes = 0;
  forEachOutput(recorded, event, (_, __, size) => {
    bytes += size;
  });
  return bytes;
}

/** Labels are not up to date on what a node only waits for. */
function key(device: string, name: string, op: string, inputs: readonly string[]): string {
  return [device, name, op, ...inputs.filter((input) => !input.startsWith('^'))].join('\n');
}

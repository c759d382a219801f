/** The chain of kernels that a run's time went into, found backwards from what ended last. */
import { leading } from '../bisect.js';
import type { RunEvent, RunEvents } from '../placement/report/events.js';
import type { Ran } from '../placement/report/ran.js';
import { Slices } from '../placement/slices.js';
import type { RunGraph, RunNode } from './run-graph.js';

/** A kernel of the path. */
export interface PathStep {
  /** The op of the model; of TensorFlow's own graph where the model has none. */
  readonly op: string;
  readonly function: string;
  readonly type: string;
  /** The type of the kernel: `_FusedConv2D`, which bears the name of the last op in it. */
  readonly kernel: string;
  /** By its full name. */
  readonly device: string;
  /** Microseconds from the run's first kernel. */
  readonly startUs: number;
  readonly durationUs: number;
  /** From the end of the step before to the start of this one. */
  readonly waitUs: number;
  /** Whether the step before ran on another device, so that the wait is that of a transfer. */
  readonly isTransfer: boolean;
}

export interface CriticalPath {
  /** From the start of the first recorded kernel to the end of the last, in microseconds. */
  readonly durationUs: number;
  /** Of it: kernels of the path at work. */
  readonly computeUs: number;
  /** Of it: between two kernels of the path on different devices. */
  readonly transferUs: number;
  /** The rest: kernels that were ready, or that nothing recorded held up, and had not begun. */
  readonly waitUs: number;
  readonly steps: readonly PathStep[];
}

/** Longest path that is followed: loops have long ones. */
const MOST_STEPS = 100_000;
/** Of the calls that had begun, the last so many may be under way. */
const MOST_CALLS = 256;
/** Nodes without a record of their own that are looked through. */
const MOST_SKIPPED = 64;

/** @param calls Events that last as long as what they call. */
export async function criticalPath(
  run: RunGraph,
  events: RunEvents,
  ran: Ran,
  calls: ReadonlySet<RunEvent>,
): Promise<CriticalPath> {
  const path = await new Backwards(run, events, calls).walk(new Slices());
  const first = events.all[0]?.start ?? 0;
  const last = path.at(-1)?.end ?? first;
  let computeNs = 0;
  let transferNs = 0;
  let before: RunEvent | undefined;
  const steps = path.map((event): PathStep => {
    const { node, root } = ran.at(event) ?? {};
    const from = before?.end ?? first;
    const isTransfer = before !== undefined && before.kernel.device !== event.kernel.device;
    // A kernel may begin before the record of what it took is closed.
    const wait = Math.max(0, event.start - from);
    const duration = Math.max(0, event.end - Math.max(event.start, from));
    computeNs += duration;
    if (isTransfer) transferNs += wait;
    before = event;
    return {
      op: node?.name ?? event.kernel.name,
      function: node?.function ?? root ?? '',
      type: node?.type ?? event.kernel.op,
      kernel: event.kernel.op,
      device: event.kernel.device,
      startUs: (event.start - first) / 1000,
      durationUs: duration / 1000,
      waitUs: wait / 1000,
      isTransfer,
    };
  });
  const durationNs = last - first;
  return {
    durationUs: durationNs / 1000,
    computeUs: computeNs / 1000,
    transferUs: transferNs / 1000,
    waitUs: Math.max(0, durationNs - computeNs - transferNs) / 1000,
    steps,
  };
}

class Backwards {
  readonly #run: RunGraph;
  readonly #calls: ReadonlySet<RunEvent>;
  /** All but calls, in the order of their end. */
  readonly #byEnd: readonly RunEvent[];
  readonly #callsByStart: readonly RunEvent[];

  constructor(run: RunGraph, events: RunEvents, calls: ReadonlySet<RunEvent>) {
    this.#run = run;
    this.#calls = calls;
    this.#byEnd = events.all.filter((event) => !calls.has(event)).sort((a, b) => a.end - b.end);
    this.#callsByStart = [...calls];
  }

  async walk(slices: Slices): Promise<RunEvent[]> {
    const path: RunEvent[] = [];
    const seen = new Set<RunEvent>();
    for (let at = this.#byEnd.at(-1); at !== undefined && path.length < MOST_STEPS; at = this.#before(at)) {
      if (seen.has(at)) break;
      if (slices.isOver(path.length)) await slices.next();
      seen.add(at);
      path.push(at);
    }
    return path.reverse();
  }

  /** What it waited for longest; at the beginning of a function, what its call waited for. */
  #before(event: RunEvent): RunEvent | undefined {
    for (let of: RunEvent | undefined = event; of !== undefined; of = this.#callAround(of)) {
      const node = this.#run.of(of);
      const found = node === undefined ? undefined : this.#latest(node, of.start);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #latest(node: RunNode, time: number): RunEvent | undefined {
    let best: RunEvent | undefined;
    const seen = new Set<RunNode>([node]);
    const open = [...node.inputs];
    for (
      let next = open.pop();
      next !== undefined && seen.size < MOST_SKIPPED + node.inputs.length;
      next = open.pop()
    ) {
      const source = next.node;
      if (seen.has(source)) continue;
      seen.add(source);
      if (source.events.length === 0) open.push(...source.inputs);
      let event = source.lastBefore(time);
      if (event !== undefined && this.#calls.has(event)) event = this.#lastWithin(event, time) ?? event;
      if (event !== undefined && (best === undefined || event.end > best.end)) best = event;
    }
    return best;
  }

  /** The last of what a call ran. */
  #lastWithin(call: RunEvent, time: number): RunEvent | undefined {
    const end = Math.min(call.end, time);
    const count = leading(this.#byEnd, (event) => event.end <= end);
    for (let i = count - 1; i >= 0 && i >= count - MOST_SKIPPED; i--) {
      const event = this.#byEnd[i]!;
      if (event.start >= call.start && !event.kernel.isMain) return event;
    }
    return undefined;
  }

  /** The innermost call that was under way. */
  #callAround({ start, end, kernel }: RunEvent): RunEvent | undefined {
    if (kernel.isMain) return undefined;
    const calls = this.#callsByStart;
    const count = leading(calls, (call) => call.start <= start);
    for (let i = count - 1; i >= 0 && i >= count - MOST_CALLS; i--) {
      const call = calls[i]!;
      if (call.end >= end && call.end - call.start > end - start) return call;
    }
    return undefined;
  }
}

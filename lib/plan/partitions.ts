/** Each device's part of a run: what it did, what came in and went out, and what it stood waiting for. */
import { groupBy } from '../group.js';
import type { RunEvent, RunEvents } from '../placement/report/events.js';
import type { PlacedOp } from '../placement/report/placed-op.js';
import type { Ran } from '../placement/report/ran.js';
import type { Transfer } from '../placement/report/transfers.js';
import { Slices } from '../placement/slices.js';
import type { RunGraph } from './run-graph.js';

/** What crosses to or from another device in each run. */
export interface Flow {
  /** The other device, by its full name. */
  readonly device: string;
  readonly tensors: number;
  readonly bytes: number;
}

/** What a device waits for from another one. */
export interface Waiting {
  readonly device: string;
  /** Runs of kernels for which what came from there was the last to arrive. */
  readonly kernels: number;
  /** From the end of what they took to their start, added up, in microseconds. Several may wait at once. */
  readonly waitUs: number;
}

/** An op, and how long it was at work. */
export interface OpTime {
  readonly op: string;
  readonly function: string;
  readonly type: string;
  /** The type of the kernel: `_FusedConv2D`, which bears the name of the last op in it. */
  readonly kernel: string;
  readonly runs: number;
  readonly us: number;
}

export interface Partition {
  /** By its full name. */
  readonly device: string;
  /** Ops of the model that ran here. */
  readonly ops: number;
  /** Runs of kernels, TensorFlow's own included. */
  readonly kernels: number;
  /** Microseconds in which at least one kernel was at work. */
  readonly busyUs: number;
  readonly in: readonly Flow[];
  readonly out: readonly Flow[];
  readonly waitsFor: readonly Waiting[];
  /** The longest at work, at most ten. */
  readonly slowest: readonly OpTime[];
}

const MOST_SLOWEST = 10;

/** In the order of the devices. `calls`, which last as long as what they call, are left out of the times. */
export async function partitions(
  devices: readonly { name: string }[],
  ops: readonly PlacedOp[],
  transfers: readonly Transfer[],
  events: RunEvents,
  ran: Ran,
  run: RunGraph,
  calls: ReadonlySet<RunEvent>,
): Promise<Partition[]> {
  const byDevice = groupBy(events.all, ({ kernel }) => kernel.device);
  const opsOn = groupBy(ops, ({ actual }) => actual);
  const slices = new Slices();
  const found: Partition[] = [];
  for (const { name: device } of devices) {
    const all = byDevice.get(device) ?? [];
    const own = opsOn.get(device)?.length ?? 0;
    if (all.length === 0 && own === 0) continue;
    const working = all.filter((event) => !calls.has(event));
    found.push({
      device,
      ops: own,
      kernels: all.length,
      busyUs: unionOf(working) / 1000,
      in: flows(
        transfers.filter(({ to }) => to === device),
        ({ from }) => from,
      ),
      out: flows(
        transfers.filter(({ from }) => from === device),
        ({ to }) => to,
      ),
      waitsFor: await waits(working, run, slices),
      slowest: slowest(working, ran),
    });
  }
  return found;
}

function flows(transfers: readonly Transfer[], other: (transfer: Transfer) => string): Flow[] {
  return [...groupBy(transfers, other)]
    .map(([device, all]) => ({
      device,
      tensors: all.length,
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    }))
    .sort((a, b) => b.bytes - a.bytes);
}

/** Nanoseconds that are covered by at least one event; they come in the order of their start. */
function unionOf(events: readonly RunEvent[]): number {
  let covered = 0;
  let until = -Infinity;
  for (const { start, end } of events) {
    if (end <= until) continue;
    covered += end - Math.max(start, until);
    until = end;
  }
  return covered;
}

async function waits(events: readonly RunEvent[], run: RunGraph, slices: Slices): Promise<Waiting[]> {
  const found = new Map<string, { device: string; kernels: number; waitUs: number }>();
  for (const [i, event] of events.entries()) {
    if (slices.isOver(i)) await slices.next();
    let latest: RunEvent | undefined;
    for (const { node } of run.of(event)?.inputs ?? []) {
      const source = node.lastBefore(event.start);
      if (source !== undefined && (latest === undefined || source.end > latest.end)) latest = source;
    }
    if (latest === undefined || latest.kernel.device === event.kernel.device) continue;
    const { device } = latest.kernel;
    const waiting = found.get(device) ?? { device, kernels: 0, waitUs: 0 };
    waiting.kernels++;
    waiting.waitUs += Math.max(0, event.start - latest.end) / 1000;
    found.set(device, waiting);
  }
  return [...found.values()].sort((a, b) => b.waitUs - a.waitUs);
}

function slowest(events: readonly RunEvent[], ran: Ran): OpTime[] {
  const byOp = groupBy(events, (event) => ran.at(event)?.node ?? event.kernel.name);
  const times = [...byOp].map(([of, all]): OpTime => {
    const us = all.reduce((sum, { start, end }) => sum + end - start, 0) / 1000;
    const kernel = all[0]!.kernel.op;
    const {
      name,
      function: scope,
      type,
    } = typeof of === 'string' ? { name: of, function: '', type: kernel } : of;
    return { op: name, function: scope, type, kernel, runs: all.length, us };
  });
  return times.sort((a, b) => b.us - a.us).slice(0, MOST_SLOWEST);
}

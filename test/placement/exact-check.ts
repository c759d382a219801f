/** The checks of `exact` as tests call them. */
import { expect } from 'vitest';
import { checkExact, type ExactCheck } from '../../lib/placement/exact.js';
import type { ModelGraph } from '../../lib/placement/model-graph.js';
import { failure } from '../helpers/failure.js';

export const device = (type: string, index: number) => ({
  name: `/job:localhost/replica:0/task:0/device:${type}:${index}`,
  type,
});
export const CPUS = [0, 1, 2, 3].map((index) => device('CPU', index));

/** The checks, where all kernels are there, and requests are the devices in the graph. */
export function check(graph: ModelGraph, changes: Partial<ExactCheck> = {}): Promise<void> {
  return checkExact({
    graph,
    requested: (i) => graph.nodes[i]!.saved,
    isHousekeeping: () => false,
    devices: CPUS,
    kernels: () => 'yes',
    ignoreColocation: false,
    ...changes,
  });
}

/** What is wrong with a graph, a line each. */
export async function faults(graph: ModelGraph, changes?: Partial<ExactCheck>): Promise<string[]> {
  const { message, code } = await failure(() => check(graph, changes));
  expect(code).toBe('INVALID_ARGUMENT');
  return message.split('\n').slice(1, -1);
}

/** Requests by name; the devices in the graph count as saved. */
export function asking(graph: ModelGraph, devices: Record<string, string>): ExactCheck['requested'] {
  return (i) => devices[graph.nodes[i]!.name] ?? '';
}

/** The execution plan for people: each device's part, what the time went into, and what to change. */
import { counted, formatBytes, formatUs } from '../../format.js';
import { shortDevice } from '../../placement/device.js';
import type { Flow, Waiting } from '../../plan/partitions.js';
import type { ExecutionPlan } from '../../plan/plan.js';
import { table } from '../output/text.js';

/** Steps of the path that are listed: those that took longest. */
const MOST_STEPS = 5;

export function planText(plan: ExecutionPlan): string[] {
  const sections = [partitionLines(plan), pathLines(plan), lintLines(plan)];
  return sections
    .filter((lines) => lines.length > 0)
    .flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

function partitionLines({ partitions }: ExecutionPlan): string[] {
  if (partitions.length === 0) return [];
  const rows = partitions.map(({ device, ops, kernels, busyUs, in: into, out, waitsFor }) => [
    shortDevice(device),
    ops,
    kernels,
    formatUs(busyUs),
    flowText(into),
    flowText(out),
    waitText(waitsFor),
  ]);
  return [
    'Partitions',
    ...table([['device', 'ops', 'kernels', 'at work', 'comes in', 'goes out', 'waits for'], ...rows], '  '),
  ];
}

function flowText(flows: readonly Flow[]): string {
  return flows
    .map(({ device, tensors, bytes }) => `${shortDevice(device)} ${formatBytes(bytes)} (${tensors})`)
    .join(', ');
}

function waitText(waits: readonly Waiting[]): string {
  return waits.map(({ device, waitUs }) => `${shortDevice(device)} ${formatUs(waitUs)}`).join(', ');
}

function pathLines({ criticalPath }: ExecutionPlan): string[] {
  const { durationUs, computeUs, transferUs, waitUs, steps } = criticalPath;
  if (steps.length === 0) return [];
  const share = (us: number) => `${((100 * us) / Math.max(durationUs, Number.MIN_VALUE)).toFixed(0)} %`;
  const longest = [...steps]
    .sort((a, b) => b.durationUs + b.waitUs - a.durationUs - a.waitUs)
    .slice(0, MOST_STEPS);
  const rows = longest.map(({ op, kernel, device, durationUs: own, waitUs: wait, isTransfer }) => [
    op,
    kernel,
    shortDevice(device),
    formatUs(own),
    wait === 0 ? '' : `${formatUs(wait)}${isTransfer ? ', a transfer' : ''}`,
  ]);
  return [
    `Critical path (${counted(steps.length, 'kernel')}, ${formatUs(durationUs)}: at work ${share(computeUs)}, in transfers ${share(transferUs)}, waiting ${share(waitUs)})`,
    ...table([['longest', 'kernel', 'device', 'at work', 'waited before'], ...rows], '  '),
  ];
}

function lintLines({ lint }: ExecutionPlan): string[] {
  if (lint.length === 0) return [];
  return [
    `What crosses in vain (${counted(lint.length, 'finding')}; --try measures the first)`,
    ...lint.map(
      ({ message, bytes, predictedBytes }, i) =>
        `  ${i + 1}. ${message} ${formatBytes(bytes)} in every run become ${formatBytes(predictedBytes)}.`,
    ),
  ];
}

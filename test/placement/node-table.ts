/** Graphs as lists of nodes, for tests of rules. */
import { type AssignOptions, assign } from '../../lib/placement/assign.js';
import type { GraphIndex } from '../../lib/placement/graph-index.js';
import { compileRules, type PlacementRule } from '../../lib/placement/rules.js';

export interface Row {
  name: string;
  type?: string;
  function?: string;
  device?: string;
  isHousekeeping?: boolean;
}

/** A graph of these nodes. */
export const table = (rows: readonly Row[]): GraphIndex => ({
  length: rows.length,
  name: (i) => rows[i]!.name,
  type: (i) => rows[i]!.type ?? 'NoOp',
  function: (i) => rows[i]!.function ?? '',
  device: (i) => rows[i]!.device ?? '',
  isHousekeeping: (i) => rows[i]!.isHousekeeping ?? false,
});

export const ENCODER = '__inference_encoder_12';
export const ROWS: readonly Row[] = [
  { name: 'x', type: 'Placeholder' },
  { name: 'tower_1/dense/MatMul', type: 'MatMul', device: '/device:GPU:0' },
  { name: 'tower_1/dense/Relu', type: 'Relu' },
  { name: 'save/restore_all', type: 'NoOp', device: '/device:CPU:0', isHousekeeping: true },
  { name: 'save/Assign', type: 'AssignVariableOp', device: '/device:GPU:0', isHousekeeping: true },
  { name: 'dense/MatMul', type: 'MatMul', function: ENCODER },
  { name: 'Relu', type: 'Relu', function: ENCODER, device: '/job:localhost/replica:0/task:0/device:CPU:0' },
];
export const INDEX = table(ROWS);

export const run = (rules: readonly PlacementRule[], options: Partial<AssignOptions> = {}, index = INDEX) =>
  assign(index, compileRules(rules), { clearDevices: false, ...options });

/** By node the rule that decided. */
export const deciders = async (...args: Parameters<typeof run>) => [...(await run(...args)).rule];

/** The ops of a report by scope, those that ran on one device in one row. */
import { groupBy } from '../../group.js';
import type { PlacedOp } from '../../placement/report/report.js';

/** Ops that make one row. */
export interface ScopeRow {
  /** `dense/…` all below a scope, `dense/*` some that stand right in it, `(all)` a whole function, or one op's name. */
  readonly label: string;
  /** The function, `''` for the main graph; undefined for a row of several. */
  readonly function: string | undefined;
  readonly ops: readonly PlacedOp[];
}

/** A row, and the rows that it may be taken apart into. */
interface Group extends ScopeRow {
  /** With its `/` at the end; undefined where there is nothing below. */
  readonly scope: string | undefined;
  parts?: readonly Group[];
}

/**
 * Rows in the order of the model. Scopes whose ops ran on several devices are taken apart, outer ones first, while
 * there are no more than `most` rows; the rest stay together.
 */
export function scopeRows(ops: readonly PlacedOp[], most = Number.POSITIVE_INFINITY): ScopeRow[] {
  const groups = byFunction(ops);
  let count = groups.length;
  const mixed = groups.filter(isMixed).sort(bySize);
  for (let i = 0; i < mixed.length; i++) {
    const group = mixed[i]!;
    const parts = takeApart(group);
    if (count - 1 + parts.length > most) continue;
    count += parts.length - 1;
    group.parts = parts;
    mixed.push(...parts.filter(isMixed).sort(bySize));
  }
  return groups.flatMap(leaves);
}

function leaves(group: Group): Group[] {
  return group.parts === undefined ? [group] : group.parts.flatMap(leaves);
}

/** Where the ops ran, the most used device first; empty where none did. */
export function devicesOf(ops: readonly PlacedOp[]): [device: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { actual } of ops) if (actual !== null) counts.set(actual, (counts.get(actual) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
}

function isMixed({ ops, scope }: Group): boolean {
  const first = ops.find(({ actual }) => actual !== null)?.actual;
  return scope !== undefined && ops.some(({ actual }) => actual !== null && actual !== first);
}

function bySize(a: Group, b: Group): number {
  return b.ops.length - a.ops.length;
}

/** A function each; those that did not run, of which models carry many, together. */
function byFunction(ops: readonly PlacedOp[]): Group[] {
  const groups: Group[] = [];
  const idle: PlacedOp[] = [];
  let idleFunctions = 0;
  for (const [name, members] of groupBy(ops, (op) => op.function)) {
    if (name !== '' && members.every(({ reason }) => reason === 'not run')) {
      idle.push(...members);
      idleFunctions++;
    } else {
      const label = members.length === 1 ? members[0]!.name : '(all)';
      groups.push({ label, function: name, ops: members, scope: '' });
    }
  }
  if (idleFunctions > 0) {
    const label = idleFunctions === 1 ? '(a function)' : `(${idleFunctions} functions)`;
    groups.push({ label, function: undefined, ops: idle, scope: undefined });
  }
  return groups;
}

/** Into the scopes right below and, by device, the ops that stand right in it. */
function takeApart({ ops, scope = '', function: name }: Group): Group[] {
  const below = (op: PlacedOp) => {
    const end = op.name.indexOf('/', scope.length);
    return end === -1 ? `\0${op.actual}` : op.name.slice(0, end + 1);
  };
  return [...groupBy(ops, below)].map(([key, members]) => {
    const isScope = !key.startsWith('\0');
    const [first] = members;
    const label = members.length === 1 ? first!.name : isScope ? `${key}…` : `${scope}*`;
    return { label, function: name, ops: members, scope: isScope ? key : undefined };
  });
}

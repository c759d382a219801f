/** A placement report for people: what was asked in vain first, then where everything ran, then what it costs. */

import { counted, formatBytes, formatUs } from '../../format.js';
import { shortDevice } from '../../placement/device.js';
import type { PlacedOp, PlacementFacts, Transfer } from '../../placement/report/report.js';
import { table } from '../output/text.js';
import { cutMiddle, fittedTable } from './fit.js';
import { requestsOf } from './requests.js';
import { devicesOf, scopeRows } from './scope-rows.js';

/** How much of a report is shown. */
export interface ReportTextOptions {
  /** Every row, however many. Default: some 40 of each table. */
  all?: boolean | undefined;
  /** Of the terminal, in characters: names are cut to fit it. Default: nothing is cut. */
  width?: number | undefined;
}

const MOST_ROWS = 40;
/** Reasons named in one row. */
const MOST_REASONS = 3;
/** Characters of a terminal's line for a reason, and the share of a wide one. */
const MOST_REASON = 40;
const REASON_SHARE = 0.35;
const MAIN = '(main graph)';

/** The lines that `tf-session place` prints. */
export function reportText(report: PlacementFacts, options: ReportTextOptions = {}): string[] {
  const sections = [
    summary(report),
    notHonoured(report, options),
    byScope(report.ops, options),
    transferLines(report.transfers, options),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

function summary(report: PlacementFacts): string[] {
  const { ops, exact } = report;
  const { honoured, refused, notRun } = requestsOf(report);
  const asked = honoured.length + refused.length + notRun.length;
  const ran = ops.filter(({ actual }) => actual !== null).length;
  const outcome = [`${honoured.length} honoured`, `${refused.length} not`];
  if (notRun.length > 0) outcome.push(`${notRun.length} did not run`);
  return table([
    ['ops', `${ops.length}, of which ${ran} ran${ran > 0 ? `: ${devices(ops, true)}` : ''}`],
    ['requested', asked === 0 ? 'nothing' : `${asked}: ${outcome.join(', ')}`],
    ['exact', exact ? 'yes' : 'no'],
  ]);
}

function notHonoured(report: PlacementFacts, options: ReportTextOptions): string[] {
  const { refused } = requestsOf(report);
  if (refused.length === 0) return [];
  const most = options.all === true ? refused.length : MOST_ROWS;
  const rows = refused
    .slice(0, most)
    .map((op) => [op.name, inFunction(op.function), op.requested, device(op.actual), op.reason]);
  return [
    `Not honoured (${refused.length})`,
    ...fittedTable([['op', 'function', 'requested', 'actual', 'reason'], ...rows], [0, 1, 4], options.width),
    ...rest(refused.length - rows.length, 'op'),
  ];
}

function byScope(ops: readonly PlacedOp[], options: ReportTextOptions): string[] {
  if (ops.length === 0) return [];
  const found = scopeRows(ops, options.all === true ? undefined : MOST_ROWS);
  // The most of the model first to be seen, yet in the order of the model.
  const shown =
    options.all === true || found.length <= MOST_ROWS
      ? found
      : keepLargest(found, MOST_ROWS, ({ ops: members }) => members.length);
  const rows = shown.map((row) => [
    row.label,
    counted(row.ops.length, 'op'),
    devices(row.ops),
    cutReason(reasons(row.ops), options.width),
    row.function === undefined ? '' : inFunction(row.function),
  ]);
  const hidden = found.filter((row) => !shown.includes(row)).reduce((sum, row) => sum + row.ops.length, 0);
  return [
    `By scope (${counted(ops.length, 'op')})`,
    ...fittedTable([['scope', 'ops', 'device', 'reason', 'function'], ...rows], [0, 4], options.width),
    ...rest(hidden, 'op'),
  ];
}

function transferLines(transfers: readonly Transfer[], options: ReportTextOptions): string[] {
  if (transfers.length === 0) return ['Transfers in each run: none'];
  const total = transfers.reduce((sum, { bytes }) => sum + bytes, 0);
  const most = options.all === true ? transfers.length : MOST_ROWS;
  const wired = transfers.filter(({ networkUs }) => networkUs !== undefined);
  const rows = transfers
    .slice(0, most)
    .map(({ tensor, from, to, bytes, variable, networkUs }) => [
      tensor,
      shortDevice(from),
      shortDevice(to),
      formatBytes(bytes),
      ...(wired.length === 0 ? [] : [networkUs === undefined ? '' : formatUs(networkUs)]),
      variable ?? '',
    ]);
  const titles = ['tensor', 'from', 'to', 'bytes', ...(wired.length === 0 ? [] : ['network']), 'variable'];
  const between =
    wired.length === 0
      ? ''
      : `; between tasks ${wired.length}, ${formatBytes(wired.reduce((sum, { bytes }) => sum + bytes, 0))}`;
  return [
    `Transfers in each run (${transfers.length}, ${formatBytes(total)}${between})`,
    ...fittedTable([titles, ...rows], [0, titles.length - 1], options.width),
    ...rest(transfers.length - rows.length, 'transfer'),
  ];
}

function rest(count: number, noun: string): string[] {
  return count > 0 ? [`  … and ${counted(count, `more ${noun}`)} (--all lists them)`] : [];
}

function keepLargest<T>(rows: readonly T[], most: number, size: (row: T) => number): T[] {
  const kept = new Set([...rows].sort((a, b) => size(b) - size(a)).slice(0, most));
  return rows.filter((row) => kept.has(row));
}

function inFunction(name: string): string {
  return name === '' ? MAIN : name;
}

function device(actual: string | null): string {
  return actual === null ? '-' : shortDevice(actual);
}

/** `/CPU:0`, or `/CPU:0 ×3, /CPU:1 ×2`; `-` where nothing ran. */
function devices(ops: readonly PlacedOp[], isAlwaysCounted = false): string {
  const found = devicesOf(ops);
  if (found.length === 0) return '-';
  if (found.length === 1 && !isAlwaysCounted) return device(found[0]![0]);
  return found.map(([name, count]) => `${device(name)} ×${count}`).join(', ');
}

/** Counts are worth more of the line than names are, but a reason may hold a name, too. */
function cutReason(text: string, width: number | undefined): string {
  return width === undefined
    ? text
    : cutMiddle(text, Math.max(MOST_REASON, Math.floor(width * REASON_SHARE)));
}

/** The one reason of all; else each with how many it holds for, without the names in it. */
function reasons(ops: readonly PlacedOp[]): string {
  const [first] = ops;
  if (ops.every(({ reason }) => reason === first!.reason)) return first!.reason;
  const counts = new Map<string, number>();
  for (const { reason } of ops) {
    const kind = reason.replace(/^(colocated with|resource of|fused into) .*/s, '$1 …');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
  if (sorted.length === 1) return sorted[0]![0];
  const shown = sorted.slice(0, MOST_REASONS).map(([kind, count]) => `${kind} ×${count}`);
  return sorted.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ');
}

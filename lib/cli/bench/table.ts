/** What was measured, as a table for people. */
import type { Outcome } from '../../bench/compare.js';
import { formatUs, perSecond } from '../../format.js';
import { table } from '../output/text.js';

export type BenchRow = {
  device: string;
  batch: number;
  concurrency: number;
  /** The file, where several were given. */
  rules?: string | undefined;
  /** The same. */
  library?: string | undefined;
} & Outcome;

const TITLES = [
  'device',
  'batch',
  'in flight',
  'median',
  'p99',
  'of rounds',
  'rows/s',
  'load',
  'first run',
  'memory',
  'cores',
];

export function benchTable(rows: readonly BenchRow[]): string[] {
  const cells = rows.map(({ batch, concurrency, result, ...named }) => [
    labelOf(named),
    batch,
    concurrency,
    ...(result === undefined
      ? ['failed']
      : [
          formatUs(result.medianUs),
          formatUs(result.p99Us),
          `${formatUs(result.spreadUs[0])} to ${formatUs(result.spreadUs[1])}`,
          perSecond(result.perSecond),
          formatUs(result.loadMs * 1000),
          formatUs(result.firstRunUs),
          `${Math.round(result.peakMemoryBytes / 2 ** 20)} MB`,
          result.cpuPerWall.toFixed(1),
        ]),
  ]);
  const failures = rows.flatMap(({ batch, concurrency, error, ...named }) =>
    error === undefined
      ? []
      : [`${labelOf(named)}, batch ${batch}, ${concurrency} in flight: ${error.message}`],
  );
  return [...table([TITLES, ...cells]), ...(failures.length === 0 ? [] : ['', ...failures])];
}

/** What tells rows apart besides batch and number of runs in flight. */
export function labelOf({ device, rules, library }: Pick<BenchRow, 'device' | 'rules' | 'library'>): string {
  return [device === '' ? 'as placed' : device, rules, library]
    .filter((text) => text !== undefined)
    .join(', ');
}

/** What was measured, as a page is told it. */
import type { BenchData } from '../../page/data.js';
import { type BenchRow, labelOf } from './table.js';

export function benchData(rows: readonly BenchRow[]): BenchData {
  return {
    results: rows.map(({ batch, concurrency, result, error, ...named }) => {
      const row = { label: labelOf(named), batch, concurrency };
      return result === undefined ? { ...row, error: error!.message } : { ...row, ...measured(result) };
    }),
  };
}

function measured(result: NonNullable<BenchRow['result']>) {
  const [least, most] = result.spreadUs;
  return { ...result, spreadUs: [least, most] as [number, number] };
}

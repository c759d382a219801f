/** Tables that fit a terminal: long names lose their middle, numbers and short columns nothing. */
import { printable, table } from '../output/text.js';

/** Names are not cut below this: a cut name must still tell which it is. */
const LEAST = 16;
const GAP = 2;

type Row = readonly (string | number)[];

/** At most `most` characters. The end says which op it is, the beginning which part of the model. */
export function cutMiddle(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.floor((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}

/** As `table`; with a width, the columns `names` share what the others leave of it. */
export function fittedTable(
  rows: readonly Row[],
  names: readonly number[],
  width: number | undefined,
  indent = '  ',
): string[] {
  if (width === undefined || rows.length === 0) return table(rows, indent);
  // Escapes are longer than what they stand for.
  const safe = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? printable(cell) : cell)));
  const columns = Math.max(...safe.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...safe.map((row) => String(row[i] ?? '').length)),
  );
  const fixed = widths.filter((_, i) => !names.includes(i)).reduce((sum, each) => sum + each, 0);
  let left = width - indent.length - GAP * (columns - 1) - fixed;
  // The narrow ones first: what they do not need goes to the others.
  const byWidth = names.filter((i) => i < columns).sort((a, b) => widths[a]! - widths[b]!);
  byWidth.forEach((column, i) => {
    const share = Math.floor(left / (byWidth.length - i));
    widths[column] = Math.min(widths[column]!, Math.max(share, LEAST));
    left -= widths[column]!;
  });
  const cut = safe.map((row) =>
    row.map((cell, i) =>
      typeof cell === 'string' && names.includes(i) ? cutMiddle(cell, widths[i]!) : cell,
    ),
  );
  return table(cut, indent);
}

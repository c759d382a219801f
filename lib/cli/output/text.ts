/** Text for people: what is printed of a model's own names, numbers and tables. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Control characters as escapes: a model's names must not steer the terminal. Line feeds stay. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** At most `most` characters, the rest as `…`. */
export function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Rows in columns, two spaces apart; numbers to the right. Line feeds within a cell become escapes. */
export function table(rows: readonly (readonly (string | number)[])[], indent = ''): string[] {
  const cells = rows.map((row) => row.map((cell) => printable(String(cell)).replaceAll('\n', '\\n')));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...cells.map((row) => row[i]?.length ?? 0)),
  );
  return cells.map((row, r) => {
    const padded = row.map((cell, i) => {
      const width = widths[i]!;
      return typeof rows[r]![i] === 'number' ? cell.padStart(width) : cell.padEnd(width);
    });
    return (indent + padded.join('  ')).trimEnd();
  });
}

/** `[-1, 8]`, `scalar`, `any rank`. */
export function formatShape(shape: readonly number[] | null): string {
  if (shape === null) return 'any rank';
  return shape.length === 0 ? 'scalar' : `[${shape.join(', ')}]`;
}

/** `[serve, gpu]` */
export function formatTags(tags: readonly string[]): string {
  return `[${tags.join(', ')}]`;
}

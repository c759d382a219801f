/** What was measured, as one HTML page without anything from elsewhere. */
import { type BenchRow, deviceText, micros, perSecond } from './table.js';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --bar: #2a6fb0; --tail: #9dc3e6; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; } svg text { fill: currentColor; font-size: 12px; }`;

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function benchPage(directory: string, rows: readonly BenchRow[]): string {
  const measured = rows.flatMap((row) => (row.result === undefined ? [] : [{ ...row, result: row.result }]));
  const label = ({ device, batch, concurrency }: BenchRow) =>
    `${deviceText(device)}, batch ${batch}, ${concurrency} in flight`;
  const bars = (
    title: string,
    value: (row: (typeof measured)[number]) => [number, number],
    text: (row: (typeof measured)[number]) => string,
  ) =>
    chart(
      title,
      measured.map((row) => ({ label: label(row), values: value(row), text: text(row) })),
    );
  const cells = rows.map((row) => {
    const { result, error } = row;
    const values =
      result === undefined
        ? `<td colspan="5">${escapeHtml(error!.message)}</td>`
        : [
            micros(result.medianUs),
            micros(result.p99Us),
            perSecond(result.perSecond),
            micros(result.loadMs * 1000),
            `${Math.round(result.peakMemoryBytes / 2 ** 20)} MB`,
          ]
            .map((cell) => `<td>${cell}</td>`)
            .join('');
    return `<tr><td>${escapeHtml(label(row))}</td>${values}</tr>`;
  });
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(directory)}: measured</title><style>${STYLE}</style>
<h1>${escapeHtml(directory)}</h1>
${bars(
  'Time of a run: median, and p99 behind it',
  ({ result }) => [result.medianUs, result.p99Us],
  ({ result }) => `${micros(result.medianUs)} (p99 ${micros(result.p99Us)})`,
)}
${bars(
  'Rows a second',
  ({ result }) => [result.perSecond, result.perSecond],
  ({ result }) => perSecond(result.perSecond),
)}
<table><tr><th>what</th><th>median</th><th>p99</th><th>rows/s</th><th>load</th><th>memory</th></tr>
${cells.join('\n')}</table></html>
`;
}

interface Bar {
  label: string;
  /** The bar, and a paler one behind it. */
  values: [number, number];
  text: string;
}

const WIDTH = 800;
const NAME = 240;
const ROW = 26;
const TEXT = 170;

function chart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.flatMap(({ values }) => values), Number.MIN_VALUE);
  const width = (value: number) => ((WIDTH - NAME - TEXT) * value) / most;
  const rows = bars.map(({ label, values: [value, tail], text }, i) => {
    const y = i * ROW;
    return (
      `<text x="${NAME - 8}" y="${y + 17}" text-anchor="end">${escapeHtml(label)}</text>` +
      `<rect x="${NAME}" y="${y + 4}" width="${width(tail).toFixed(1)}" height="18" fill="var(--tail)"/>` +
      `<rect x="${NAME}" y="${y + 4}" width="${width(value).toFixed(1)}" height="18" fill="var(--bar)"/>` +
      `<text x="${(NAME + width(tail) + 6).toFixed(1)}" y="${y + 17}">${escapeHtml(text)}</text>`
    );
  });
  return `<h2>${escapeHtml(title)}</h2><svg viewBox="0 0 ${WIDTH} ${bars.length * ROW}" role="img" aria-label="${escapeHtml(title)}">${rows.join('')}</svg>`;
}

// What was measured, and which of the ratios hold.
import { median } from '../measure/figures.mjs';
import { escapeHtml, pageHtml, rowsHtml } from './programs/html.mjs';

function valuesOf(figures, name, figure) {
  return (figures.get(name) ?? []).map((each) => each[figure]).filter((value) => value !== undefined);
}

/** The median over the processes of one figure of a measurement; NaN where there is none. */
export function figureOf(figures, name, figure = 'medianUs') {
  const values = valuesOf(figures, name, figure);
  return values.length === 0 ? Number.NaN : median(values);
}

/** The best of the processes: what a machine that others load as well would have given alone. */
function bestOf(figures, name, figure = 'medianUs') {
  const values = valuesOf(figures, name, figure);
  if (values.length === 0) return Number.NaN;
  return figure === 'perSecond' ? Math.max(...values) : Math.min(...values);
}

/**
 * Each ratio with its value, and whether it holds: undefined where it could not be measured. `best` is the ratio of the
 * best processes.
 */
export function checkRatios(ratios, figures) {
  return ratios.map(({ what, of, to, figure, most, least }) => {
    const ratio = (take) => {
      const sum = to.reduce((total, name) => total + take(figures, name, figure), 0);
      return take(figures, of, figure) / (to.length === 0 ? 1 : sum);
    };
    const value = ratio(figureOf);
    const holds = Number.isNaN(value) ? undefined : most === undefined ? value >= least : value <= most;
    return {
      what,
      value,
      best: ratio(bestOf),
      bound: most === undefined ? `at least ${least}` : `at most ${most}`,
      holds,
    };
  });
}

const two = (ratio) => (Number.isNaN(ratio) ? '-' : ratio.toFixed(2));
const verdict = (holds) => (holds === undefined ? 'not measured' : holds ? 'holds' : 'DOES NOT HOLD');
const time = (us) => (us < 1000 ? `${us.toFixed(1)} us` : `${(us / 1000).toFixed(2)} ms`);

function measured(figures) {
  return [...figures].flatMap(([name, runs]) => {
    if (runs.length === 0) return [];
    const own = runs.map(({ medianUs }) => medianUs);
    const cores = figureOf(figures, name, 'cpuPerWall');
    return [
      [
        name,
        time(median(own)),
        `${time(Math.min(...own))} to ${time(Math.max(...own))}`,
        Number.isNaN(cores) ? '' : cores.toFixed(1),
      ],
    ];
  });
}

function columns(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The programs side by side, a row for each model. */
function sideBySide(figures, beside) {
  const programs = [...new Set(beside.flatMap((row) => Object.keys(row)))].filter((key) => key !== 'model');
  const cell = (name) => {
    const value = name === undefined ? Number.NaN : figureOf(figures, name);
    return Number.isNaN(value) ? '-' : time(value);
  };
  return [
    ['model', ...programs],
    ...beside.map((row) => [row.model, ...programs.map((program) => cell(row[program]))]),
  ];
}

const ratioCells = ({ what, value, best, bound, holds }) => [
  what,
  two(value),
  two(best),
  bound,
  verdict(holds),
];

export function table(figures, rows, beside, missing) {
  const left = [...missing].map(([name, reason]) => `left out: ${name}: ${reason}`);
  return [
    ...(beside.length > 0 ? [columns(sideBySide(figures, beside)), ''] : []),
    columns([['measured', 'median', 'of processes', 'cores'], ...measured(figures)]),
    '',
    columns([['ratio', 'is', 'of the best', 'should be', ''], ...rows.map(ratioCells)]),
    ...left,
  ].join('\n');
}

export function page(figures, rows, beside, missing) {
  return pageHtml(
    'tf-session, measured',
    `<h1>Ratios</h1><table>${rowsHtml(rows.map(ratioCells))}</table>
<h1>Side by side</h1><table>${rowsHtml(sideBySide(figures, beside))}</table>
<h1>Times</h1><table>${rowsHtml(measured(figures))}</table>
<ul>${[...missing].map(([name, reason]) => `<li>${escapeHtml(`${name}: ${reason}`)}</li>`).join('')}</ul>`,
  );
}

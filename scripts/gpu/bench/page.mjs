// Tables as Markdown, and as one HTML file with bars, which asks the network for nothing.
import { escapeHtml, pageHtml, rowsHtml } from '../../bench/programs/html.mjs';
import { REHEARSAL, sectionsOf } from './tables.mjs';

const TITLE = 'tf-session, CPU against GPU';
const STYLE =
  'body{max-width:75rem}table{font-size:.9rem;font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}.warning{padding:.5rem 1rem;border:2px solid #c60}svg{width:100%;height:auto;font:12px system-ui}svg text{fill:currentColor}svg rect{fill:#4a7fc1}td:last-child{overflow-wrap:anywhere}';

/** A cell of a Markdown table: one line, in which nothing is markup. */
function cell(text) {
  return String(text)
    .replace(/\s+/g, ' ')
    .replace(/[\\|<>`*_[\]]/g, (character) => `\\${character}`);
}

/** @param {object} result What bench.json holds. */
export function summaryOf(result) {
  const sections = sectionsOf(result).filter(({ isLong }) => !isLong);
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  const parts = sections.map(({ title, note, head, rows }) =>
    [
      `### ${title}`,
      ...(note === undefined ? [] : ['', note]),
      '',
      line(head),
      `|${' --- |'.repeat(head.length)}`,
      ...rows.map(line),
    ].join('\n'),
  );
  return [`## ${TITLE}`, ...(result.rehearsal ? [`**${REHEARSAL}**`] : []), ...parts].join('\n\n');
}

const ROW = 22;
const LABEL = 260;
const WIDTH = 900;

/** Bars side by side, the longest over the whole width. */
function bars(title, items) {
  const most = Math.max(...items.map(({ value }) => value));
  const each = items.map(({ label, value, text }, i) => {
    const length = most > 0 ? Math.max(1, (value / most) * (WIDTH - LABEL - 80)) : 1;
    const y = i * ROW;
    return `<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${escapeHtml(label)}</text><rect x="${LABEL}" y="${y + 3}" width="${length.toFixed(1)}" height="${ROW - 6}"/><text x="${(LABEL + length + 6).toFixed(1)}" y="${y + 15}">${escapeHtml(text)}</text>`;
  });
  return `<svg role="img" aria-label="${escapeHtml(title)}" viewBox="0 0 ${WIDTH} ${items.length * ROW}">${each.join('\n')}</svg>`;
}

/**
 * @param {object} result
 * @param {{ name: string, file: string }[]} [others] Pages beside this one.
 */
export function pageOf(result, others = []) {
  const sections = sectionsOf(result).map(
    ({ title, note, head, rows, bars: items = [] }) => `<h2>${escapeHtml(title)}</h2>
${note === undefined ? '' : `<p>${escapeHtml(note)}</p>`}
${items.length === 0 ? '' : bars(title, items)}
<div class="scroll"><table>${rowsHtml([head], 'th')}${rowsHtml(rows)}</table></div>`,
  );
  const links = others.map(
    ({ name, file }) => `<li><a href="${escapeHtml(encodeURIComponent(file))}">${escapeHtml(name)}</a></li>`,
  );
  const body = [
    `<h1>${TITLE}</h1>`,
    result.rehearsal ? `<p class="warning"><strong>${REHEARSAL}</strong></p>` : '',
    links.length === 0 ? '' : `<p>By <code>tf-session bench --html</code>:</p><ul>${links.join('')}</ul>`,
    ...sections,
  ];
  return pageHtml(TITLE, body.join('\n'), STYLE);
}

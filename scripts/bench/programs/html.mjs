// The frame of a page of figures: one file that asks the network for nothing.

export function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Rows of cells, escaped. */
export function rowsHtml(rows, tag = 'td') {
  const line = (cells) => cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('');
  return rows.map((cells) => `<tr>${line(cells)}</tr>`).join('\n');
}

/** @param {string} body HTML; what comes from elsewhere is escaped already. */
export function pageHtml(title, body, moreStyle = '') {
  const style = `:root{color-scheme:light dark;font:15px/1.5 system-ui}body{max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{padding:.2rem .5rem;border-bottom:1px solid #8884;text-align:left}${moreStyle}`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title><style>${style}</style>
${body}</html>
`;
}

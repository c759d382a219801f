/** Elements, made without HTML text: what comes from a model is never read as markup. */

type Child = Node | string | undefined;
type Attributes = Record<string, string | number | boolean | undefined>;

function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== undefined) element.append(child);
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

export function svg(tag: string, attributes: Attributes = {}, ...children: readonly Child[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(element, attributes, children);
  return element;
}

/** A table; numbers stand to the right. `most` rows at first, the rest on request. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly (string | number | Node)[])[],
  { caption = '', most = 100 }: { caption?: string; most?: number } = {},
): HTMLElement {
  const body = h('tbody');
  const numeric = titles.map((_, i) => rows.every((row) => typeof row[i] === 'number' || isFigure(row[i])));
  const add = (from: number, to: number) => {
    for (const row of rows.slice(from, to)) {
      const cells = row.map((cell, i) =>
        h('td', { class: numeric[i] ? 'number' : undefined }, typeof cell === 'number' ? String(cell) : cell),
      );
      body.append(h('tr', {}, ...cells));
    }
  };
  add(0, most);
  const head = h(
    'tr',
    {},
    ...titles.map((title, i) => h('th', { scope: 'col', class: numeric[i] ? 'number' : undefined }, title)),
  );
  const made = h(
    'table',
    {},
    caption === '' ? undefined : h('caption', {}, caption),
    h('thead', {}, head),
    body,
  );
  const around = h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption || titles.join(', ') },
    made,
  );
  if (rows.length <= most) return around;
  const more = h('button', { type: 'button', class: 'more' }, `Show the other ${rows.length - most}`);
  more.addEventListener('click', () => {
    add(most, rows.length);
    more.remove();
  });
  return h('div', {}, around, more);
}

/** `12.5 us`, `3 MB`. */
function isFigure(cell: string | number | Node | undefined): boolean {
  return typeof cell === 'string' && /^[\d.]+ ?(B|kB|MB|GB|us|ms|s|%)?$/.test(cell);
}

/** A device as a coloured mark and its name: colour alone tells nobody. */
export function deviceMark(device: number, devices: readonly string[]): HTMLElement {
  return h(
    'span',
    { class: 'device' },
    h('i', { class: `mark d${colour(device)}` }),
    deviceName(device, devices),
  );
}

export function deviceName(device: number, devices: readonly string[]): string {
  return device < 0 ? 'did not run' : (devices[device] ?? '?');
}

/** There are so many colours; further devices begin again. */
export function colour(device: number): string {
  return device < 0 ? 'none' : String(device % 8);
}

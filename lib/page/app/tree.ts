/** The ops by function and scope, folding; each branch shows where its ops ran. Branches are made when they are opened. */
import type { OpData, PlacementData } from '../data.js';
import { colour, deviceMark, deviceName, h } from './dom.js';

/** Ops below a scope, and the scopes in it. */
interface Branch {
  label: string;
  ops: OpData[];
  /** What is cut off the names of its ops. */
  prefix: string;
  /** Of a branch that holds several functions: they. */
  branches?: Branch[];
}

/** Entries of a branch at once; the rest on request. */
const MOST = 200;

export function placementTree(data: PlacementData, devices: readonly string[]): HTMLElement {
  return new Tree(data, devices).element;
}

class Tree {
  readonly element: HTMLElement;
  readonly #data: PlacementData;
  readonly #devices: readonly string[];
  readonly #root = h('ul', { role: 'tree', 'aria-label': 'Ops by function and scope' });
  readonly #count = h('p', { class: 'count', role: 'status' });
  readonly #hidden = new Set<number>();
  #text = '';

  constructor(data: PlacementData, devices: readonly string[]) {
    this.#data = data;
    this.#devices = devices;
    const search = h('input', {
      type: 'search',
      placeholder: 'name, type or reason',
      'aria-label': 'Search ops',
    });
    let timer = 0;
    search.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.#text = search.value.trim().toLowerCase();
        this.#draw();
      }, 120);
    });
    const switches = [-1, ...devices.keys()]
      .filter((device) => data.ops.some((op) => op[3] === device))
      .map((device) => this.#switch(device));
    const legend = h('fieldset', { class: 'legend' }, h('legend', {}, 'Ran on'), ...switches);
    this.element = h(
      'div',
      { class: 'placement' },
      h('div', { class: 'tools' }, search, legend),
      this.#count,
      this.#root,
    );
    this.#root.addEventListener('keydown', (event) => this.#onKey(event));
    this.#root.addEventListener('click', (event) => this.#onClick(event));
    this.#draw();
  }

  #switch(device: number): HTMLElement {
    const box = h('input', { type: 'checkbox', checked: true });
    box.addEventListener('change', () => {
      if (box.checked) this.#hidden.delete(device);
      else this.#hidden.add(device);
      this.#draw();
    });
    const count = this.#data.ops.filter((op) => op[3] === device).length;
    return h('label', {}, box, deviceMark(device, this.#devices), ` ${count}`);
  }

  #draw(): void {
    const { ops, functions, types, reasons } = this.#data;
    const shown = ops.filter((op) => {
      if (this.#hidden.has(op[3])) return false;
      const text = `${op[0]}\n${types[op[2]]}\n${reasons[op[4]]}\n${functions[op[1]]}`;
      return this.#text === '' || text.toLowerCase().includes(this.#text);
    });
    this.#count.textContent = `${shown.length} of ${ops.length} ops`;
    const byFunction = new Map<number, OpData[]>();
    for (const op of shown) {
      const own = byFunction.get(op[1]);
      if (own === undefined) byFunction.set(op[1], [op]);
      else own.push(op);
    }
    const ran = (all: readonly OpData[]) => all.filter((op) => op[3] >= 0).length;
    const all = [...byFunction]
      .map(([number, own]): Branch => ({ label: functions[number] || '(main graph)', ops: own, prefix: '' }))
      .sort((a, b) => ran(b.ops) - ran(a.ops));
    // Models carry many functions that only train them.
    const idle = all.filter((branch) => ran(branch.ops) === 0);
    const branches = idle.length < 3 ? all : [...all.slice(0, all.length - idle.length), together(idle)];
    this.#root.replaceChildren();
    this.#fill(this.#root, branches, 1);
    const [first] = this.#root.children;
    first?.setAttribute('tabindex', '0');
    // What was searched for is not to be looked for once more.
    if (branches.length === 1 || this.#text !== '') {
      for (const item of [...this.#root.children].slice(0, 5)) this.#open(item as HTMLElement);
    }
  }

  readonly #branches = new WeakMap<Element, { branch: Branch; level: number }>();

  #fill(list: HTMLElement, entries: readonly (Branch | OpData)[], level: number, from = 0): void {
    for (const entry of entries.slice(from, from + MOST)) {
      list.append(Array.isArray(entry) ? this.#leaf(entry, level) : this.#item(entry, level));
    }
    const left = entries.length - from - MOST;
    if (left <= 0) return;
    const more = h(
      'button',
      { type: 'button', class: 'more' },
      `Show ${Math.min(left, MOST)} of ${left} more`,
    );
    const item = h('li', { role: 'none' }, more);
    more.addEventListener('click', () => {
      item.remove();
      this.#fill(list, entries, level, from + MOST);
    });
    list.append(item);
  }

  #item(branch: Branch, level: number): HTMLElement {
    const row = h(
      'span',
      { class: 'row' },
      h('b', { class: 'label' }, branch.label),
      h('span', { class: 'total' }, `${branch.ops.length}`),
      this.#bar(branch.ops),
    );
    const item = h(
      'li',
      { role: 'treeitem', 'aria-expanded': 'false', 'aria-level': level, tabindex: -1 },
      row,
    );
    this.#branches.set(item, { branch, level });
    return item;
  }

  /** Shares of the devices. */
  #bar(ops: readonly OpData[]): HTMLElement {
    const counts = new Map<number, number>();
    for (const op of ops) counts.set(op[3], (counts.get(op[3]) ?? 0) + 1);
    const sorted = [...counts].sort(([a], [b]) => a - b);
    const text = sorted.map(([device, count]) => `${deviceName(device, this.#devices)} ${count}`).join(', ');
    const bar = h('span', { class: 'bar', role: 'img', 'aria-label': text, title: text });
    for (const [device, count] of sorted) {
      const part = h('i', { class: `d${colour(device)}` });
      part.style.flexGrow = String(count);
      bar.append(part);
    }
    return bar;
  }

  #leaf(op: OpData, level: number): HTMLElement {
    const [name, , type, actual, reason, requested, saved] = op;
    const { types, reasons } = this.#data;
    const asked = [
      requested === '' ? '' : `asked for ${requested}`,
      saved === '' ? '' : `saved with ${saved}`,
    ].filter((text) => text !== '');
    return h(
      'li',
      { role: 'treeitem', 'aria-level': level, tabindex: -1, class: 'op' },
      h(
        'span',
        { class: 'row' },
        h('span', { class: 'label' }, name),
        h('span', { class: 'type' }, types[type]!),
        deviceMark(actual, this.#devices),
        h('span', { class: 'reason' }, [reasons[reason]!, ...asked].join('; ')),
      ),
    );
  }

  #open(item: HTMLElement): void {
    const found = this.#branches.get(item);
    if (found === undefined || item.getAttribute('aria-expanded') === 'true') return;
    item.setAttribute('aria-expanded', 'true');
    if (item.querySelector(':scope > ul') !== null) return;
    const { branch, level } = found;
    const list = h('ul', { role: 'group' });
    this.#fill(list, branch.branches ?? parts(branch), level + 1);
    item.append(list);
  }

  #close(item: HTMLElement): void {
    if (item.hasAttribute('aria-expanded')) item.setAttribute('aria-expanded', 'false');
  }

  #onClick({ target }: MouseEvent): void {
    const row = (target as Element).closest('.row');
    const item = row?.parentElement;
    if (!item) return;
    this.#focus(item);
    if (item.getAttribute('aria-expanded') === 'true') this.#close(item);
    else this.#open(item);
  }

  /** As trees are moved through everywhere: up and down, right to open, left to close or to the branch around. */
  #onKey(event: KeyboardEvent): void {
    const item = (event.target as Element).closest<HTMLElement>('[role=treeitem]');
    if (item === null || (event.target as Element).closest('button') !== null) return;
    const visible = () =>
      [...this.#root.querySelectorAll<HTMLElement>('[role=treeitem]')].filter(
        (each) => each.offsetParent !== null,
      );
    const step = (by: number) => {
      const all = visible();
      return all[all.indexOf(item) + by];
    };
    const isOpen = item.getAttribute('aria-expanded') === 'true';
    let next: HTMLElement | null | undefined;
    if (event.key === 'ArrowDown') next = step(1);
    else if (event.key === 'ArrowUp') next = step(-1);
    else if (event.key === 'Home') next = visible()[0];
    else if (event.key === 'End') next = visible().at(-1);
    else if (event.key === 'ArrowRight') {
      if (isOpen) next = step(1);
      else this.#open(item);
    } else if (event.key === 'ArrowLeft') {
      if (isOpen) this.#close(item);
      else next = item.parentElement?.closest<HTMLElement>('[role=treeitem]');
    } else if (event.key === 'Enter' || event.key === ' ') {
      if (isOpen) this.#close(item);
      else this.#open(item);
    } else return;
    event.preventDefault();
    if (next) this.#focus(next);
  }

  #focus(item: HTMLElement): void {
    for (const each of this.#root.querySelectorAll('[tabindex="0"]')) each.setAttribute('tabindex', '-1');
    item.setAttribute('tabindex', '0');
    item.focus();
  }
}

function together(branches: Branch[]): Branch {
  const ops = branches.flatMap((branch) => branch.ops);
  return { label: `(${branches.length} functions of which nothing ran)`, ops, prefix: '', branches };
}

/** The scopes right below, then the ops that stand right in it; a scope that holds nothing but another is passed over. */
function parts({ ops, prefix }: Branch): (Branch | OpData)[] {
  const scopes = new Map<string, OpData[]>();
  const own: OpData[] = [];
  for (const op of ops) {
    const end = op[0].indexOf('/', prefix.length);
    if (end === -1) {
      own.push(op);
      continue;
    }
    const scope = op[0].slice(0, end + 1);
    const all = scopes.get(scope);
    if (all === undefined) scopes.set(scope, [op]);
    else all.push(op);
  }
  const branches = [...scopes].map(([scope, all]): Branch | OpData => {
    const [only] = all;
    return all.length === 1 ? only! : { label: scope.slice(prefix.length), ops: all, prefix: scope };
  });
  const only = branches.length === 1 && own.length === 0 ? branches[0]! : undefined;
  if (only !== undefined && !Array.isArray(only)) return parts(only);
  return [...branches, ...own];
}

/** The page's program: reads the data that lies in the page, and makes its sections. */
import type { PageData } from '../data.js';
import { bench } from './bench.js';
import { h, table } from './dom.js';
import { askedAgainstActual, criticalPath, findings, partitions, summary, transfers } from './sections.js';
import { timeline } from './timeline.js';
import { placementTree } from './tree.js';

const data = JSON.parse(document.getElementById('data')!.textContent!) as PageData;
const { devices, placement, plan, about } = data;

const sections: [title: string, make: (() => HTMLElement) | undefined][] = [
  ['Summary', placement && (() => summary(data))],
  ['Measured', data.bench && (() => bench(data.bench!))],
  ['What to change', plan && (() => findings(plan))],
  ['Placement', placement && (() => placementTree(placement, devices))],
  ['Asked and ran', placement && (() => askedAgainstActual(placement, devices))],
  ['Transfers', placement && (() => transfers(placement, devices))],
  ['Devices', plan && (() => partitions(plan, devices))],
  ['Critical path', plan && (() => criticalPath(plan, devices))],
  ['Timeline', data.timeline && (() => timeline(data.timeline!, devices))],
  ['About', about.length > 0 ? () => table(['', ''], about) : undefined],
];

const main = document.querySelector('main')!;
const nav = document.querySelector('nav')!;
for (const [title, make] of sections) {
  if (make === undefined) continue;
  const id = title.toLowerCase().replaceAll(' ', '-');
  nav.append(h('a', { href: `#${id}` }, title));
  main.append(
    h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), make()),
  );
}
document.documentElement.dataset.ready = 'true';

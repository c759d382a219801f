/** What `bench` measured: charts, and the numbers. */
import { formatBytes, formatUs, perSecond } from '../../format.js';
import type { BenchData } from '../data.js';
import { h, svg, table } from './dom.js';

export function bench({ results }: BenchData): HTMLElement {
  const good = results.filter(({ error }) => error === undefined);
  const label = ({ label: name, batch, concurrency }: BenchData['results'][number]) =>
    `${name}, batch ${batch}, ${concurrency} in flight`;
  const rows = results.map((each) =>
    each.error === undefined
      ? [
          label(each),
          formatUs(each.medianUs!),
          formatUs(each.p99Us!),
          `${formatUs(each.spreadUs![0])} to ${formatUs(each.spreadUs![1])}`,
          perSecond(each.perSecond!),
          formatUs(each.loadMs! * 1000),
          formatUs(each.firstRunUs!),
          formatBytes(each.peakMemoryBytes!),
          each.cpuPerWall!.toFixed(1),
          each.runs!,
        ]
      : [label(each), `failed: ${each.error}`, '', '', '', '', '', '', '', ''],
  );
  return h(
    'div',
    {},
    chart(
      'Time of a run: the median, and the 99th percentile behind it',
      good.map((each) => ({
        label: label(each),
        value: each.medianUs!,
        tail: each.p99Us!,
        text: `${formatUs(each.medianUs!)} (99 %: ${formatUs(each.p99Us!)})`,
      })),
    ),
    chart(
      'Rows a second',
      good.map((each) => ({
        label: label(each),
        value: each.perSecond!,
        tail: each.perSecond!,
        text: perSecond(each.perSecond!),
      })),
    ),
    chart(
      'Memory at its peak',
      good.map((each) => ({
        label: label(each),
        value: each.peakMemoryBytes!,
        tail: each.peakMemoryBytes!,
        text: formatBytes(each.peakMemoryBytes!),
      })),
    ),
    table(
      [
        'what',
        'median',
        '99 %',
        'medians of rounds',
        'rows/s',
        'load',
        'first run',
        'memory',
        'cores',
        'runs',
      ],
      rows,
      { caption: 'The numbers' },
    ),
  );
}

interface Bar {
  label: string;
  value: number;
  tail: number;
  text: string;
}

function chart(title: string, bars: readonly Bar[]): HTMLElement {
  const most = Math.max(...bars.map(({ tail, value }) => Math.max(tail, value)), Number.MIN_VALUE);
  const rows = bars.map(({ label, value, tail, text }) =>
    h(
      'li',
      {},
      h('span', { class: 'label' }, label),
      svg(
        'svg',
        { viewBox: '0 0 100 10', class: 'meter', 'aria-hidden': 'true', preserveAspectRatio: 'none' },
        svg('rect', { width: (100 * tail) / most, height: 10, class: 'tail' }),
        svg('rect', { width: (100 * value) / most, height: 10, class: 'd0' }),
      ),
      h('span', { class: 'figure' }, text),
    ),
  );
  return h('figure', {}, h('figcaption', {}, title), h('ul', { class: 'chart' }, ...rows));
}

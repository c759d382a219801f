/** What `npm run bench` makes of what it measured. */
import { describe, expect, it } from 'vitest';
import { MEASUREMENTS, PEERS, RATIOS } from '../../scripts/bench/cases.mjs';
import { checkRatios, page, table } from '../../scripts/bench/report.mjs';

const figures = new Map([
  ['a', [{ medianUs: 10 }, { medianUs: 30 }, { medianUs: 20 }]],
  [
    'b',
    [
      { medianUs: 10, perSecond: 5 },
      { medianUs: 5, perSecond: 7 },
    ],
  ],
  ['none', []],
]);

describe('the ratios', () => {
  it('are of the medians over the processes, and of the best ones', () => {
    const [row] = checkRatios([{ what: 'one', of: 'a', to: ['b'], most: 3 }], figures);
    expect(row).toEqual({ what: 'one', value: 20 / 7.5, best: 2, bound: 'at most 3', holds: true });
  });

  it('may be to a sum, of another figure, and have a least', () => {
    const rows = checkRatios(
      [
        { what: 'sum', of: 'a', to: ['b', 'b'], most: 1 },
        { what: 'figure', figure: 'perSecond', of: 'b', to: [], least: 7 },
        { what: 'nothing', of: 'none', to: ['a'], most: 1 },
      ],
      figures,
    );
    expect(rows.map(({ holds }) => holds)).toEqual([false, false, undefined]);
    expect(rows[1]!.value).toBe(6);
  });

  it('name measurements that there are', () => {
    const names = [
      ...RATIOS.flatMap(({ of, to }) => [of, ...to]),
      ...PEERS.flatMap(({ model: _, ...programs }) => Object.values(programs)),
    ];
    for (const name of names) expect(Object.keys(MEASUREMENTS)).toContain(name);
  });
});

it('the table and the page tell all of it, and what was left out', () => {
  const rows = checkRatios([{ what: 'a <b>', of: 'a', to: ['b'], most: 1 }], figures);
  const beside = [{ model: 'tiny', 'raw C': 'b', ours: 'a' }];
  const left = new Map([['c', 'it has no & compiler']]);
  const text = table(figures, rows, beside, left);
  for (const part of ['tiny', '20.0 us', '7.5 us', 'DOES NOT HOLD', 'left out: c: it has no & compiler']) {
    expect(text).toContain(part);
  }
  const html = page(figures, rows, beside, left);
  expect(html).toContain('a &#60;b&#62;');
  expect(html).toContain('no &#38; compiler');
});

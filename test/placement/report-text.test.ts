/** The report for people, from reports made by hand. */
import { describe, expect, it } from 'vitest';
import { cutMiddle } from '../../lib/cli/place/fit.js';
import { reportText } from '../../lib/cli/place/report-text.js';
import { refusalText, requestsOf } from '../../lib/cli/place/requests.js';
import { scopeRows } from '../../lib/cli/place/scope-rows.js';
import type { PlacedOp, PlacementFacts, Transfer } from '../../lib/placement/report/report.js';

const FULL = (short: string) => `/job:localhost/replica:0/task:0/device:${short.slice(1)}`;

/** An op on a device by its short name. */
function op(name: string, on: string | null, rest: Partial<PlacedOp> = {}): PlacedOp {
  const actual = on === null ? null : FULL(on);
  const reason = on === null ? 'not run' : 'default';
  return { name, type: 'Relu', function: '', requested: '', saved: '', actual, reason, ...rest };
}

function report(ops: PlacedOp[], transfers: Transfer[] = [], exact = true): PlacementFacts {
  return { ops, transfers, exact };
}

/** The lines below the one that starts so, up to the next empty one. */
function section(lines: readonly string[], title: string): string[] {
  const start = lines.findIndex((line) => line.startsWith(title));
  expect(start, `${title} in\n${lines.join('\n')}`).toBeGreaterThanOrEqual(0);
  const end = lines.indexOf('', start);
  return lines.slice(start, end === -1 ? undefined : end);
}

/** Rows as cells: columns stand at least two spaces apart. */
const cells = (lines: readonly string[]) => lines.map((line) => line.trim().split(/ {2,}/));

const MIXED = report(
  [
    op('a/MatMul', '/CPU:1', { requested: '/CPU:1', reason: 'as requested' }),
    op('a/Add', '/CPU:0', { requested: '/GPU:0', reason: 'no such device' }),
    op('b/x', '/CPU:0'),
    op('b/y', '/CPU:0', { reason: 'fused into b/x' }),
    op('b/c/z', null, { reason: 'folded' }),
    op('late', null, { requested: '/CPU:1' }),
    op('body', '/CPU:0', { function: 'f', requested: '/cpu:1', reason: 'resource of v' }),
  ],
  [
    { tensor: 'a/MatMul:0', from: FULL('/CPU:1'), to: FULL('/CPU:0'), bytes: 1_536_000, variable: 'v' },
    { tensor: 'b/x:0', from: FULL('/CPU:0'), to: FULL('/CPU:1'), bytes: 12 },
  ],
  false,
);

describe('the text of a report', () => {
  it('is this', () => {
    expect(reportText(MIXED)).toEqual([
      'ops        7, of which 5 ran: /CPU:0 ×4, /CPU:1 ×1',
      'requested  4: 1 honoured, 2 not, 1 did not run',
      'exact      no',
      '',
      'Not honoured (2)',
      '  op     function      requested  actual  reason',
      '  a/Add  (main graph)  /GPU:0     /CPU:0  no such device',
      '  body   f             /cpu:1     /CPU:0  resource of v',
      '',
      'By scope (7 ops)',
      '  scope     ops    device  reason                                  function',
      '  a/MatMul  1 op   /CPU:1  as requested                            (main graph)',
      '  a/Add     1 op   /CPU:0  no such device                          (main graph)',
      '  b/…       3 ops  /CPU:0  default ×1, folded ×1, fused into … ×1  (main graph)',
      '  late      1 op   -       not run                                 (main graph)',
      '  body      1 op   /CPU:0  resource of v                           f',
      '',
      'Transfers in each run (2, 1.54 MB)',
      '  tensor      from    to      bytes    variable',
      '  a/MatMul:0  /CPU:1  /CPU:0  1.54 MB  v',
      '  b/x:0       /CPU:0  /CPU:1  12 B',
    ]);
  });

  it('names nothing that was not honoured where all was', () => {
    const lines = reportText(report([op('a', '/CPU:0', { requested: '/CPU:0', reason: 'as requested' })]));
    expect(lines.slice(0, 3)).toEqual([
      'ops        1, of which 1 ran: /CPU:0 ×1',
      'requested  1: 1 honoured, 0 not',
      'exact      yes',
    ]);
    expect(lines.join('\n')).not.toMatch('Not honoured');
    expect(lines.at(-1)).toBe('Transfers in each run: none');
  });

  it('of a model without ops has its summary', () => {
    expect(reportText(report([]))).toEqual([
      'ops        0, of which 0 ran',
      'requested  nothing',
      'exact      yes',
      '',
      'Transfers in each run: none',
    ]);
  });

  it('shows some 40 rows of each table, and all where that is asked', () => {
    const refused = { requested: '/CPU:3', reason: 'colocated with a' };
    const ops = Array.from({ length: 100 }, (_, i) => op(`s${i}/x`, `/CPU:${i % 2}`, refused));
    const transfers = ops.map(({ name }, i) => ({
      tensor: `${name}:0`,
      from: FULL('/CPU:0'),
      to: FULL('/CPU:1'),
      bytes: 1000 - i,
    }));
    const some = reportText(report(ops, transfers, false));
    expect(section(some, 'Not honoured (100)').at(-1)).toBe('  … and 60 more ops (--all lists them)');
    expect(section(some, 'Not honoured (100)')).toHaveLength(43);
    expect(cells(section(some, 'By scope (100 ops)').slice(2))).toEqual([
      ['(all)', '100 ops', '/CPU:0 ×50, /CPU:1 ×50', 'colocated with a', '(main graph)'],
    ]);
    expect(section(some, 'Transfers').at(-1)).toBe('  … and 60 more transfers (--all lists them)');
    const all = reportText(report(ops, transfers, false), { all: true });
    for (const title of ['Not honoured', 'By scope', 'Transfers']) {
      expect(section(all, title), title).toHaveLength(102);
    }
  });

  it('keeps the largest of very many functions, in the order of the model', () => {
    const ops = Array.from({ length: 60 }, (_, f) =>
      Array.from({ length: f === 59 ? 9 : f === 0 ? 5 : 1 }, (_, i) =>
        op(`x${i}`, '/CPU:0', { function: `f${f}` }),
      ),
    ).flat();
    const lines = section(reportText(report(ops)), 'By scope (72 ops)');
    const functions = cells(lines.slice(2, -1)).map((row) => row.at(-1));
    expect(functions).toHaveLength(40);
    expect([functions[0], functions.at(-1)]).toEqual(['f0', 'f59']);
    expect(lines.at(-1)).toBe('  … and 20 more ops (--all lists them)');
  });
});

describe('rows by scope', () => {
  const rows = (ops: PlacedOp[], most?: number) =>
    scopeRows(ops, most).map(({ label, function: name, ops: members }) => [label, name, members.length]);

  it('keep together what ran on one device, ops that did not run among it', () => {
    const ops = [op('a/b/c', '/CPU:0'), op('a/b/d', null), op('e', '/CPU:0')];
    expect(rows(ops)).toEqual([['(all)', '', 3]]);
  });

  it('take apart only what is mixed', () => {
    const ops = [
      op('net/a/x', '/CPU:0'),
      op('net/a/y', '/CPU:0'),
      op('net/b/x', '/CPU:0'),
      op('net/b/y', '/CPU:1'),
      op('net/b/z', '/CPU:1'),
      op('net/b/c/x', '/CPU:1'),
      op('net/b/c/y', '/CPU:1'),
    ];
    expect(rows(ops)).toEqual([
      ['net/a/…', '', 2],
      ['net/b/x', '', 1],
      ['net/b/*', '', 2],
      ['net/b/c/…', '', 2],
    ]);
  });

  it('tell an op from the scope of its name, and a scope from one that begins alike', () => {
    const ops = [op('d', '/CPU:0'), op('d/x', '/CPU:1'), op('d/y', '/CPU:1'), op('dd/x', '/CPU:2')];
    expect(rows(ops)).toEqual([
      ['d', '', 1],
      ['d/…', '', 2],
      ['dd/x', '', 1],
    ]);
  });

  it('take outer scopes apart first where there is room for some rows only', () => {
    const ops = ['a', 'b', 'c'].flatMap((scope) => [
      op(`${scope}/x`, '/CPU:0'),
      op(`${scope}/y`, '/CPU:1'),
      op(`${scope}/z`, '/CPU:2'),
    ]);
    expect(rows(ops, 2)).toEqual([['(all)', '', 9]]);
    expect(rows(ops, 4)).toEqual([
      ['a/…', '', 3],
      ['b/…', '', 3],
      ['c/…', '', 3],
    ]);
    expect(rows(ops, 5).map(([label]) => label)).toEqual(['a/x', 'a/y', 'a/z', 'b/…', 'c/…']);
  });

  it('hold functions apart, but those that did not run', () => {
    const ops = [
      op('x', '/CPU:0'),
      op('x', null, { function: 'unused' }),
      op('x', '/CPU:0', { function: 'f' }),
      op('x', null, { function: 'unused_too' }),
      op('x', null, { function: 'g', reason: 'folded' }),
    ];
    expect(rows(ops)).toEqual([
      ['x', '', 1],
      ['x', 'f', 1],
      ['x', 'g', 1],
      ['(2 functions)', undefined, 2],
    ]);
  });

  it('of a hundred thousand ops are there at once', () => {
    const ops = Array.from({ length: 100_000 }, (_, i) => op(`a${i % 300}/b${i % 7}/x${i}`, `/CPU:${i % 2}`));
    const start = performance.now();
    expect(rows(ops).reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(100_000);
    expect(scopeRows(ops, 40).length).toBeLessThanOrEqual(40);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('in a terminal', () => {
  const long = `model/${'deep/'.repeat(30)}MatMul`;
  const variable = `model/${'deep/'.repeat(30)}kernel`;
  const wide = report(
    [
      op(long, '/CPU:0', {
        requested: '/GPU:0',
        reason: `colocated with ${variable}`,
        function: `__inference_${'f'.repeat(90)}_1`,
      }),
    ],
    [{ tensor: `${long}:0`, from: FULL('/CPU:0'), to: FULL('/CPU:1'), bytes: 8, variable }],
    false,
  );

  it('lines fit, and names keep both ends', () => {
    for (const width of [100, 160]) {
      const lines = reportText(wide, { width });
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      const [, row] = section(lines, 'Transfers').slice(1);
      expect(row).toMatch(/model\/.*….*MatMul:0 .*model\/.*….*kernel$/);
    }
  });

  it('only names are cut, and none where there is no terminal', () => {
    expect(reportText(wide, { width: 20 }).join('\n')).toMatch(/ \/GPU:0 {5}\/CPU:0 /);
    const lines = reportText(wide).join('\n');
    for (const name of [long, variable, 'f'.repeat(90)]) expect(lines).toContain(name);
    expect(reportText(MIXED, { width: 200 })).toEqual(reportText(MIXED));
    expect(reportText(MIXED, { width: 80 }).join('\n')).toContain('default ×1, folded ×1, fused into … ×1');
  });

  it('names with control characters do not steer it', () => {
    const evil = report([op('a\u001b[2Jb\nc', '/CPU:0', { requested: '/GPU:0' })], [], false);
    for (const width of [undefined, 100]) {
      const lines = reportText(evil, { width });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(lines.some((line) => /[\u001b\n]/.test(line))).toBe(false);
      expect(lines.join('\n')).toContain('a\\x1b[2Jb\\nc');
    }
  });

  it.each([
    ['abcdefghij', 10, 'abcdefghij'],
    ['abcdefghijk', 10, 'abcd…ghijk'],
    ['abcdefghijk', 3, 'a…k'],
  ])('%s in %i characters is %s', (text, most, cut) => {
    expect(cutMiddle(text, most)).toBe(cut);
  });
});

describe('requests', () => {
  it('are sorted by what became of them', () => {
    const { honoured, refused, notRun } = requestsOf(MIXED);
    const names = (ops: readonly PlacedOp[]) => ops.map(({ name }) => name);
    expect([names(honoured), names(refused), names(notRun)]).toEqual([
      ['a/MatMul'],
      ['a/Add', 'body'],
      ['late'],
    ]);
  });

  it('are read as TensorFlow reads devices', () => {
    for (const requested of ['/cpu:1', '/device:CPU:1', '/device:CPU:*', FULL('/CPU:1'), '/task:0']) {
      expect(requestsOf(report([op('a', '/CPU:1', { requested })])).honoured, requested).toHaveLength(1);
    }
  });

  it('that failed are told in a line', () => {
    expect(refusalText(MIXED)).toBe(
      '2 of 3 ops that were asked onto a device and ran, ran elsewhere. The first is a/Add: asked for /GPU:0, ' +
        'ran on /CPU:0 (no such device).',
    );
    const one = report([op('a', '/CPU:0', { requested: '/GPU:0', reason: 'no such device' })], [], false);
    expect(refusalText(one)).toMatch(/^1 of 1 ops .* It is a: /);
  });
});

import { expect, it, vi } from 'vitest';
import { progressReporter } from '../../lib/cli/output/progress.js';

/** What is written while 1000 reports of one step and one of another come in. */
function written(stream: { isTTY?: boolean; columns?: number }): string {
  let text = '';
  const reporter = progressReporter({ ...stream, write: (more) => (text += more) });
  for (let i = 0; i <= 1000; i++) reporter.report({ step: 'Unpacking', done: i * 1e6, total: 1e9 });
  reporter.report({ step: 'Copying', done: 5e6, total: undefined });
  reporter.end();
  return text;
}

it('writes a few plain lines where there is no terminal', () => {
  expect(written({}).split('\n')).toEqual([
    'Unpacking: 0.0 MB of 1000 MB (0%)',
    'Unpacking: 250 MB of 1000 MB (25%)',
    'Unpacking: 500 MB of 1000 MB (50%)',
    'Unpacking: 750 MB of 1000 MB (75%)',
    'Unpacking: 1000 MB of 1000 MB (100%)',
    'Copying: 5.0 MB',
    '',
  ]);
});

it('redraws one line of a terminal, not with every report, and ends it full', () => {
  vi.useFakeTimers();
  const lines = written({ isTTY: true, columns: 0 }).split('\n');
  vi.useRealTimers();
  expect(lines).toHaveLength(3);
  expect(lines[0]?.split('\r')).toHaveLength(3);
  expect(lines[0]?.endsWith(`${'█'.repeat(28)} 100%  1000 MB of 1000 MB\x1b[K`)).toBe(true);
  expect(lines[1]).toContain('5.0 MB');
});

it('keeps within a narrow terminal', () => {
  for (const line of written({ isTTY: true, columns: 30 }).split(/[\r\n]/)) {
    expect(line.replace('\x1b[K', '').length).toBeLessThan(30);
  }
});

it('makes room on a terminal of 80 columns for a long step', () => {
  let text = '';
  const stream = { isTTY: true, columns: 80, write: (more: string) => (text += more) };
  const reporter = progressReporter(stream);
  reporter.report({ step: 'Downloading cuda-runtime (10 of 12)', done: 717e6, total: 717e6 });
  reporter.end();
  expect(text).toContain('100%  717 MB of 717 MB');
});

/** What holds for every page: it opens fast, takes no name for markup, and runs nothing that was not built into it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { PageData } from '../../lib/page/data.js';
import { pageHtml } from '../../lib/page/page.js';
import { page as benchPage } from '../../scripts/bench/report.mjs';
import { CHROMIUM, closeBrowser, openPage } from '../helpers/browser.js';
import { expectQuiet, open, PAGES, pagePath } from './open-written.js';

afterAll(closeBrowser);

describe.runIf(CHROMIUM)('any page', () => {
  it('opens fast with 10,000 ops, 30,000 events and 2,000 transfers', async () => {
    await mkdir(PAGES, { recursive: true });
    const scope = (i: number) => `model/block_${i % 40}/layer_${i % 7}/op_${i}`;
    const ops: NonNullable<PageData['placement']>['ops'] = Array.from({ length: 10_000 }, (_, i) => [
      scope(i),
      i % 5,
      i % 9,
      (i % 4) - (i % 11 === 0 ? 1 : 0),
      i % 3,
      i % 2 ? '/CPU:1' : '',
      '',
    ]);
    const data: PageData = {
      title: 'Large',
      subtitle: '10,000 ops',
      about: [],
      devices: ['/CPU:0', '/CPU:1', '/CPU:2', '/CPU:3'],
      placement: {
        exact: false,
        functions: ['', 'f1', 'f2', 'f3', 'f4'],
        types: Array.from({ length: 9 }, (_, i) => `Type${i}`),
        reasons: ['default', 'as requested', 'folded'],
        ops,
        transfers: Array.from({ length: 2000 }, (_, i) => ({
          tensor: `${scope(i)}:0`,
          from: i % 4,
          to: (i + 1) % 4,
          bytes: 4000 - i,
        })),
      },
      timeline: {
        durationUs: 1e6,
        rows: Array.from({ length: 8 }, (_, i) => ({ device: i % 4, name: 'ops' })),
        names: ops.map(([name]) => name),
        types: ['MatMul'],
        events: Array.from({ length: 30_000 }, (_, i) => [i % 8, i * 30, 25, i % 10_000, 0]).flat(),
        count: 30_000,
        arrows: [],
      },
    };
    await writeFile(pagePath('large.html'), await pageHtml(data));
    const opened = await open('large.html');
    console.log(`10,000 ops: ready after ${opened.readyMs.toFixed(0)} ms`);
    const { page } = opened;
    await page.locator('[role=treeitem] .row').first().click();
    await page.getByLabel('Search ops').fill('op_9999');
    await page.locator('.count', { hasText: /^1 of 10000/ }).waitFor();
    // What is folded away is not made: the page stays small.
    expect(await page.evaluate("document.querySelectorAll('*').length")).toBeLessThan(3000);
    expectQuiet(opened);
  });

  it('takes nothing of a model for markup, and runs nothing that was not built into it', async () => {
    await mkdir(PAGES, { recursive: true });
    const evil =
      '</script><script>document.title="taken"</script><img src=x onerror="document.title=\'taken\'">';
    const html = await pageHtml({
      title: evil,
      subtitle: evil,
      about: [[evil, evil]],
      devices: [evil],
      placement: {
        exact: true,
        functions: [evil],
        types: [evil],
        reasons: [evil],
        ops: [[evil, 0, 0, 0, 0, evil, evil]],
        transfers: [{ tensor: evil, from: 0, to: 0, bytes: 1 }],
      },
    });
    await writeFile(pagePath('evil.html'), html);
    const opened = await open('evil.html');
    expect(await opened.page.title()).toBe(evil);
    expect(await opened.page.locator('img').count()).toBe(0);
    expectQuiet(opened);
    // Even what would come into the page by another way may not run, or be fetched.
    const blocked = await opened.page.evaluate(`(async () => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "taken"';
      document.body.append(script);
      const answer = await fetch('http://127.0.0.1:9/').then(() => 'fetched', (error) => String(error));
      return [document.title === "taken", answer];
    })()`);
    expect(blocked).toEqual([false, expect.stringContaining('Failed to fetch')]);
    expect(opened.troubles.some((each) => /Content Security Policy/.test(each))).toBe(true);
  });

  it('of npm run bench, too, asks for nothing', async () => {
    await mkdir(PAGES, { recursive: true });
    const figures = new Map([['raw', [{ medianUs: 10 }]]]);
    const row = { what: 'a <ratio>', value: 1, best: 1, bound: 'at most 2', holds: true };
    await writeFile(
      pagePath('npm-bench.html'),
      benchPage(figures, [row], [], new Map([['other', 'not <there>']])),
    );
    const opened = await openPage();
    const url = pathToFileURL(pagePath('npm-bench.html')).href;
    await opened.page.goto(url);
    expect(await opened.page.locator('body').innerText()).toMatch(/a <ratio>[\s\S]*other: not <there>/);
    expectQuiet({ url, ...opened });
  });
});

/** Pages that tests write, opened in a browser. */
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import { expect } from 'vitest';
import { openPage } from '../helpers/browser.js';

/** Where they and their screenshots are kept. */
export const PAGES = fileURLToPath(new URL('../../build/screenshots/', import.meta.url));

export const pagePath = (name: string) => join(PAGES, name);

/** Opens a page that was written, and waits until it stands. */
export async function open(name: string, options: BrowserContextOptions = {}) {
  const opened = await openPage({ viewport: { width: 1200, height: 900 }, ...options });
  const url = pathToFileURL(pagePath(name)).href;
  const start = performance.now();
  await opened.page.goto(url);
  await opened.page.waitForSelector('html[data-ready]');
  return { ...opened, url, readyMs: performance.now() - start };
}

/** It has asked nobody for anything, and nothing went wrong in it. */
export function expectQuiet({
  url,
  requests,
  troubles,
}: {
  url: string;
  requests: readonly string[];
  troubles: readonly string[];
}): void {
  expect(requests.filter((each) => each !== url && !each.startsWith('data:'))).toEqual([]);
  expect(troubles).toEqual([]);
}

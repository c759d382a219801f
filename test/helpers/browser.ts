/** A real Chromium, and pages in it that may ask nobody for anything. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { programOnPath } from './program.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** As root it has no sandbox; the rest keeps it from calling home. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The program: what CHROMIUM names, or is on the PATH. */
export const CHROMIUM = programOnPath(NAMES, process.env.CHROMIUM);

if (CHROMIUM === undefined) {
  console.warn(
    'Tests of pages are skipped: there is no Chromium or Chrome. Install one (apt-get install chromium), or name it in CHROMIUM.',
  );
}

let started: Promise<Browser> | undefined;

/** A fresh page, closed after the test. What it asked for, and what went wrong in it, is kept. */
export async function openPage(
  options: BrowserContextOptions = {},
): Promise<{ page: Page; requests: string[]; troubles: string[] }> {
  started ??= chromium.launch({ executablePath: CHROMIUM!, args: ARGS });
  const context = await (await started).newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const requests: string[] = [];
  const troubles: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  return { page, requests, troubles };
}

export async function closeBrowser(): Promise<void> {
  await (await started)?.close();
  started = undefined;
}

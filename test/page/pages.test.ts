/** The pages that commands write, in a real browser: clicked through, by keyboard, on a phone; they ask nobody for anything. */
import { mkdir, writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basicPitch } from '../../scripts/models/basic-pitch.mjs';
import { command, hasLibrary } from '../cli/command.js';
import { CHROMIUM, closeBrowser } from '../helpers/browser.js';
import { fixture } from '../saved-model/models.js';
import { expectQuiet, open, PAGES, pagePath } from './open-written.js';

const RULES = [
  { type: 'Conv2D', device: '/CPU:1' },
  { type: 'Sigmoid', device: '/CPU:2' },
  { type: 'FusedBatchNormV3', device: '/CPU:3' },
];
const PHONE = { viewport: { width: 390, height: 800 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

afterAll(closeBrowser);

/** Nothing stands out to the right: what is wide scrolls by itself. */
const isWithin = (page: Page) => page.evaluate('document.documentElement.scrollWidth <= innerWidth + 1');

describe.runIf(CHROMIUM !== undefined && (await hasLibrary()))('a page of place', () => {
  beforeAll(async () => {
    await mkdir(PAGES, { recursive: true });
    const [rules, config] = [pagePath('rules.json'), pagePath('config.json')];
    await writeFile(rules, JSON.stringify(RULES));
    await writeFile(config, JSON.stringify({ deviceCount: { CPU: 4 } }));
    const args = [
      'place',
      await basicPitch(),
      '--rules',
      rules,
      '--config',
      config,
      '--html',
      pagePath('place.html'),
      '--try',
    ];
    const { status, stderr } = await command(args);
    expect(status, stderr).toBe(0);
  });

  it('shows placement, findings, transfers, devices, path and timeline, and asks for nothing', async () => {
    const opened = await open('place.html');
    const { page } = opened;
    expect(await page.locator('nav a').allInnerTexts()).toEqual([
      'Summary',
      'What to change',
      'Placement',
      'Asked and ran',
      'Transfers',
      'Devices',
      'Critical path',
      'Timeline',
      'About',
    ]);
    expect(await page.locator('#summary').innerText()).toMatch(/of \d{4}[\s\S]*MB[\s\S]*ms[\s\S]*%/);
    expect(await page.locator('#what-to-change li').first().innerText()).toMatch(
      /in every run[\s\S]*Tried: /,
    );
    expect(await page.locator('#asked-and-ran tbody tr').first().innerText()).toMatch(/\/CPU:\d/);
    expect(await page.locator('#devices article').count()).toBe(4);
    expect(await page.locator('#about').innerText()).toMatch(/TensorFlow[\s\S]*Processor/);
    await page.screenshot({ path: pagePath('place.png'), fullPage: true });
    expect(await isWithin(page)).toBe(true);
    expectQuiet(opened);
  });

  it('unfolds down to an op by clicks, and finds one by its name', async () => {
    const opened = await open('place.html');
    const { page } = opened;
    const items = page.locator('[role=treeitem]:visible');
    const before = await items.count();
    await page.locator('[role=treeitem] .row').first().click();
    expect(await page.locator('[role=treeitem]').first().getAttribute('aria-expanded')).toBe('true');
    expect(await items.count()).toBeGreaterThan(before);
    await page.locator('[role=treeitem] .row').first().click();
    expect(await items.count()).toBe(before);
    await page.getByLabel('Search ops').fill('conv2d_1/conv2d');
    await page.locator('.count', { hasText: /^[1-9]\d? of / }).waitFor();
    while ((await page.locator('[role=treeitem][aria-expanded=false]:visible').count()) > 0) {
      await page.locator('[role=treeitem][aria-expanded=false]:visible > .row').first().click();
    }
    const op = page.locator('.op', { hasText: 'model_1/conv2d_1/Conv2D' }).filter({ hasText: '/CPU:1' });
    expect(await op.first().innerText()).toMatch(/Conv2D[\s\S]*\/CPU:1[\s\S]*asked for \/CPU:1/);
    expectQuiet(opened);
  });

  it('hides devices by their switches', async () => {
    const { page } = await open('place.html');
    const count = () => page.locator('.count').innerText();
    const all = await count();
    await page.locator('.legend label', { hasText: 'did not run' }).locator('input').uncheck();
    expect(await count()).not.toBe(all);
    expect(Number.parseInt(await count(), 10)).toBeGreaterThan(300);
  });

  it('goes by keyboard alone', async () => {
    const { page } = await open('place.html');
    await page.locator('[role=treeitem]').first().focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate("document.activeElement.getAttribute('aria-expanded')")).toBe('true');
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate("document.activeElement.getAttribute('aria-level')")).toBe('2');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowLeft');
    expect(await page.evaluate("document.activeElement.getAttribute('aria-level')")).toBe('1');
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    expect(await page.evaluate("document.activeElement === document.querySelector('[role=treeitem]')")).toBe(
      true,
    );
  });

  it('has a timeline that is zoomed, moved, and stepped through', async () => {
    const opened = await open('place.html');
    const { page } = opened;
    const canvas = page.locator('canvas');
    await canvas.scrollIntoViewIfNeeded();
    const picture = () => page.evaluate('document.querySelector("canvas").toDataURL()');
    await expect.poll(async () => String(await picture()).length).toBeGreaterThan(3000);
    const first = await picture();
    await page.getByLabel('Zoom in').click();
    await page.waitForTimeout(100);
    const zoomed = await picture();
    expect(zoomed).not.toBe(first);
    await canvas.focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForTimeout(100);
    expect(await picture()).not.toBe(zoomed);
    for (let i = 0; i < 30; i++) await page.keyboard.press('.');
    expect(await page.locator('.told').innerText()).toMatch(/ on \/CPU:\d: began at .*, took /);
    await page.getByLabel('Show all').click();
    expectQuiet(opened);
  });

  it.each(['light', 'dark'] as const)('is read on a phone, %s', async (colorScheme) => {
    const opened = await open('place.html', { ...PHONE, colorScheme });
    expect(await isWithin(opened.page)).toBe(true);
    await opened.page.locator('[role=treeitem] .row').first().tap();
    expect(await opened.page.locator('[role=treeitem]:visible').count()).toBeGreaterThan(5);
    expect(await isWithin(opened.page)).toBe(true);
    await opened.page.screenshot({ path: pagePath(`place-phone-${colorScheme}.png`) });
    expectQuiet(opened);
  });
});

describe.runIf(CHROMIUM !== undefined && (await hasLibrary()))('a page of bench', () => {
  it('has the charts, the numbers beside them, machine and versions', async () => {
    await mkdir(PAGES, { recursive: true });
    const [config, none, rules] = [pagePath('two.json'), pagePath('as-saved.json'), pagePath('split.json')];
    await writeFile(config, '{ "deviceCount": { "CPU": 2 } }');
    await writeFile(none, '[]');
    await writeFile(rules, '[{ "op": "**MatMul", "device": "/CPU:1" }]');
    const page = pagePath('bench.html');
    const args = [
      'bench',
      fixture('tf2-functions'),
      '--config',
      config,
      '--rules',
      none,
      '--rules',
      rules,
      '--device',
      '/CPU:0',
      '--device',
      '/CPU:9',
    ];
    const { status, stderr } = await command([
      ...args,
      '--batch',
      '1',
      '--batch',
      '32',
      '--rounds',
      '2',
      '--round-ms',
      '30',
      '--html',
      page,
    ]);
    expect(status, stderr).toBe(0);
    const opened = await open('bench.html');
    const text = await opened.page.locator('main').innerText();
    expect(text).toMatch(/\/CPU:0, .*split\.json, batch 32, 1 in flight/);
    expect(text).toMatch(/failed: .*no device "\/CPU:9"/);
    expect(text).toMatch(/TensorFlow\s+\d+\.\d+[\s\S]*Processor/);
    expect(text).toMatch(/as of \/CPU:0, .*as-saved\.json/);
    expect(await opened.page.locator('nav a').allInnerTexts()).toEqual(
      expect.arrayContaining(['Measured', 'Placement', 'Transfers', 'Timeline', 'About']),
    );
    expect(await opened.page.locator('[role=treeitem]').count()).toBeGreaterThan(1);
    expect(await opened.page.locator('figure').count()).toBe(3);
    expect(await opened.page.locator('.chart rect').count()).toBe(3 * 4 * 2);
    await opened.page.screenshot({ path: pagePath('bench.png'), fullPage: true });
    expectQuiet(opened);
    const phone = await open('bench.html', PHONE);
    expect(await isWithin(phone.page)).toBe(true);
  });
});

/** Traces in the viewer behind chrome://tracing: what its importer makes of them. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import type { ChromeTrace } from '../../lib/index.js';
import { traceViewer } from '../../scripts/tools/trace-viewer.mjs';
import { CHROMIUM, closeBrowser, openPage } from '../helpers/browser.js';
import { FOUR, traceBasicPitch } from './basic-pitch.js';

const HOST = 'http://viewer.test/';
const INDEX =
  '<!doctype html><script src="/components.js"></script><link rel="import" href="/viewer.html"><body></body>';

afterAll(closeBrowser);

async function openViewer(): Promise<Page> {
  const { viewer, components } = await traceViewer();
  const files: Record<string, [body: string, contentType: string]> = {
    [HOST]: [INDEX, 'text/html'],
    [`${HOST}components.js`]: [await readFile(components, 'utf8'), 'text/javascript'],
    [`${HOST}viewer.html`]: [await readFile(viewer, 'utf8'), 'text/html'],
  };
  const { page } = await openPage();
  await page.route('**/*', (route) => {
    const file = files[route.request().url()];
    return file === undefined ? route.abort() : route.fulfill({ body: file[0], contentType: file[1] });
  });
  await page.goto(HOST);
  await page.waitForFunction('typeof tr !== "undefined" && tr.importer !== undefined');
  return page;
}

interface Imported {
  /** Spans by process and thread. */
  spans: Record<string, Record<string, number>>;
  /** Arrows whose both ends are bound to a span, of all. */
  bound: number;
  arrows: number;
  warnings: string[];
}

/** Run in the page, where `tr` is the viewer's. */
const IMPORT = `(text) => {
  const model = new tr.Model();
  const options = new tr.importer.ImportOptions();
  options.showImportWarnings = false;
  new tr.importer.Import(model, options).importTraces([text]);
  const spans = {};
  for (const { name, threads } of Object.values(model.processes)) {
    spans[name] = {};
    for (const thread of Object.values(threads)) spans[name][thread.name] = thread.sliceGroup.length;
  }
  return {
    spans,
    bound: model.flowEvents.filter(({ startSlice, endSlice }) => startSlice && endSlice).length,
    arrows: model.flowEvents.length,
    warnings: model.importWarnings.map(({ type, message }) => type + ': ' + message),
  };
}`;

const total = (spans: Record<string, number> = {}) =>
  Object.values(spans).reduce((sum, each) => sum + each, 0);

describe.runIf(CHROMIUM)('the viewer of chrome://tracing', () => {
  it.each([
    ['fused', FOUR],
    ['exact', { ...FOUR, exact: true }],
  ])('takes all of a trace of Basic Pitch, %s, without a warning', async (_, load) => {
    const page = await openViewer();
    const trace = await traceBasicPitch(load);
    const json: ChromeTrace = trace.toChromeTrace();
    const read = (await page.evaluate(`(${IMPORT})(${JSON.stringify(JSON.stringify(json))})`)) as Imported;
    expect(read.warnings).toEqual([]);
    expect(Object.keys(read.spans)).toEqual(['Run', '/CPU:0', '/CPU:1', '/CPU:2', '/CPU:3']);
    for (const [i, device] of trace.devices.entries()) {
      const own = trace.events.filter((event) => event.device === device);
      expect(total(read.spans[`/CPU:${i}`])).toBe(own.length);
    }
    expect(read.arrows).toBe(trace.transfers.length);
    expect(read.bound).toBe(trace.transfers.length);
  });
});

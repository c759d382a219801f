/** A trace in real TensorBoard: what it answers, and what a browser shows of it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trace } from '../../lib/index.js';
import { maskedCrc32c } from '../../lib/records/crc32c.js';
import { startTensorBoard } from '../../scripts/tools/tensorboard.mjs';
import { CHROMIUM, closeBrowser, openPage } from '../helpers/browser.js';
import { traceBasicPitch } from './basic-pitch.js';

const SCREENSHOTS = fileURLToPath(new URL('../../build/screenshots/', import.meta.url));
let board: { url: string; stop(): void };
let trace: Trace;
let folder: string;

beforeAll(async () => {
  trace = await traceBasicPitch();
  folder = await mkdtemp(join(tmpdir(), 'tf-session-test-'));
  await trace.writeTensorBoard(folder, { tag: 'a run' });
  board = await startTensorBoard(folder);
});

afterAll(async () => {
  board?.stop();
  await closeBrowser();
  await rm(folder, { recursive: true, force: true });
});

/** It reads its folder after it has started to listen. */
async function answer(path: string): Promise<string> {
  for (let i = 0; i < 100; i++) {
    const response = await fetch(`${board.url}${path}`);
    if (response.ok) return response.text();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`TensorBoard has no ${path}.`);
}

async function untilRuns(): Promise<
  Record<string, { run_graph: boolean; tags: Record<string, { profile: boolean }> }>
> {
  for (let i = 0; i < 100; i++) {
    const info = JSON.parse(await answer('data/plugin/graphs/info'));
    if (Object.keys(info).length === 2) return info;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('TensorBoard lists no runs.');
}

describe('TensorBoard', () => {
  it('lists both graphs, and the times of the run', async () => {
    const info = await untilRuns();
    expect(Object.keys(info).sort()).toEqual(['executed', 'model']);
    expect(info.executed!.run_graph && info.model!.run_graph).toBe(true);
    expect(info.executed!.tags['a run']!.profile).toBe(true);
  });

  it('has each op on its device in the graph that ran, with its time', async () => {
    await untilRuns();
    const graph = await answer('data/plugin/graphs/graph?run=executed&conceptual=false');
    const nodes = new Map(
      graph
        .split(/^node \{$/m)
        .slice(1)
        .map((text) => [/name: "(.*)"/.exec(text)![1]!, /device: "(.*)"/.exec(text)?.[1]]),
    );
    const own = trace.events.filter(({ kernel }) => !kernel.name.startsWith('_SOURCE'));
    expect(own.filter(({ kernel, device }) => nodes.get(kernel.name) !== device)).toEqual([]);
    const metadata = await answer('data/plugin/graphs/run_metadata?run=executed&tag=a%20run');
    const timed = new Set([...metadata.matchAll(/node_name: "(.*)"/g)].map((found) => found[1]));
    expect(own.filter(({ kernel }) => !timed.has(kernel.name))).toEqual([]);
    expect(metadata.match(/timeline_label/g)).toHaveLength(trace.events.length);
  });

  it("has the model's own ops where they ran, in functions too", async () => {
    await untilRuns();
    const graph = await answer('data/plugin/graphs/graph?run=model&conceptual=false');
    const sigmoid = trace.report.ops.find(({ type, actual }) => type === 'Sigmoid' && actual !== null)!;
    const [, after] = graph.split(`name: "${sigmoid.name}"`);
    expect(after!.slice(0, 300)).toContain(`device: "${sigmoid.actual}"`);
  });

  it.runIf(CHROMIUM)('shows the graph in a browser, coloured by device', async () => {
    await untilRuns();
    const { page } = await openPage({ viewport: { width: 1400, height: 1100 } });
    await page.goto(`${board.url}#graphs&run=executed`);
    await page.getByText('Main Graph').first().waitFor({ timeout: 40_000 });
    await page.getByText('Device', { exact: true }).first().click();
    await page.getByText('unknown device').first().waitFor();
    for (const device of ['0', '1', '2', '3']) {
      expect(await page.getByText(device, { exact: true }).count(), device).toBeGreaterThan(0);
    }
    await mkdir(SCREENSHOTS, { recursive: true });
    const shot = await page.screenshot({ path: join(SCREENSHOTS, 'tensorboard.png') });
    expect(shot.length).toBeGreaterThan(20_000);
    // The run's times, which TensorBoard fetches when they are chosen.
    const times = page.waitForResponse((response) => response.url().includes('run_metadata'));
    await page.locator('tf-dropdown-menu, paper-dropdown-menu').nth(1).click();
    await page.getByText('a run', { exact: true }).first().click();
    expect((await times).ok()).toBe(true);
    await page.getByText('Compute time', { exact: true }).first().click();
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(SCREENSHOTS, 'tensorboard-times.png') });
  });
});

it('checks its records by CRC-32C', async () => {
  // The check value of the polynomial, masked as TensorFlow masks it.
  const crc = 0xe3069283;
  expect(await maskedCrc32c(new TextEncoder().encode('123456789'))).toBe(
    (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0,
  );
});

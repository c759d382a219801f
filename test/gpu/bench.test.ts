/** The benchmark CPU against GPU: what it makes of figures, and one short rehearsal on the CPU. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeConfig } from '../../lib/config.js';
import { sheetOf } from '../../scripts/gpu/bench/cards.mjs';
import { configOf, type Device, MODELS, planOf, VARIANTS } from '../../scripts/gpu/bench/cases.mjs';
import { configBytes } from '../../scripts/gpu/bench/config.mjs';
import { entriesOf, type Measurement, ratios, shares, speedUps } from '../../scripts/gpu/bench/figures.mjs';
import { problemOf, wrongPlace } from '../../scripts/gpu/bench/measure.mjs';
import { pageOf, type Result, summaryOf } from '../../scripts/gpu/bench/page.mjs';
import { lastWords, printed } from '../../scripts/gpu/bench/processes.mjs';
import { startSampler, timeOf } from '../../scripts/gpu/bench/sampler.mjs';
import { CHROMIUM, closeBrowser, openPage } from '../helpers/browser.js';
import { expectQuiet, PAGES, pagePath } from '../page/open-written.js';

afterAll(closeBrowser);

function measured(who: string, device: Device, batch: number, medianUs: number, more = {}): Measurement {
  return { who, model: 'resnet', device, variant: 'saved', batch, medianUs, ...more };
}

const MEASUREMENTS = [
  measured('ours', 'GPU', 1, 2000, { firstUs: 5e6, busy: 50, watts: 200 }),
  measured('ours', 'GPU', 1, 4000, { firstUs: 1e6 }),
  measured('ours', 'GPU', 1, 2200),
  measured('raw', 'GPU', 1, 2000),
  measured('python', 'GPU', 1, 4400),
  measured('ours', 'CPU', 1, 22_000),
  measured('ours', 'GPU', 128, 64_000),
  measured('ours', 'GPU', 128, 32_000, { variant: 'mixed' }),
  measured('ours', 'GPU', 128, 16_000, { variant: 'mixed', inFlight: 4 }),
  measured('raw', 'CPU', 32, 1000),
];
const EVIL = '<img src=x onerror="document.title=\'taken\'">|`*';

const RESULT: Result = {
  rehearsal: false,
  quick: true,
  made: '2026-01-01T00:00:00.000Z',
  tensorflow: '2.21.0',
  library: '/lib/libtensorflow_cc.so.2',
  node: 'v24.0.0',
  python: undefined,
  machine: { cpu: 'a CPU', cores: 16 },
  card: { name: `NVIDIA H200 ${EVIL}`, driver: '570.1' },
  sheet: sheetOf('NVIDIA H200'),
  flops: { resnet: 8e9 },
  matrix: 8192,
  peak: { float16: 640e12 },
  measurements: MEASUREMENTS,
  seen: [
    { what: 'one', kernels: { 'GPU:0': 12, 'CPU:0': 1 }, halves: 3, clusters: 0 },
    { what: 'two', error: 'no trace' },
  ],
  problems: [{ what: EVIL, error: `line 1\nline 2 ${EVIL}`, isExpected: true }],
  leftOut: [{ what: 'ResNet50, CPU, as saved, Python', why: 'Python is not there', isExpected: true }],
  seconds: 100,
};

describe('the figures', () => {
  const entries = entriesOf(MEASUREMENTS);

  it('are medians over the processes', () => {
    expect(entries[0]).toMatchObject({ medianUs: 2200, processes: 3, firstMs: 5000, busy: 50, watts: 200 });
    expect(entries[0]!.rowsPerSecond).toBeCloseTo(1e6 / 2200);
  });

  it('come to speed-ups, where both sides were measured', () => {
    const [one, large] = speedUps(entries);
    expect(one).toMatchObject({ batch: 1, times: 10, bestTimes: 10 });
    expect(large).toMatchObject({ batch: 128, times: undefined, bestTimes: undefined, gpu: 2000 });
    expect(large!.bestGpu).toMatchObject({ variant: 'mixed', rowsPerSecond: 4000 });
  });

  it('come to ratios against C and Python on the same device', () => {
    expect(ratios(entries)).toEqual([
      expect.objectContaining({ batch: 1, device: 'GPU', toRaw: 1.1, toPython: 0.5 }),
      expect.objectContaining({ batch: 32, device: 'CPU', ours: undefined, toRaw: undefined, raw: 1000 }),
    ]);
  });

  it('come to shares of the peak in the same precision, measured and of the data sheet', () => {
    const [saved, mixed] = shares(entries, { resnet: 8e9 }, { float16: 640e12 }, sheetOf('NVIDIA H200'));
    expect(saved).toMatchObject({ batch: 128, precision: 'float32', perSecond: 16e12, ofPeak: undefined });
    expect(saved!.ofSheet).toBeCloseTo(16 / 494.5);
    expect(mixed).toMatchObject({ precision: 'float16', rowsPerSecond: 4000, inFlight: 8000 });
    expect(mixed).toMatchObject({ perSecond: 64e12, ofPeak: 0.1 });
    expect(shares(entries, {}, {}, undefined)).toEqual([]);
  });
});

it('knows data sheets by the names that drivers give, and no others', () => {
  const tflops = (name: string) => (sheetOf(name)?.float16 ?? 0) / 1e12;
  expect(tflops('NVIDIA H100 80GB HBM3')).toBe(989.5);
  expect(tflops('NVIDIA H100 PCIe')).toBe(756.5);
  expect(tflops('NVIDIA A100-SXM4-40GB')).toBe(312);
  expect(tflops('NVIDIA L40S')).toBe(362);
  expect(tflops('NVIDIA L4')).toBe(121);
  expect(tflops('Tesla T4')).toBe(65);
  expect(tflops('Tesla V100-PCIE-16GB')).toBe(112);
  expect(tflops('NVIDIA GeForce RTX 4090')).toBe(165.2);
  for (const name of ['NVIDIA A10G', 'NVIDIA L40', 'NVIDIA GeForce RTX 4090 Laptop GPU', 'NVIDIA T400', '']) {
    expect(sheetOf(name), name).toBeUndefined();
  }
  expect(sheetOf(undefined)).toBeUndefined();
});

describe('the ConfigProto', () => {
  it('has the bytes that this library makes of it', () => {
    for (const variant of Object.keys(VARIANTS)) {
      for (const device of ['CPU', 'GPU'] as const) {
        for (const rehearse of [false, true]) {
          const json = configOf(variant, device, rehearse);
          expect(configBytes(json)).toEqual(Buffer.from(encodeConfig(json)!));
        }
      }
    }
  });
});

describe('the plan', () => {
  const names = (options: Parameters<typeof planOf>[0]) =>
    planOf(options).groups.flatMap(({ cases }) => cases.map(({ name }) => name));

  it('has all models, devices, variants and programs', () => {
    const all = names({}).join('\n');
    for (const part of [
      ...Object.values(MODELS),
      'CPU',
      'GPU',
      'freeze, float16',
      'bfloat16',
      'XLA',
      'raw C',
      'Python',
    ])
      expect(all).toContain(part);
  });

  it('has both devices before other programs where there is little time, and no more time than there is', () => {
    const { groups, budget } = planOf({ quick: true, most: 60 });
    const [first] = groups;
    expect(new Set(first!.cases.map(({ who }) => who))).toEqual(new Set(['ours']));
    expect(new Set(first!.cases.map(({ device }) => device))).toEqual(new Set(['GPU', 'CPU']));
    expect(budget).toBe(60);
  });

  it('leaves out what is not asked for', () => {
    expect(new Set(names({ only: ['MobileNetV2, GPU, as saved'] }))).toEqual(
      new Set(['ours', 'raw C', 'Python'].map((who) => `MobileNetV2, GPU, as saved, ${who}`)),
    );
  });
});

describe('what goes wrong', () => {
  it('is to be expected where a card is too small for many rows', () => {
    const error = 'RESOURCE_EXHAUSTED: OOM when allocating tensor';
    expect(problemOf({ name: 'a', device: 'GPU' }, 128, error)).toMatchObject({
      what: 'a, batch 128',
      isExpected: true,
    });
    expect(problemOf({ name: 'a', device: 'GPU' }, 1, error).isExpected).toBe(false);
    expect(problemOf({ name: 'a', device: 'CPU' }, 128, error).isExpected).toBe(false);
    expect(problemOf({ name: 'a', device: 'GPU' }, undefined, error)).toMatchObject({
      what: 'a',
      isExpected: false,
    });
    expect(problemOf({ name: 'a', device: 'GPU' }, 128, 'INTERNAL: no').isExpected).toBe(false);
  });

  it('shows in where the ops ran', () => {
    const seen = { kernels: { 'CPU:0': 4, 'GPU:0': 9 }, halves: 0, clusters: 0 };
    expect(wrongPlace({ device: 'GPU', variant: 'saved' }, seen, false)).toBeUndefined();
    expect(wrongPlace({ device: 'GPU', variant: 'saved' }, seen, true)).toMatch(/CPU:1/);
    expect(wrongPlace({ device: 'GPU', variant: 'mixed' }, seen, false)).toMatch(/float16/);
    expect(wrongPlace({ device: 'CPU', variant: 'mixed' }, seen, false)).toBeUndefined();
    expect(wrongPlace({ device: 'GPU', variant: 'xla' }, seen, false)).toMatch(/XLA/);
    expect(
      wrongPlace({ device: 'GPU', variant: 'saved' }, { ...seen, kernels: { 'CPU:0': 4 } }, false),
    ).toMatch(/no op ran on GPU:0/);
    expect(wrongPlace({ device: 'GPU', variant: 'saved' }, { error: 'no CUPTI' }, false)).toMatch(/CUPTI/);
  });

  it('leaves what a process had printed before', async () => {
    const script =
      'console.log(JSON.stringify({ batch: 1 })); console.log("noise"); throw new Error("the end");';
    const ended = await printed(process.execPath, ['-e', script], { seconds: 30 });
    expect(ended).toMatchObject({
      lines: [{ batch: 1 }],
      failure: expect.stringMatching(/status 1: .*the end/),
    });
    const late = await printed(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { seconds: 0.5 });
    expect(late).toMatchObject({ lines: [], failure: expect.stringMatching(/more than/) });
    expect(lastWords('  \n')).toBe('it said nothing');
  });
});

describe('tables and page', () => {
  it('tell all of it, a dash where something is missing, and take nothing for markup', () => {
    const summary = summaryOf(RESULT);
    for (const part of [
      '| ResNet50 | 1 | 45.5 | 455 | 10x |',
      '| ResNet50 | 1 | GPU | 2.200 | 2.000 | 1.10 | 4.400 | 0.50 |',
      '| ResNet50 | as saved | 128 | 2,000 | - | 16.0 | - | 3.2 % | float32 |',
      '| ResNet50 | freeze, float16 | 128 | 4,000 | 8,000 | 64.0 | 10 % | 6.5 % | float16 |',
      '| float32 | - | 494.5 | - |',
      'line 1 line 2',
      'to be expected',
      'Python is not there',
    ]) {
      expect(summary).toContain(part);
    }
    expect(summary).not.toMatch(/NaN|undefined|Infinity|[^\\]<img/);
    expect(summary).not.toContain('Rehearsal');
    const html = pageOf(RESULT, [{ name: EVIL, file: 'bench-resnet.html' }]);
    expect(html).toMatch(/Content-Security-Policy" content="default-src 'none'/);
    expect(html).not.toMatch(/<img|NaN|undefined|Infinity|Rehearsal/);
    expect(html).toContain('GPU:0 12, CPU:0 1');
    expect(html).toContain('href="bench-resnet.html"');
  });

  it('say of a rehearsal what it is, and stand where nothing was measured', () => {
    const none = { ...RESULT, rehearsal: true, measurements: [], seen: [], problems: [], leftOut: [] };
    const bare = { ...none, card: undefined, sheet: undefined, peak: {} };
    for (const text of [summaryOf(bare), pageOf(bare)]) {
      expect(text).toContain('Rehearsal on the CPU: not a GPU’s figures.');
      expect(text).not.toMatch(/NaN|undefined/);
    }
  });

  it.runIf(CHROMIUM)('ask for nothing in a browser', async () => {
    await mkdir(PAGES, { recursive: true });
    await writeFile(pagePath('gpu-bench.html'), pageOf(RESULT));
    const opened = await openPage();
    const url = pathToFileURL(pagePath('gpu-bench.html')).href;
    await opened.page.goto(url);
    expect(await opened.page.title()).toBe('tf-session, CPU against GPU');
    expect(await opened.page.locator('body').innerText()).toMatch(/CPU against GPU, rows a second/);
    expectQuiet({ url, ...opened });
  });
});

it('takes of the card’s own figures those of the time asked for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'smi-'));
  try {
    const file = join(folder, 'nvidia-smi');
    const lines = [
      '2026/01/31 12:00:01.000, 10, 100.5',
      '2026/01/31 12:00:02.000, 30, [N/A]',
      '2026/01/31 12:00:03.000, 50, 300.5',
      '2026/01/31 12:00:09.000, 99, 700',
    ];
    await writeFile(
      file,
      `#!/bin/sh\nprintf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}\nexec sleep 30\n`,
      {
        mode: 0o755,
      },
    );
    const { sampled, stop } = startSampler(file);
    const at = (second: number) => timeOf(`2026/01/31 12:00:0${second}.000`);
    await expect.poll(() => sampled(at(9), at(9)).busy, { timeout: 10_000 }).toBe(99);
    stop();
    expect(sampled(at(1), at(3))).toEqual({ busy: 30, watts: 200.5 });
    expect(sampled(at(4), at(5))).toEqual({});
    expect(sampled(undefined, undefined)).toEqual({});
    expect(startSampler(undefined).sampled(at(1), at(9))).toEqual({});
  } finally {
    await rm(folder, { recursive: true });
  }
});

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tf-session');
const MADE = ['mlp/flops.json', 'resnet/flops.json', 'transformer', 'matmul'].every((name) =>
  existsSync(join(CACHE, 'bench', 'models', name)),
);
if (!MADE) {
  console.warn(
    'The rehearsal of the GPU’s benchmark is skipped: its models are not there (npm run bench makes them).',
  );
}

it.runIf(MADE)('rehearses on the CPU', { timeout: 120_000 }, async () => {
  const out = await mkdtemp(join(tmpdir(), 'gpu-bench-'));
  try {
    const script = fileURLToPath(new URL('../../scripts/gpu/bench/run.mjs', import.meta.url));
    const name = 'MLP, 3 x 1024, GPU, as saved';
    const args = [
      script,
      '--quick',
      '--rehearse',
      '--only',
      `${name}, ours`,
      '--only',
      `${name}, raw`,
      '--out',
      out,
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/Rehearsal on the CPU[\s\S]*\| MLP, 3 x 1024 \| 1 \| GPU \| [\d.]+ \| [\d.]+ \|/);
    const result = JSON.parse(await readFile(join(out, 'bench.json'), 'utf8'));
    expect(result).toMatchObject({
      rehearsal: true,
      failures: 0,
      problems: [],
      flops: { mlp: 6 * 1024 ** 2 },
    });
    expect(result.peak.float32).toBeGreaterThan(0);
    expect(new Set(result.measurements.map(({ who, batch }: Measurement) => `${who} ${batch}`))).toEqual(
      new Set(['ours 1', 'ours 8', 'raw 1', 'raw 8']),
    );
    expect(result.measurements).toContainEqual(expect.objectContaining({ batch: 8, inFlight: 4 }));
    expect(result.seen[0].kernels['CPU:1']).toBeGreaterThan(0);
    expect(await readFile(join(out, 'bench.html'), 'utf8')).toContain('not a GPU’s figures');
  } finally {
    await rm(out, { recursive: true });
  }
});

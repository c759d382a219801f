import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChromeTrace } from '../../lib/index.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';
import { checkChromeTrace } from '../trace/chrome-format.js';
import { command, commandJson, expectFailure, hasLibrary, temporaryFile } from './command.js';

const MODEL = fixture('tf2-functions');

interface TraceJson {
  events: number;
  devices: string[];
  transfers: number;
  durationUs: number;
  files: string[];
}

describe.runIf(await hasLibrary())('tf-session trace', () => {
  it('writes a trace, and a log for TensorBoard', async () => {
    const folder = await temporaryDirectory();
    const config = await temporaryFile('config.json', '{ "deviceCount": { "CPU": 2 } }');
    const rules = await temporaryFile('rules.json', '[{ "op": "MatMul", "device": "/CPU:1" }]');
    const [out, logs] = [join(folder, 'trace.json'), join(folder, 'logs')];
    const args = ['trace', MODEL, '--config', config, '--rules', rules, '--out', out, '--tensorboard', logs];
    const { events, devices, transfers, durationUs, files } = await commandJson<TraceJson>(args);
    const trace = JSON.parse(await readFile(out, 'utf8')) as ChromeTrace;
    expect(checkChromeTrace(trace)).toHaveLength(events + 1);
    expect(devices.map((name) => name.slice(-5))).toEqual(['CPU:0', 'CPU:1']);
    expect(trace.traceEvents.filter(({ ph }) => ph === 's')).toHaveLength(transfers);
    expect(durationUs).toBeGreaterThan(0);
    expect(files[0]).toBe(out);
    expect((await readdir(logs)).sort()).toEqual(['executed', 'model']);
  });

  it('prints the plan for people', async () => {
    const out = join(await temporaryDirectory(), 'trace.json');
    const { status, stdout, stderr } = await command([
      'trace',
      MODEL,
      '--out',
      out,
      '--warm-up',
      '0',
      '--level',
      'software',
    ]);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/events +\d+ on \/CPU:0\n[\s\S]*Partitions\n[\s\S]*Critical path \(\d+ kernels/);
  });

  it('says where it cannot write', async () => {
    expectFailure(await command(['trace', MODEL, '--out', '/no/such/folder/trace.json']), 1, /ENOENT/);
  });

  it.each([
    [[], /--out/],
    [['--out', 'x', '--level', 'all'], /--level must be/],
    [['--out', 'x', '--warm-up', '-1'], /--warm-up must be/],
  ])('%j is wrong usage', async (args, message) => {
    expectFailure(await command(['trace', MODEL, ...args]), 2, message);
  });
});

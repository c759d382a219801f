import { describe, expect, it } from 'vitest';
import {
  canonicalDevice,
  deviceMatches,
  deviceType,
  listDevices,
  parseDevice,
  shortDevice,
} from '../../lib/placement/device.js';
import { failure } from '../helpers/failure.js';

const LOCAL = '/job:localhost/replica:0/task:0/device:';

describe('device names', () => {
  it('have parts, those left out or a star meaning any', () => {
    const any = { job: undefined, replica: undefined, task: undefined, type: undefined, index: undefined };
    expect(parseDevice('')).toEqual(any);
    expect(parseDevice('/')).toEqual(any);
    expect(parseDevice('/job:*/replica:*/task:*/device:*:*')).toEqual(any);
    expect(parseDevice('/job:worker/replica:1/task:2/device:GPU:3')).toEqual({
      job: 'worker',
      replica: 1,
      task: 2,
      type: 'GPU',
      index: 3,
    });
  });

  it.each([
    ['/cpu:1', '/device:CPU:1'],
    ['/CPU:1', '/device:CPU:1'],
    ['/gpu:0', '/device:GPU:0'],
    ['/gpu:*', '/device:GPU:*'],
    ['/device:GPU', '/device:GPU:*'],
    ['/device:GPU:*', '/device:GPU:*'],
    ['/device:CPU:007', '/device:CPU:7'],
    ['/device:*:1', '/device:*:1'],
    ['/device:XLA_CPU:0', '/device:XLA_CPU:0'],
    [`${LOCAL}CPU:1`, `${LOCAL}CPU:1`],
    ['/job:worker/task:1/device:GPU:0', '/job:worker/task:1/device:GPU:0'],
    ['/device:GPU:0/job:worker', '/job:worker/device:GPU:0'],
    ['/job:x', '/job:x'],
    ['/task:1/cpu:0', '/task:1/device:CPU:0'],
    ['', ''],
    // What stands twice: the last counts, as in TensorFlow.
    ['/device:GPU:0/cpu:1', '/device:CPU:1'],
    ['/cpu:1/device:GPU', '/device:GPU:*'],
    ['/job:a/job:*', ''],
  ])('%j is written into a graph as %j', (given, canonical) => {
    expect(canonicalDevice(given)).toBe(canonical);
    expect(canonicalDevice(canonical)).toBe(canonical);
  });

  it.each([
    ['CPU:1', '/CPU:1'],
    ['cpu', '/CPU:0'],
    ['GPU', '/GPU:0'],
    ['/gpu', '/GPU:0'],
    ['gpu0', '/GPU:0'],
    ['gpu:*', '/GPU:*'],
    ['/Gpu:1', '/GPU:1'],
    ['device:GPU:1', '/device:GPU:1'],
    ['/device:cpu:1', '/device:CPU:1'],
    ['/tpu:0', '/device:TPU:0'],
    ['/job:worker/task:1/device:gpu:0', '/job:worker/task:1/device:GPU:0'],
    ['job:worker/device:GPU:0', '/job:worker/device:GPU:0'],
  ])('%j is none; %j may be meant', async (given, meant) => {
    const { code, message } = await failure(() => parseDevice(given, 'placement[0].device'));
    expect(code).toBe('INVALID_OPTION');
    expect(message).toContain('placement[0].device must be a device such as "/CPU:0"');
    expect(message).toContain(`not ${JSON.stringify(given)}.`);
    expect(message).toMatch(new RegExp(` Did you mean "${meant.replace('*', '\\*')}"\\?$`));
    expect(canonicalDevice(meant)).not.toBe('');
  });

  it.each([
    'nonsense',
    '/nonsense:0',
    '//CPU:0',
    '/CPU:0/',
    '/CPU:-1',
    '/CPU:1.5',
    '/CPU:',
    '/device:',
    '/device:CPU:2147483648',
    '/job:',
    '/job:a-b',
    '/job:worker/replica:x',
    ' /CPU:0\n/CPU:1',
    '/CPU:0\0',
    7,
    null,
    undefined,
    ['/CPU:0'],
  ])('%j is none', async (given) => {
    expect((await failure(() => parseDevice(given))).code).toBe('INVALID_OPTION');
  });

  it('mean the devices that have all of their parts', () => {
    const gpu = '/job:worker/replica:0/task:1/device:GPU:0';
    for (const request of ['', '/gpu:0', '/device:GPU', '/job:worker', '/task:1/gpu:*', '/device:*:0', gpu]) {
      expect(deviceMatches(request, gpu), request).toBe(true);
    }
    for (const request of ['/gpu:1', '/cpu:0', '/job:localhost/gpu:0', '/task:0', '/device:gpu:0', 'GPU:0']) {
      expect(deviceMatches(request, gpu), request).toBe(false);
    }
  });

  it('are shown as one types them, so that they can be typed again', () => {
    expect(shortDevice(`${LOCAL}CPU:0`)).toBe('/CPU:0');
    expect(shortDevice(`${LOCAL}GPU:12`)).toBe('/GPU:12');
    expect(shortDevice(`${LOCAL}XLA_GPU:0`)).toBe('/device:XLA_GPU:0');
    expect(shortDevice('/job:worker/replica:0/task:0/device:CPU:0')).toBe('/job:worker/task:0/CPU:0');
    for (const type of ['CPU', 'GPU', 'TPU', 'XLA_GPU', 'CPUX']) {
      expect(deviceMatches(shortDevice(`${LOCAL}${type}:0`), `${LOCAL}${type}:0`), type).toBe(true);
    }
    expect(listDevices([{ name: `${LOCAL}CPU:0` }, { name: `${LOCAL}CPU:1` }])).toBe('/CPU:0, /CPU:1');
  });

  it('tell their type', () => {
    expect([`${LOCAL}GPU:0`, '/cpu:1', '/job:x', ''].map(deviceType)).toEqual(['GPU', 'CPU', '', '']);
  });
});

/** What a process has settled, decided from facts: GPUs, too, which this machine need not have. */
import { describe, expect, it } from 'vitest';
import { findConflicts, type Settlement, settlesMore } from '../../lib/config/process.js';
import { type ConfigProtoJson, decodeConfig, encodeConfig } from '../../lib/config.js';

const message = (config: ConfigProtoJson) => decodeConfig(encodeConfig(config)!);

function settled(config: ConfigProtoJson, deviceTypes: string[] = ['CPU'], who = 'first'): Settlement {
  return { who, config: message(config), deviceTypes, cpus: 4 };
}

const GPU = ['CPU', 'GPU'];
const TWO_GPUS = ['CPU', 'GPU', 'GPU'];
type Gpu = NonNullable<ConfigProtoJson['gpuOptions']>;
const gpu = (gpuOptions: Gpu, more: ConfigProtoJson = {}): ConfigProtoJson => ({ ...more, gpuOptions });

function conflicts(before: Settlement[], config: ConfigProtoJson, environment = {}) {
  return findConflicts(before, message(config), environment).map(
    ({ field, inForce, asked, since, isRefused }) =>
      `${isRefused ? 'refused' : 'ignored'}: ${field} ${inForce} (${since}), not ${asked}`,
  );
}

describe('of a GPU', () => {
  it.each<[Gpu, Gpu, string]>([
    [
      { perProcessGpuMemoryFraction: 0.5 },
      { perProcessGpuMemoryFraction: 0.4 },
      'perProcessGpuMemoryFraction 0.5',
    ],
    [{}, { perProcessGpuMemoryFraction: 0.4 }, "perProcessGpuMemoryFraction TensorFlow's default"],
    [{}, { allowGrowth: true }, 'allowGrowth false'],
    [{}, { allocatorType: 'cuda_malloc' }, "allocatorType TensorFlow's default"],
    [{}, { pollingActiveDelayUsecs: 5 }, "pollingActiveDelayUsecs TensorFlow's default"],
    [{}, { experimental: { useCudaMallocAsync: true } }, 'experimental.useCudaMallocAsync false'],
    [
      { experimental: { gpuHostMemLimitInMb: 10 } },
      { experimental: { gpuHostMemLimitInMb: 20 } },
      'experimental.gpuHostMemLimitInMb 10',
    ],
  ])('%j is in force where %j is asked for', (first, later, what) => {
    const [found, ...more] = conflicts([settled(gpu(first), GPU)], gpu(later));
    expect(found).toMatch(/^ignored: gpuOptions\./);
    expect(found).toContain(`gpuOptions.${what} (first), not `);
    expect(more).toEqual([]);
  });

  it('the same, or nothing, is asked for without a word', () => {
    const options = { perProcessGpuMemoryFraction: 0.5, allowGrowth: true, visibleDeviceList: '0' };
    const before = [settled(gpu(options), GPU)];
    expect(conflicts(before, gpu(options))).toEqual([]);
    expect(conflicts(before, {})).toEqual([]);
    expect(conflicts(before, gpu({ allowGrowth: false, perProcessGpuMemoryFraction: 0 }))).toEqual([]);
    expect(conflicts([settled({}, GPU)], gpu({ allocatorType: 'BFC' }))).toEqual([]);
  });

  it('what counts per session is nobody else’s', () => {
    const own = gpu({ forceGpuCompatible: true, experimental: { kernelTrackerMaxPending: 3 } });
    expect(conflicts([settled({}, GPU)], own)).toEqual([]);
  });

  it('growth that the environment decides is nobody’s', () => {
    const environment = { TF_FORCE_GPU_ALLOW_GROWTH: 'true' };
    expect(conflicts([settled({}, GPU)], gpu({ allowGrowth: true }), environment)).toEqual([]);
  });

  it('nothing is settled where no session has had one', () => {
    const later = gpu({ perProcessGpuMemoryFraction: 0.4, visibleDeviceList: '1' });
    expect(conflicts([settled({})], later)).toEqual([]);
    expect(conflicts([settled({ deviceCount: { GPU: 0 } })], later)).toEqual([]);
    expect(settlesMore([settled({ deviceCount: { GPU: 0 } })], message(later), {})).toBe(true);
  });

  it('nothing is asked for where none is wanted', () => {
    const later = gpu({ visibleDeviceList: '1', allowGrowth: true }, { deviceCount: { GPU: 0 } });
    expect(conflicts([settled({}, GPU)], later)).toEqual([]);
  });

  it('a second one is settled by the session that first had it', () => {
    const before = [
      settled(gpu({ visibleDeviceList: '0' }), GPU),
      settled(gpu({ visibleDeviceList: '0,1', allowGrowth: true }), TWO_GPUS, 'second'),
    ];
    expect(settlesMore(before.slice(0, 1), before[1]!.config, {})).toBe(true);
    expect(settlesMore(before, before[1]!.config, {})).toBe(false);
    const later = gpu({ visibleDeviceList: '0,1', perProcessGpuMemoryFraction: 0.2 });
    expect(conflicts(before, later)).toEqual([
      "ignored: gpuOptions.perProcessGpuMemoryFraction TensorFlow's default (first), not 0.2",
    ]);
    expect(conflicts(before.slice(1), gpu({ visibleDeviceList: '0', allowGrowth: true }))).toEqual([]);
  });
});

describe('which GPUs are visible', () => {
  const list = (visibleDeviceList: string) => gpu({ visibleDeviceList });

  it.each<[string, string[], string]>([
    ['1', GPU, '0'],
    ['1', GPU, ''],
    ['', GPU, '1'],
    ['', TWO_GPUS, '1,0'],
    ['1,0', TWO_GPUS, '0,1'],
    ['0,1', TWO_GPUS, '0,2'],
  ])('"%s" (%j) does not become "%s"', (first, types, later) => {
    const found = conflicts([settled(list(first), types)], list(later));
    expect(found).toEqual([expect.stringMatching(/^refused: gpuOptions\.visibleDeviceList /)]);
  });

  it.each<[string, string[], string]>([
    ['0', GPU, ''],
    ['', GPU, '0'],
    ['', TWO_GPUS, '0,1'],
    ['1,0', TWO_GPUS, '1'],
    ['1', GPU, '1,0'],
    ['1,0', TWO_GPUS, ' 1 , 0 '],
    ['0', GPU, 'none'], // TensorFlow says what is wrong with it
  ])('"%s" (%j) agrees with "%s"', (first, types, later) => {
    expect(conflicts([settled(list(first), types)], list(later))).toEqual([]);
  });

  it('is shown as it was written', () => {
    expect(conflicts([settled(list('1'), GPU)], {})).toEqual([
      'refused: gpuOptions.visibleDeviceList "1" (first), not all in their order',
    ]);
  });
});

describe('virtual GPUs', () => {
  const virtual = (...lists: number[][]) =>
    gpu({ experimental: { virtualDevices: lists.map((memoryLimitMb) => ({ memoryLimitMb })) } });

  it('do not become others', () => {
    const before = [settled(virtual([100, 200]), TWO_GPUS)];
    expect(conflicts(before, virtual([100, 300]))).toEqual([
      'refused: gpuOptions.experimental.virtualDevices [{"memoryLimitMb":[100,200]}] (first), not [{"memoryLimitMb":[100,300]}]',
    ]);
    expect(conflicts([settled({}, GPU)], virtual([100, 200]))).toHaveLength(1);
    expect(conflicts(before, gpu({ experimental: { numVirtualDevicesPerGpu: 2 } }))).toHaveLength(1);
  });

  it('are shared where they are the same, or nobody asks for any', () => {
    const before = [settled(virtual([100, 200]), TWO_GPUS)];
    expect(conflicts(before, virtual([100, 200]))).toEqual([]);
    expect(conflicts(before, virtual([100]))).toEqual([]);
    expect(conflicts(before, {})).toEqual([]);
  });

  it('of the second GPU are no others than those of the first', () => {
    const before = [settled(virtual([100], [100]), TWO_GPUS)];
    expect(conflicts(before, virtual([100, 100]))).toEqual([
      expect.stringMatching(/^refused: gpuOptions\.experimental\.virtualDevices/),
    ]);
  });

  it('are told alone where they only move the GPUs after theirs: no list was asked for', () => {
    expect(conflicts([settled({}, TWO_GPUS)], virtual([100, 100]))).toEqual([
      'refused: gpuOptions.experimental.virtualDevices none (first), not [{"memoryLimitMb":[100,100]}]',
    ]);
  });
});

describe('of devices that come with plug-ins', () => {
  it('memory is settled by a field of its own', () => {
    const before = [settled({}, ['CPU', 'HOST_DEVICE'])];
    expect(conflicts(before, { pluggableDeviceOptions: { allowGrowth: true } })).toEqual([
      'ignored: pluggableDeviceOptions.allowGrowth false (first), not true',
    ]);
    expect(conflicts(before, gpu({ allowGrowth: true }))).toEqual([]);
    expect(conflicts([settled({})], { pluggableDeviceOptions: { allowGrowth: true } })).toEqual([]);
  });

  it('the order is settled so, too', () => {
    const before = [settled({ pluggableDeviceOptions: { visibleDeviceList: '1' } }, ['CPU', 'HOST_DEVICE'])];
    expect(conflicts(before, { pluggableDeviceOptions: { visibleDeviceList: '0' } })).toEqual([
      'refused: pluggableDeviceOptions.visibleDeviceList "1" (first), not "0"',
    ]);
    expect(conflicts(before, gpu({ visibleDeviceList: '0' }, { deviceCount: { HOST_DEVICE: 0 } }))).toEqual(
      [],
    );
  });
});

describe('threads', () => {
  it('inter-op: those of callers leave a pool of one', () => {
    const before = [settled({ interOpParallelismThreads: -1 })];
    expect(conflicts(before, { interOpParallelismThreads: 1 })).toEqual([]);
    expect(conflicts(before, { interOpParallelismThreads: 2 })).toEqual([
      'ignored: interOpParallelismThreads 1 (first), not 2',
    ]);
    expect(conflicts([settled({})], { interOpParallelismThreads: -1 })).toEqual([]);
  });

  it('of a session that could not be made are settled as far as its CPUs were', () => {
    const failed = [settled({ intraOpParallelismThreads: 3, interOpParallelismThreads: 3 }, [])];
    const later = { intraOpParallelismThreads: 2, interOpParallelismThreads: 2 };
    expect(conflicts(failed, later)).toEqual(['ignored: intraOpParallelismThreads 3 (first), not 2']);
    expect(settlesMore(failed, message(later), {})).toBe(true);
  });

  it('are TensorFlow’s default: as many as there are CPUs, or what the environment says', () => {
    const asked = { intraOpParallelismThreads: 4, interOpParallelismThreads: 4 };
    expect(conflicts([settled({})], asked)).toEqual([]);
    expect(conflicts([settled({})], asked, { TF_NUM_INTRAOP_THREADS: '2' })).toEqual([
      'ignored: intraOpParallelismThreads 2 (first), not 4',
    ]);
    expect(conflicts([settled({})], asked, { TF_NUM_INTRAOP_THREADS: 'many' })).toEqual([]);
  });
});

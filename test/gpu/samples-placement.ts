/** Samples of the checks of where ops run. */
import type { Samples } from './samples.js';

const MOVED = 'CPU:0: soft placement: no GPU kernel';
const SAVED = ['saved-on-gpu', 'saved-on-gpu-tf1'];

const saved = (hasGpu: boolean) => ({
  hasGpu,
  models: Object.fromEntries(
    SAVED.map((name) => [
      name,
      {
        asSaved: hasGpu ? { products: ['MatMul GPU:0'], apart: 1e-4 } : null,
        cleared: { products: ['MatMul CPU:0'], apart: 0 },
        missing: {
          code: 'INVALID_ARGUMENT',
          message: 'saved with "/device:GPU:0": load it with clearDevices',
        },
        soft: { products: ['MatMul CPU:0'], reasons: ['no such device'], apart: 0 },
      },
    ]),
  ),
});

export const samples: Record<string, Samples> = {
  rules: {
    good: [
      {
        gpu: 'GPU:0',
        plain: { products: ['MatMul GPU:0'], others: 20, strays: [], isExact: true, apart: 1e-4 },
        exact: { products: ['MatMul GPU:0'], others: 20, strays: [], isExact: true, apart: 1e-4 },
      },
      {
        gpu: 'GPU:0',
        plain: {
          products: ['MatMul GPU:0'],
          others: 20,
          strays: ['BiasAdd fused into MatMul'],
          isExact: false,
          apart: 0,
        },
        exact: { products: ['MatMul GPU:0'], others: 20, strays: [], isExact: true, apart: 0 },
      },
    ],
    wrong: [
      [
        'plain: MatMul there, all else on the CPU, but for what is fused with it, which the report says',
        (seen) => (seen.plain.products = ['MatMul CPU:0']),
      ],
      [
        'plain: MatMul there, all else on the CPU, but for what is fused with it, which the report says',
        (seen) => (seen.plain.strays = ['BiasAdd as requested']),
        1,
      ],
      [
        'exact: MatMul there, all else on the CPU',
        (seen) => (seen.exact.strays = ['BiasAdd fused into MatMul']),
      ],
      ['the reports say whether that was exact', (seen) => (seen.exact.isExact = false)],
      ['the reports say whether that was exact', (seen) => (seen.plain.isExact = true), 1],
      ['the values are right, to 1e-3', (seen) => (seen.exact.apart = 0.01)],
    ],
  },
  soft: {
    good: [
      {
        soft: [MOVED],
        isRight: true,
        exact: { code: 'INVALID_ARGUMENT', message: 'StringUpper has no GPU kernel for these data types' },
        hard: ['INVALID_ARGUMENT: Cannot assign a device for operation StringUpper'],
      },
      {
        soft: [MOVED],
        isRight: true,
        exact: { code: 'INVALID_ARGUMENT', message: 'StringUpper has no GPU kernel for these data types' },
        hard: [MOVED],
      },
    ],
    wrong: [
      ['with soft placement the report says so', (seen) => (seen.soft = ['CPU:0: default'])],
      ['and the values are right', (seen) => (seen.isRight = false)],
      [
        'exact is an error before the first run that names the op and the missing kernel',
        (seen) => (seen.exact = { code: 'none', message: '' }),
      ],
      [
        'without soft placement an error that names the op, or the same report; nothing in silence',
        (seen) => (seen.hard = ['CPU:0: as requested']),
      ],
    ],
  },
  'all-on-cpu': {
    good: [{ types: ['CPU'], devices: ['CPU:0'], ran: 315 }],
    wrong: [
      ['the session has no GPU', (seen) => seen.types.push('GPU')],
      ['every op ran on the CPU', (seen) => seen.devices.push('GPU:0')],
      ['and there were ops', (seen) => (seen.ran = 0)],
    ],
  },
  'chosen-ops': {
    good: [
      {
        convolutions: ['Conv2D GPU:0'],
        count: 32,
        reasons: ['as requested'],
        sigmoids: ['Sigmoid CPU:1'],
        hasGpu: true,
      },
      {
        convolutions: ['Conv2D CPU:0'],
        count: 32,
        reasons: ['no such device'],
        sigmoids: ['Sigmoid CPU:1'],
        hasGpu: false,
      },
    ],
    wrong: [
      ['every Conv2D ran on the GPU', (seen) => seen.convolutions.push('Conv2D CPU:0')],
      [
        'without a GPU Conv2D ran on the CPU, and the report says that there is no such device',
        (seen) => (seen.reasons = ['as requested']),
        1,
      ],
      ['there were some', (seen) => (seen.count = 0)],
      ['every Sigmoid ran on CPU:1', (seen) => (seen.sigmoids = ['Sigmoid GPU:0'])],
    ],
  },
  'ten-runs': {
    good: [
      {
        pair: ['/GPU:0', '/CPU:0'],
        runs: Array.from({ length: 10 }, (_, i) =>
          i % 2 === 0
            ? { device: '/GPU:0', kernels: { 'GPU:0': 340, 'CPU:0': 5 }, apart: 0 }
            : { device: '/CPU:0', kernels: { 'CPU:0': 345 }, apart: 1e-4 },
        ),
      },
    ],
    wrong: [
      ['ten runs, device by device in turn', (seen) => seen.runs.pop()],
      ['most kernels of each ran where it was asked', (seen) => (seen.runs[2].kernels = { 'CPU:0': 345 })],
      ['most kernels of each ran where it was asked', (seen) => (seen.runs[3].kernels['GPU:0'] = 3)],
      ['their values are equal, to 0.01', (seen) => (seen.runs[5].apart = 0.5)],
    ],
  },
  alternate: {
    good: [
      {
        gpu: 'GPU:0',
        runs: Array.from({ length: 10 }, (_, i) => {
          const device = i % 2 === 0 ? 'GPU:0' : 'CPU:0';
          return { device, where: [device], apart: 1e-5 };
        }),
      },
    ],
    wrong: [
      ['ten runs, on the GPU and the CPU in turn', (seen) => seen.runs.pop()],
      ['each ran where it was asked, and nowhere else', (seen) => (seen.runs[4].where = ['CPU:0'])],
      ['each ran where it was asked, and nowhere else', (seen) => (seen.runs[4].where = ['CPU:0', 'GPU:0'])],
      ['all give the right values, to 1e-3', (seen) => (seen.runs[9].apart = 2e-3)],
    ],
  },
  'saved-device': {
    good: [saved(true), saved(false)],
    wrong: SAVED.flatMap((name): Samples['wrong'] => [
      [
        `${name}: as it is it runs on the GPU`,
        (seen) => (seen.models[name].asSaved.products = ['MatMul CPU:0']),
      ],
      [`${name}: as it is it runs on the GPU`, (seen) => (seen.models[name].asSaved = null)],
      [
        `${name}: with clearDevices and the CPU asked for it runs there`,
        (seen) => (seen.models[name].cleared.products = ['MatMul GPU:0']),
      ],
      [
        `${name}: without a GPU an error of this library names the device and clearDevices`,
        (seen) => (seen.models[name].missing.message = 'Cannot assign a device'),
      ],
      [
        `${name}: without a GPU, with soft placement, it runs on the CPU, and the report says why`,
        (seen) => (seen.models[name].soft.reasons = ['default']),
        1,
      ],
    ]),
  },
  trace: {
    good: [
      {
        gpu: 'GPU:0',
        there: { count: 2, bytes: [512, 32] },
        back: { count: 1, bytes: [64] },
        arrows: 3,
        kernels: 7,
        seconds: 0.004,
        processes: ['GPU:0', 'CPU:0'],
        noted: { streams: { 'stream:all': 9 } },
      },
    ],
    wrong: [
      ['what goes to the GPU is listed, with bytes', (seen) => (seen.there.bytes[1] = 0)],
      ['what comes back is, too', (seen) => (seen.back = { count: 0, bytes: [] })],
      ['the trace has arrows for them', (seen) => (seen.arrows = 0)],
      ['it has kernels of the GPU', (seen) => (seen.kernels = 0)],
      ['all of it lies within 60 s, what streams did, too', (seen) => (seen.seconds = 1.7e9)],
      ["the file for Perfetto has both devices' rows", (seen) => seen.processes.shift()],
    ],
  },
};

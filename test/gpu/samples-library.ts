/** Samples of the checks of the library, its files and its devices. */
import type { Samples } from './samples.js';

const GRAPHICS = { name: 'NVIDIA H200', totalMiB: 143771 };

export const samples: Record<string, Samples> = {
  devices: {
    good: [
      {
        gpus: [{ name: 'GPU:0', mib: 138000 }],
        products: ['MatMul GPU:0'],
        cards: [143771],
        isNarrowed: false,
        noted: { cards: [GRAPHICS] },
      },
      {
        gpus: [{ name: 'GPU:0', mib: 22000 }],
        products: ['MatMul GPU:0'],
        cards: [24564, 24564],
        isNarrowed: true,
      },
    ],
    wrong: [
      ['they are numbered from GPU:0', (seen) => (seen.gpus[0].name = 'GPU:1')],
      ['each has memory, and no more than a card has', (seen) => (seen.gpus[0].mib = 0)],
      ['each has memory, and no more than a card has', (seen) => (seen.gpus[0].mib = 150000)],
      ['where nothing is asked, products run on the first', (seen) => (seen.products = ['MatMul CPU:0'])],
      ['as many as nvidia-smi shows', (seen) => seen.cards.push(143771)],
      [
        'no more than nvidia-smi shows, some of which CUDA_VISIBLE_DEVICES may hide',
        (seen) => {
          seen.gpus = [0, 1, 2].map((i) => ({ name: `GPU:${i}`, mib: 22000 }));
        },
        1,
      ],
    ],
  },
  libraries: {
    good: [
      {
        hasDriver: false,
        opened: [
          { name: 'cublas/lib/libcublas.so.12', result: 'opens' },
          { name: 'cudnn/lib/libcudnn.so.9', result: 'wants the driver' },
        ],
      },
      { hasDriver: true, opened: [{ name: 'cublas/lib/libcublas.so.12', result: 'opens' }] },
    ],
    wrong: [
      ['there are some', (seen) => (seen.opened = [])],
      [
        'each opens, or lacks the driver alone',
        (seen) => (seen.opened[0].result = 'libnvJitLink.so.12: cannot open shared object file'),
      ],
      [
        'each opens, or lacks the driver alone',
        (seen) => (seen.opened[0].result = 'the process was ended by SIGSEGV'),
        1,
      ],
      ['none lacks the driver where there is one', (seen) => (seen.hasDriver = true)],
    ],
  },
  'own-files': {
    good: [
      { isBundle: false, own: 12, strangeCuda: [], strangers: null, noted: { cuda: ['a'] } },
      { isBundle: true, own: 40, strangers: [], strangeCuda: [], noted: { cuda: ['a'], compiler: [] } },
    ],
    wrong: [
      ['TensorFlow and Node are in memory', (seen) => (seen.own = 0)],
      [
        'CUDA libraries come from beside TensorFlow alone',
        (seen) => (seen.strangeCuda = ['/usr/local/cuda/lib64/libcudart.so.12']),
      ],
      [
        "of the system only glibc's files, the driver, libgcc_s, libstdc++ and zlib",
        (seen) => (seen.strangers = ['/usr/lib/x86_64-linux-gnu/libssl.so.3']),
        1,
      ],
    ],
  },
  visible: {
    good: [
      {
        count: 2,
        first: { count: 1, card: 0 },
        second: { count: 1, card: 1 },
        missing: {
          code: 'INVALID_ARGUMENT',
          message: "'visible_device_list' listed an invalid Device id",
          where: { 'GPU:0': 14 },
        },
      },
      {
        count: 1,
        first: { count: 1, card: 0 },
        second: null,
        missing: {
          code: 'INVALID_ARGUMENT',
          message: "'visible_device_list' listed an invalid Device id",
          where: { 'GPU:0': 14 },
        },
      },
    ],
    wrong: [
      ['"0" leaves one GPU', (seen) => (seen.first.count = 2)],
      ['"1" leaves another card', (seen) => (seen.second.card = 0)],
      ['"1" leaves another card', (seen) => (seen.second = null)],
      ['a GPU that is not there is an error that names the list', (seen) => (seen.missing.code = 'none')],
      ['a GPU that is not there is an error that names the list', (seen) => (seen.missing.message = 'No.')],
      ['after which the process runs on the GPU', (seen) => (seen.missing.where = { 'CPU:0': 14 })],
    ],
  },
  virtual: {
    good: [
      {
        gpus: [
          { name: 'GPU:0', mib: 1024 },
          { name: 'GPU:1', mib: 1024 },
        ],
        places: ['BiasAdd GPU:0', 'MatMul GPU:1'],
        isExact: true,
        apart: 2e-4,
      },
    ],
    wrong: [
      ['GPU:0 and GPU:1 are listed, with the memory that was asked', (seen) => seen.gpus.pop()],
      ['GPU:0 and GPU:1 are listed, with the memory that was asked', (seen) => (seen.gpus[1].mib = 130000)],
      ['rules place ops on both', (seen) => (seen.places = ['BiasAdd GPU:0', 'MatMul GPU:0'])],
      ['the report says exact', (seen) => (seen.isExact = false)],
      ['the values are right, to 1e-3', (seen) => (seen.apart = 'Infinity')],
    ],
  },
};

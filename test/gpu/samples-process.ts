/** Samples of the checks of what holds for a whole process: what is settled, its event loop, its threads. */
import type { Samples } from './samples.js';

const ON_GPU = () => ({ 'GPU:0': 13, 'CPU:0': 2 });

export const samples: Record<string, Samples> = {
  'process-config': {
    good: [
      {
        first: ON_GPU(),
        second: ON_GPU(),
        before: 0,
        otherList: { code: 'FAILED_PRECONDITION', message: 'config.gpuOptions.visibleDeviceList is all' },
        virtual: {
          code: 'FAILED_PRECONDITION',
          message: 'config.gpuOptions.experimental.virtualDevices is none',
        },
        fraction: ON_GPU(),
        warning: {
          code: 'TF_SESSION_PROCESS_CONFIG',
          message: 'config.gpuOptions.perProcessGpuMemoryFraction is',
        },
        later: { where: ON_GPU(), apart: 1e-5 },
      },
    ],
    wrong: [
      ['two sessions with the same options run on the GPU', (seen) => (seen.second = { 'CPU:0': 15 })],
      ['without a word', (seen) => (seen.before = 1)],
      [
        'another visibleDeviceList is FAILED_PRECONDITION, naming it',
        (seen) => (seen.otherList.code = 'none'),
      ],
      ['other virtual devices are FAILED_PRECONDITION, naming them', (seen) => (seen.virtual.message = 'no')],
      [
        'another fraction, which TensorFlow ignores, is a warning that names it',
        (seen) => (seen.warning = { code: 'none', message: '' }),
      ],
      ['and that session runs on the GPU', (seen) => (seen.fraction = { 'CPU:0': 15 })],
      ['the first still serves, on the GPU, with the right values', (seen) => (seen.later.apart = 1)],
      [
        'the first still serves, on the GPU, with the right values',
        (seen) => (seen.later.where = { 'CPU:0': 15 }),
      ],
    ],
  },
  'event-loop': {
    good: [
      {
        gpu: 'GPU:0',
        where: ON_GPU(),
        seconds: 8,
        runs: 900,
        turns: 6500,
        p50Ms: 0.1,
        p99Ms: 2,
        maxMs: 9,
        isRehearsal: false,
      },
      {
        gpu: 'CPU:1',
        where: { 'CPU:1': 9 },
        seconds: 2,
        runs: 50,
        turns: 90,
        p50Ms: 9,
        p99Ms: 90,
        maxMs: 200,
        isRehearsal: true,
      },
    ],
    wrong: [
      ['the work is on the GPU', (seen) => (seen.where = { 'CPU:0': 15 })],
      ['runs went on all the while', (seen) => (seen.runs = 4)],
      ['more than 100 turns a second', (seen) => (seen.turns = 500)],
      ['more than 20 turns a second', (seen) => (seen.turns = 30), 1],
      ['p50 below 5 ms, p99 below 20 ms, all below 150 ms', (seen) => (seen.p99Ms = 21)],
      ['p50 below 5 ms, p99 below 20 ms, all below 150 ms', (seen) => (seen.maxMs = 151)],
    ],
  },
  worker: {
    good: [
      { gpu: 'GPU:0', inWorker: ON_GPU(), wasRunning: true, terminateMs: 12, where: ON_GPU(), apart: 0 },
    ],
    wrong: [
      ['the worker ran on the GPU', (seen) => (seen.inWorker = { 'CPU:0': 15 })],
      ['and was in the middle of a run', (seen) => (seen.wasRunning = false)],
      ['it was gone within 10 s', (seen) => (seen.terminateMs = 30_000)],
      ['the main thread runs on the GPU', (seen) => (seen.where = {})],
      ['with the right values, to 1e-3', (seen) => (seen.apart = 0.5)],
    ],
  },
};

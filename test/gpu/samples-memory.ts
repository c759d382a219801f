/** Samples of the checks of the GPU's memory. */
import type { Samples } from './samples.js';

const round = () => ({
  code: 'RESOURCE_EXHAUSTED',
  message: 'OOM when allocating tensor with shape[20000,20000]',
  op: 'Fill',
  next: 0.015625,
});

export const samples: Record<string, Samples> = {
  hidden: {
    good: [
      {
        hidden: { allMiB: 0, isListed: false, devices: ['CPU:0'] },
        used: { allMiB: 620, isListed: true },
      },
      {
        hidden: { allMiB: -3, isListed: false, devices: ['CPU:0'] },
        used: { allMiB: 620, isListed: false },
      },
    ],
    wrong: [
      ['it takes no memory', (seen) => (seen.hidden.allMiB = 430)],
      ['the same run with the GPU takes some', (seen) => (seen.used.allMiB = 0)],
      ['all ops ran on the CPU', (seen) => seen.hidden.devices.push('GPU:0')],
      ['nvidia-smi lists the process with the GPU alone', (seen) => (seen.hidden.isListed = true)],
    ],
  },
  memory: {
    good: [
      {
        growing: { mib: 640 },
        fraction: { mib: 36500, totalMiB: 143771 },
        whole: { mib: 137000, freeMiB: 143000 },
      },
    ],
    wrong: [
      ['allowGrowth takes little', (seen) => (seen.growing.mib = 137000)],
      ['allowGrowth takes little', (seen) => (seen.growing.mib = 0)],
      [
        'perProcessGpuMemoryFraction 0.25 takes such a part of the card',
        (seen) => (seen.fraction.mib = 137000),
      ],
      ['perProcessGpuMemoryFraction 0.25 takes such a part of the card', (seen) => (seen.fraction.mib = 640)],
      ['the default takes most of what is free', (seen) => (seen.whole.mib = 36000)],
    ],
  },
  exhausted: {
    good: [{ rounds: [round(), round(), round()], where: { 'GPU:0': 13, 'CPU:0': 2 } }],
    wrong: [
      ['it is tried three times', (seen) => seen.rounds.pop()],
      ['each is RESOURCE_EXHAUSTED', (seen) => (seen.rounds[1].code = 'INTERNAL')],
      ['the error names an op', (seen) => (seen.rounds[2].op = '')],
      ['the run after each is well: 1/64', (seen) => (seen.rounds[2].next = 0)],
      ['on the GPU', (seen) => (seen.where = { 'CPU:0': 15 })],
    ],
  },
  reload: {
    good: [
      {
        gpu: 'GPU:0',
        loads: 20,
        where: ['MatMul GPU:0'],
        apart: 1e-4,
        usedMiB: [500, 600, 620, 620, ...Array.from({ length: 16 }, () => 622)],
      },
      { gpu: 'CPU:1', loads: 20, where: ['MatMul CPU:1'], apart: 0, usedMiB: null },
    ],
    wrong: [
      ['all of them were loaded', (seen) => (seen.loads = 19)],
      ['each ran on the GPU', (seen) => seen.where.push('MatMul CPU:0')],
      ['with the right values, to 1e-3', (seen) => (seen.apart = 0.1)],
      ['after the 5th, memory grows by no more than 16 MiB', (seen) => (seen.usedMiB[19] = 650)],
    ],
  },
};

/** Samples of the checks of values. */
import type { Samples } from './samples.js';

const ON_GPU = () => ({ 'GPU:0': 130, 'CPU:0': 2 });

export const samples: Record<string, Samples> = {
  equal: {
    good: [
      {
        gpu: 'GPU:0',
        names: ['mlp', 'resnet'],
        models: {
          mlp: { apart: 4e-4, withoutTf32: 3e-7, where: ON_GPU(), tf32Changes: true },
          resnet: { apart: 6.5e-5, withoutTf32: 2e-6, where: ON_GPU(), tf32Changes: false },
        },
      },
    ],
    wrong: [
      ['all models that are there were compared', (seen) => (seen.models = {})],
      ...['mlp', 'resnet'].flatMap((name): Samples['wrong'] => [
        [`${name}: most ops ran on the GPU`, (seen) => (seen.models[name].where = { 'CPU:0': 132 })],
        [`${name}: as it is within 0.001 of the largest value`, (seen) => (seen.models[name].apart = 2e-3)],
        [`${name}: without TF32 within 0.00001`, (seen) => (seen.models[name].withoutTf32 = 2e-5)],
      ]),
    ],
  },
  precision: {
    good: [
      {
        gpu: 'GPU:0',
        hasHalves: true,
        names: ['mlp'],
        models: { mlp: { frozen: 4e-6, where: ON_GPU(), mixed: 2e-3, halves: 7 } },
      },
      {
        gpu: 'CPU:1',
        hasHalves: false,
        names: ['tf2-functions'],
        models: { 'tf2-functions': { frozen: 0, where: { 'CPU:1': 9 }, mixed: 0, halves: 0 } },
      },
    ],
    wrong: [
      [
        'mlp: most ops of the frozen model ran on the GPU',
        (seen) => (seen.models.mlp.where = { 'CPU:0': 12 }),
      ],
      ['mlp: frozen, without TF32, within 0.0001', (seen) => (seen.models.mlp.frozen = 'Infinity')],
      ['mlp: frozen, mixed precision within 0.01', (seen) => (seen.models.mlp.mixed = 0.02)],
      ['mixed precision computes with halves in at least one model', (seen) => (seen.models.mlp.halves = 0)],
      ['tf2-functions: most ops of the frozen model ran on the GPU', (seen) => (seen.gpu = 'GPU:0'), 1],
      [
        'tf2-functions: frozen, without TF32, within 0.0001',
        (seen) => (seen.models['tf2-functions'].frozen = 0.01),
        1,
      ],
      [
        'tf2-functions: frozen, mixed precision within 0.01',
        (seen) => (seen.models['tf2-functions'].mixed = 1),
        1,
      ],
      ['all models that are there were compared', (seen) => (seen.models = {}), 1],
    ],
  },
  batcher: {
    good: [
      {
        gpu: 'GPU:0',
        where: ON_GPU(),
        batches: 2,
        carried: 64,
        reruns: 0,
        apart: 1e-4,
        neighbours: 0.4,
      },
    ],
    wrong: [
      ['the model runs on the GPU', (seen) => (seen.where = { 'CPU:0': 22 })],
      ['few batches carry all rows', (seen) => (seen.batches = 64)],
      ['few batches carry all rows', (seen) => (seen.reruns = 1)],
      ['each row is as by itself, to 0.003', (seen) => (seen.apart = 0.4)],
      ['and rows differ, so that a mix-up would tell', (seen) => (seen.neighbours = 0)],
    ],
  },
};

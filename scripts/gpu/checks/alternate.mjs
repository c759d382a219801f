// Ten runs of one model on the GPU and the CPU in turn: where the products of each ran, by its own trace.
import { decodeRunMetadata, SavedModel } from 'tf-session';
import { apart, expectation, figure, plain, same, short, within } from '../rig/seen.mjs';

export const title = 'runs alternate between GPU and CPU';
export const needs = [];

export async function see(context) {
  const { folder, inputs, outputs } = await context.fixture('tf2-functions');
  const model = await SavedModel.load(folder, { config: context.config() });
  const runs = [];
  for (let i = 0; i < 10; i++) {
    const device = i % 2 === 0 ? context.gpu : context.cpu;
    let where = [];
    const given = await model.run(inputs, {
      device,
      runOptions: { traceLevel: 'SOFTWARE_TRACE' },
      onRunMetadata: (bytes) => {
        where = productsOf(decodeRunMetadata(bytes));
      },
    });
    runs.push({ device: short(device), where, apart: plain(apart(outputs, given)) });
  }
  return { gpu: short(context.gpu), runs };
}

/** Devices that ran a product of matrices, fused or not. */
function productsOf({ stepStats }) {
  const ran = stepStats.devStats.filter(({ nodeStats }) =>
    nodeStats.some(
      ({ timelineLabel, nodeName }) => /MatMul\(/.test(timelineLabel) || /MatMul$/.test(nodeName),
    ),
  );
  return ran.map(({ device }) => short(device)).sort();
}

export function judge({ gpu, runs }) {
  const asked = runs.map(({ device }) => device);
  return [
    expectation(
      'ten runs, on the GPU and the CPU in turn',
      asked.join(' '),
      runs.length === 10 &&
        asked.every((device, i) => typeof gpu === 'string' && device === (i % 2 === 0 ? gpu : 'CPU:0')),
    ),
    expectation(
      'each ran where it was asked, and nowhere else',
      runs.map(({ where }) => where.join('+') || '?').join(' '),
      runs.every(({ device, where }) => same(where, [device])),
    ),
    expectation(
      'all give the right values, to 1e-3',
      figure(Math.max(...runs.map((run) => run.apart))),
      runs.every((run) => within(run.apart, 0, 1e-3)),
    ),
  ];
}

// Loads and closes, one after the other: what TensorFlow has of the GPU is used again.
import { SavedModel } from 'tf-session';
import { apart, expectation, figure, places, plain, same, short, within } from '../rig/seen.mjs';

export const title = 'loads and closes do not pile up memory of the GPU';
export const needs = [];
const LOADS = 20;
/** Until then all that is made once is there. */
const LEVEL = 5;
const MOST_MIB = 16;

export async function see(context) {
  const { folder, inputs, outputs } = await context.fixture('tf2-functions');
  const used = [];
  let worst = 0;
  const where = new Set();
  for (let i = 0; i < LOADS; i++) {
    const model = await SavedModel.load(folder, { config: context.config() });
    worst = Math.max(worst, apart(outputs, await model.run(inputs, { device: context.gpu })));
    for (const place of places(await model.explain(inputs, { device: context.gpu }), ['MatMul']))
      where.add(place);
    await model.close();
    used.push(context.used().reduce((sum, mib) => sum + mib, 0));
  }
  const hasMemory = context.cards.length > 0;
  return {
    gpu: short(context.gpu),
    loads: used.length,
    where: [...where],
    apart: plain(worst),
    usedMiB: hasMemory ? used : null,
    skipped: hasMemory ? [] : ['memory of the GPU needs nvidia-smi'],
  };
}

export function judge({ gpu, loads, where, apart, usedMiB }) {
  const later = usedMiB?.slice(LEVEL - 1) ?? [];
  const growth = Math.max(...later) - later[0];
  const level = expectation(
    `after the ${LEVEL}th, memory grows by no more than ${MOST_MIB} MiB`,
    `${growth} MiB, of ${later[0]}`,
    usedMiB?.length === LOADS && usedMiB.every((mib) => mib >= 0) && within(growth, 0, MOST_MIB),
  );
  return [
    expectation('all of them were loaded', `${loads}`, loads === LOADS),
    expectation(
      'each ran on the GPU',
      where.join(', '),
      typeof gpu === 'string' && same(where, [`MatMul ${gpu}`]),
    ),
    expectation('with the right values, to 1e-3', figure(apart), within(apart, 0, 1e-3)),
    ...(usedMiB === null ? [] : [level]),
  ];
}

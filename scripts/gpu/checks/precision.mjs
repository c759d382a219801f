// `freeze` and mixed precision on the GPU, beside the CPU's values of the model as it was saved.
import { allCompared, compare, expectation, figure, mostOn, short, within } from '../rig/seen.mjs';

export const title = 'freeze and mixed precision on the GPU keep the values';
export const needs = [];
export const limit = 1800;
/** As of `freeze.verify`. Without TF32, so that what is seen is the freezing. */
const FROZEN = 1e-4;
const MIXED = 1e-2;
/** Cards from here on compute with halves. */
const HALVES = 7;
const mixed = { graphOptions: { rewriteOptions: { autoMixedPrecision: 'ON' } } };

export const parts = {
  async frozen(context, { folder }) {
    const { apart, where } = await compare(context, folder, { freeze: true });
    return { apart, where };
  },
  async mixed(context, { folder }) {
    const { apart, halves } = await compare(context, folder, { freeze: true, config: mixed });
    return { apart, halves };
  },
};

export async function see(context) {
  const { models, skipped } = context.subjects();
  const seen = {};
  for (const data of models) {
    const { apart, where } = await context.aside('frozen', { data, env: { NVIDIA_TF32_OVERRIDE: '0' } });
    const { apart: mixedApart, halves } = await context.aside('mixed', { data });
    seen[data.name] = { frozen: apart, where, mixed: mixedApart, halves };
  }
  // TensorFlow leaves a graph alone in which there is too little to gain, as in a fixture.
  const isReal = models.some(({ name }) => name !== 'tf2-functions');
  const hasHalves = !context.rehearse && isReal && !(context.cards[0]?.capability < HALVES);
  const without = hasHalves
    ? []
    : ['that halves are computed with: needs a GPU of compute capability 7 and a model of real size'];
  return {
    gpu: short(context.gpu),
    hasHalves,
    names: models.map(({ name }) => name),
    models: seen,
    skipped: [...skipped, ...without],
  };
}

export function judge({ gpu, hasHalves, names, models }) {
  const all = Object.entries(models);
  const halves = all.map(([, model]) => model.halves);
  const expectations = all.flatMap(([name, { frozen, where, mixed }]) => [
    expectation(`${name}: most ops of the frozen model ran on the GPU`, where, mostOn(where, gpu)),
    expectation(`${name}: frozen, without TF32, within ${FROZEN}`, figure(frozen), within(frozen, 0, FROZEN)),
    expectation(`${name}: frozen, mixed precision within ${MIXED}`, figure(mixed), within(mixed, 0, MIXED)),
  ]);
  const inUse = expectation(
    'mixed precision computes with halves in at least one model',
    `${halves.join(', ')} kernels give float16`,
    hasHalves === true && halves.every((count) => count >= 0) && halves.some((count) => count > 0),
  );
  const isLeftOut = hasHalves === false && halves.every((count) => count >= 0);
  return [allCompared(names, models), ...expectations, ...(isLeftOut ? [] : [inUse])];
}

// The CPU's values beside the GPU's, with TF32 and without. TensorFlow's switch for it is C++ and Python alone; what is relied on
// here is the variable NVIDIA_TF32_OVERRIDE, which NVIDIA's libraries read for themselves when they are opened.
import { createHash } from 'node:crypto';
import { allCompared, compare, expectation, figure, mostOn, short, within } from '../rig/seen.mjs';

export const title = 'GPU and CPU compute the same values';
export const needs = [];
export const limit = 1800;
/**
 * Of the largest value. A card that cuts bits off for TF32, instead of rounding, would come to 2.2e-3 with the MLP and 8.2e-3 with
 * ResNet50 (computed by masking what goes into each product); a H200 was at 6.5e-5 with ResNet50.
 */
const WITH = 1e-3;
const WITHOUT = 1e-5;

export const parts = {
  async values(context, { name, folder }) {
    const { apart, where, outputs } = await compare(context, folder);
    const hash = createHash('sha256');
    for (const { data } of Object.values(outputs))
      hash.update(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    return { name, apart, where, digest: hash.digest('hex').slice(0, 12) };
  },
};

export async function see(context) {
  const { models, skipped } = context.subjects();
  const seen = {};
  for (const data of models) {
    const plain = await context.aside('values', { data, env: { NVIDIA_TF32_OVERRIDE: undefined } });
    const off = await context.aside('values', { data, env: { NVIDIA_TF32_OVERRIDE: '0' } });
    seen[data.name] = {
      apart: plain.apart,
      withoutTf32: off.apart,
      where: plain.where,
      tf32Changes: plain.digest !== off.digest,
    };
  }
  const tf32 = context.rehearse ? ['what TF32 changes needs a GPU'] : [];
  const capability = context.cards[0]?.capability ?? null;
  return {
    gpu: short(context.gpu),
    names: models.map(({ name }) => name),
    models: seen,
    skipped: [...skipped, ...tf32],
    noted: { capability },
  };
}

export function judge({ gpu, names, models }) {
  const tells = (is) =>
    typeof is === 'boolean' ? `TF32 ${is ? 'changes' : 'does not change'} the values` : 'nothing of TF32';
  const expectations = Object.entries(models).flatMap(
    ([name, { apart, withoutTf32, where, tf32Changes }]) => [
      expectation(`${name}: most ops ran on the GPU`, where, mostOn(where, gpu)),
      expectation(
        `${name}: as it is within ${WITH} of the largest value`,
        figure(apart),
        within(apart, 0, WITH),
      ),
      expectation(
        `${name}: without TF32 within ${WITHOUT}`,
        `${figure(withoutTf32)}; ${tells(tf32Changes)}`,
        within(withoutTf32, 0, WITHOUT) && typeof tf32Changes === 'boolean',
      ),
    ],
  );
  return [allCompared(names, models), ...expectations];
}

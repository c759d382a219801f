// Sixty-four callers' rows, joined to batches on the GPU, beside each row by itself.
import { SavedModel, Tensor } from 'tf-session';
import { apart, counts, expectation, figure, mostOn, plain, short, within } from '../rig/seen.mjs';

export const title = 'the batcher on the GPU gives each caller its own rows';
export const needs = [];
const CALLERS = 64;
/** Batches may take other kernels than single rows, and TF32 keeps ten bits: cut off, three layers of the MLP come to 2.4e-3. */
const TOLERANCE = 3e-3;

export async function see(context) {
  const name = context.model('mlp') === undefined ? 'tf2-functions' : 'mlp';
  const folder = context.model(name) ?? (await context.fixture(name)).folder;
  const model = await SavedModel.load(folder, { config: context.config() });
  const device = context.gpu;
  const [[input, { shape }]] = Object.entries(model.signatures.serving_default.inputs);
  const width = shape.at(-1);
  const row = (k) => ({
    [input]: Tensor.from(
      Float32Array.from({ length: width }, (_, i) => Math.sin(k * width + i)),
      [1, width],
    ),
  });
  const rows = Array.from({ length: CALLERS }, (_, k) => row(k));
  const batcher = model.batcher({ maxBatchSize: CALLERS, device });
  const together = await Promise.all(rows.map((each) => batcher.run(each)));
  const { batches, rows: carried, reruns } = batcher.stats;
  let worst = 0;
  let nearest = Infinity;
  for (const [k, each] of rows.entries()) {
    const alone = await model.run(each, { device });
    worst = Math.max(worst, apart(alone, together[k]));
    // Other callers' rows are not what each should have got.
    if (k > 0) nearest = Math.min(nearest, apart(alone, together[k - 1]));
  }
  const where = counts(await model.explain(rows[0], { device }));
  return {
    gpu: short(device),
    where,
    batches,
    carried,
    reruns,
    apart: plain(worst),
    neighbours: plain(nearest),
    noted: { model: name },
  };
}

export function judge({ gpu, where, batches, carried, reruns, apart, neighbours }) {
  return [
    expectation('the model runs on the GPU', where, mostOn(where, gpu)),
    expectation(
      'few batches carry all rows',
      `${carried} rows in ${batches} batches, ${reruns} run again`,
      carried === CALLERS && within(batches, 1, CALLERS / 4) && reruns === 0,
    ),
    expectation(`each row is as by itself, to ${TOLERANCE}`, figure(apart), within(apart, 0, TOLERANCE)),
    expectation('and rows differ, so that a mix-up would tell', figure(neighbours), neighbours > 1e-2),
  ];
}

// The session's GPUs beside what nvidia-smi shows of the machine.
import { SavedModel } from 'tf-session';
import { expectation, places, same, short, within } from '../rig/seen.mjs';

export const title = 'GPUs are listed with their memory';
export const needs = ['gpu', 'nvidia-smi'];
/** The first of all: where the driver has to compile TensorFlow's kernels, it begins here. */
export const limit = 2700;

export async function see(context) {
  const gpus = await context.gpus(context.config());
  const { folder, inputs } = await context.fixture('tf2-functions');
  const model = await SavedModel.load(folder, { config: context.config() });
  return {
    gpus: gpus.map(({ name, memoryBytes }) => ({ name: short(name), mib: memoryBytes / 2 ** 20 })),
    products: places(await model.explain(inputs), ['MatMul']),
    cards: context.cards.map(({ totalMiB }) => totalMiB),
    isNarrowed: process.env.CUDA_VISIBLE_DEVICES !== undefined,
    noted: { cards: context.cards, CUDA_VISIBLE_DEVICES: process.env.CUDA_VISIBLE_DEVICES ?? null },
  };
}

export function judge({ gpus, products, cards, isNarrowed }) {
  const largest = Math.max(...cards);
  const counts = `${gpus.length} listed, ${cards.length} by nvidia-smi`;
  return [
    expectation(
      'they are numbered from GPU:0',
      gpus.map(({ name }) => name).join(', '),
      gpus.length > 0 &&
        same(
          gpus.map(({ name }) => name),
          gpus.map((_, i) => `GPU:${i}`),
        ),
    ),
    expectation(
      'each has memory, and no more than a card has',
      `${gpus.map(({ mib }) => Math.round(mib)).join(', ')} MiB; cards ${cards.join(', ')} MiB`,
      gpus.every(({ mib }) => within(mib, 1, largest)),
    ),
    expectation(
      'where nothing is asked, products run on the first',
      products.join(', '),
      same(products, ['MatMul GPU:0']),
    ),
    isNarrowed === true
      ? expectation(
          'no more than nvidia-smi shows, some of which CUDA_VISIBLE_DEVICES may hide',
          counts,
          gpus.length <= cards.length,
        )
      : expectation(
          'as many as nvidia-smi shows',
          counts,
          isNarrowed === false && gpus.length === cards.length,
        ),
  ];
}

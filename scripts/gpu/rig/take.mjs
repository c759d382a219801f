// How much of the cards' memory a session takes, by nvidia-smi.
import { SavedModel } from 'tf-session';
import { counts } from './seen.mjs';

/** Loads and runs a small model, on a device or where TensorFlow likes. What it takes is of the card that has grown most, and of all. */
export async function take(context, config, device) {
  const { folder, inputs } = await context.fixture('tf2-functions');
  const before = await context.settled();
  const model = await SavedModel.load(folder, { config });
  await model.run(inputs, { device });
  const grown = context.used().map((mib, i) => mib - before[i]);
  const card = grown.indexOf(Math.max(...grown));
  const isListed = context.isListed();
  const where = counts(await model.explain(inputs, { device }));
  return {
    card,
    mib: grown[card],
    allMiB: grown.reduce((sum, mib) => sum + mib, 0),
    freeMiB: (context.cards[card]?.totalMiB ?? 0) - before[card],
    totalMiB: context.cards[card]?.totalMiB ?? 0,
    isListed,
    where,
  };
}

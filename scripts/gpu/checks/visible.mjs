// `visibleDeviceList`: one GPU of several, a second, and one that is not there.
import { SavedModel } from 'tf-session';
import { counts, expectation, failureOf, isText, mostOn } from '../rig/seen.mjs';
import { take } from '../rig/take.mjs';

export const title = 'visibleDeviceList chooses the GPUs';
export const needs = ['gpu', 'nvidia-smi'];

const only = (list) => ({ gpuOptions: { allowGrowth: true, visibleDeviceList: list } });
const chosen = (list) => async (context) => {
  const config = context.config(only(list));
  const { card } = await take(context, config, context.gpu);
  return { count: (await context.gpus(config)).length, card };
};

export const parts = {
  all: async (context) => ({ count: (await context.gpus(context.config())).length }),
  first: chosen('0'),
  second: chosen('1'),
  async missing(context, list) {
    const { folder, inputs } = await context.fixture('tf2-functions');
    const failure = await failureOf(SavedModel.load(folder, { config: context.config(only(list)) }));
    let where = {};
    const after = await failureOf(
      SavedModel.load(folder, { config: context.config(only('0')) }).then(async (model) => {
        where = counts(await model.explain(inputs, { device: context.gpu }));
      }),
    );
    return { list, failure, where: after.code === 'none' ? where : { [after.message]: 1 } };
  },
};

export async function see(context) {
  const { count } = await context.aside('all');
  const isOne = count < 2;
  const { list, failure, where } = await context.aside('missing', { data: String(count) });
  return {
    count,
    first: await context.aside('first'),
    second: isOne ? null : await context.aside('second'),
    missing: { code: failure.code, message: failure.message, where },
    skipped: isOne ? ['the second of several GPUs: there is one'] : [],
    noted: { list },
  };
}

export function judge({ count, first, second, missing }) {
  const expectations = [
    expectation(
      '"0" leaves one GPU',
      `${first.count} of ${count}`,
      first.count === 1 && Number.isInteger(first.card) && count >= 1,
    ),
    expectation(
      'a GPU that is not there is an error that names the list',
      `${missing.code}: ${missing.message}`,
      missing.code === 'INVALID_ARGUMENT' && isText(missing.message, /visible_?device_?list/i),
    ),
    expectation('after which the process runs on the GPU', missing.where, mostOn(missing.where, 'GPU:0')),
  ];
  if (second === null && count === 1) return expectations;
  const cards = `"0" took memory of card ${first?.card}, "1" of card ${second?.card}`;
  const isOther = second?.count === 1 && Number.isInteger(second.card) && second.card !== first.card;
  return [
    ...expectations,
    expectation('"1" leaves another card', cards, isOther && Number.isInteger(first.card)),
  ];
}

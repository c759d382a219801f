// What the first session of a process settles of its GPUs: a second with the same options runs, another value is told.
import { setTimeout as sleep } from 'node:timers/promises';
import { SavedModel } from 'tf-session';
import { apart, counts, expectation, failureOf, isText, mostOn, plain, within } from '../rig/seen.mjs';

export const title = 'GPU options are settled once a process, and other values are told';
export const needs = ['gpu'];

export async function see(context) {
  const warnings = [];
  process.on('warning', ({ code, message }) => warnings.push({ code, message }));
  const { folder, inputs, outputs } = await context.fixture('tf2-functions');
  const load = (gpuOptions) => SavedModel.load(folder, { config: context.config({ gpuOptions }) });
  const grow = { allowGrowth: true };
  const first = await load(grow);
  const whereOf = async (model) => counts(await model.explain(inputs, { device: context.gpu }));
  const seen = { first: await whereOf(first), second: await whereOf(await load(grow)) };
  const before = warnings.length;
  const otherList = await failureOf(load({ ...grow, visibleDeviceList: '1' }));
  const virtual = await failureOf(
    load({ ...grow, experimental: { virtualDevices: [{ memoryLimitMb: [512, 512] }] } }),
  );
  const fraction = await whereOf(await load({ ...grow, perProcessGpuMemoryFraction: 0.5 }));
  await sleep(50);
  return {
    ...seen,
    before,
    otherList: { code: otherList.code, message: otherList.message },
    virtual: { code: virtual.code, message: virtual.message },
    fraction,
    warning: warnings.at(-1) ?? { code: 'none', message: '' },
    later: {
      where: await whereOf(first),
      apart: plain(apart(outputs, await first.run(inputs, { device: context.gpu }))),
    },
  };
}

const refuses = ({ code, message }, field) => code === 'FAILED_PRECONDITION' && isText(message, field);

export function judge({ first, second, before, otherList, virtual, fraction, warning, later }) {
  return [
    expectation(
      'two sessions with the same options run on the GPU',
      { first, second },
      mostOn(first, 'GPU:0') && mostOn(second, 'GPU:0'),
    ),
    expectation('without a word', `${before} warnings`, before === 0),
    expectation(
      'another visibleDeviceList is FAILED_PRECONDITION, naming it',
      `${otherList.code}: ${otherList.message}`,
      refuses(otherList, /gpuOptions\.visibleDeviceList/),
    ),
    expectation(
      'other virtual devices are FAILED_PRECONDITION, naming them',
      `${virtual.code}: ${virtual.message}`,
      refuses(virtual, /gpuOptions\.experimental\.virtualDevices/),
    ),
    expectation(
      'another fraction, which TensorFlow ignores, is a warning that names it',
      `${warning.code}: ${warning.message}`,
      warning.code === 'TF_SESSION_PROCESS_CONFIG' && isText(warning.message, /perProcessGpuMemoryFraction/),
    ),
    expectation('and that session runs on the GPU', fraction, mostOn(fraction, 'GPU:0')),
    expectation(
      'the first still serves, on the GPU, with the right values',
      later,
      mostOn(later.where, 'GPU:0') && within(later.apart, 0, 1e-3),
    ),
  ];
}

// One card as two GPUs.
import { SavedModel } from 'tf-session';
import { apart, expectation, places, plain, same, short, within } from '../rig/seen.mjs';

export const title = 'two virtual GPUs on one card';
export const needs = ['gpu'];
const MIB = 1024;

export async function see(context) {
  const { folder, inputs, outputs } = await context.fixture('tf2-functions');
  const virtualDevices = [{ memoryLimitMb: [MIB, MIB] }];
  const config = context.config({ gpuOptions: { visibleDeviceList: '0', experimental: { virtualDevices } } });
  const placement = [
    { type: 'MatMul', device: context.second },
    { type: 'BiasAdd', device: context.gpu },
  ];
  const gpus = await context.gpus(config);
  const model = await SavedModel.load(folder, { config, placement, exact: true });
  const report = await model.explain(inputs);
  return {
    gpus: gpus.map(({ name, memoryBytes }) => ({ name: short(name), mib: memoryBytes / 2 ** 20 })),
    places: places(report, ['MatMul', 'BiasAdd']),
    isExact: report.exact,
    apart: plain(apart(outputs, await model.run(inputs))),
  };
}

export function judge({ gpus, places, isExact, apart }) {
  return [
    expectation(
      'GPU:0 and GPU:1 are listed, with the memory that was asked',
      gpus.map(({ name, mib }) => `${name} ${mib} MiB`).join(', '),
      same(
        gpus.map(({ name }) => name),
        ['GPU:0', 'GPU:1'],
      ) && gpus.every(({ mib }) => within(mib, 0.95 * MIB, 1.05 * MIB)),
    ),
    expectation(
      'rules place ops on both',
      places.join(', '),
      same(places, ['BiasAdd GPU:0', 'MatMul GPU:1']),
    ),
    expectation('the report says exact', String(isExact), isExact === true),
    expectation('the values are right, to 1e-3', apart, within(apart, 0, 1e-3)),
  ];
}

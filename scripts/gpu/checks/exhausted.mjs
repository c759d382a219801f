// More than the GPU has: an error of the run, not the end of the process, again and again.
import { SavedModel, Tensor } from 'tf-session';
import { counts, expectation, failureOf, isText, mostOn, within } from '../rig/seen.mjs';

export const title = 'running out of GPU memory is an error, and the process serves on';
export const needs = ['gpu'];
/** TensorFlow waits ten seconds for memory before it gives up, unless it is told not to. */
export const limit = 900;
const LIMIT_MIB = 512;
const ROUNDS = 3;

export async function see(context) {
  const { folder } = await context.fixture('slow');
  const virtualDevices = [{ memoryLimitMb: [LIMIT_MIB] }];
  const experimental = { virtualDevices, ...(context.quick && { disallowRetryOnAllocationFailure: true }) };
  const gpuOptions = { visibleDeviceList: '0', experimental };
  const config = context.config({ gpuOptions, allowSoftPlacement: true });
  const model = await SavedModel.load(folder, { config });
  // A matrix of n x n: 1.6 GB, or none worth speaking of.
  const run = (n) => model.run(inputs(n), { device: context.gpu });
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) {
    const { code, message, op } = await failureOf(run(context.rehearse ? 64 : 20_000));
    const { mean } = await run(64);
    rounds.push({ code, message, op: op ?? '', next: mean.data[0] });
  }
  return { rounds, where: counts(await model.explain(inputs(64), { device: context.gpu })) };
}

const inputs = (n) => ({ k: Tensor.from([2], [], 'int32'), n: Tensor.from([n], [], 'int32') });

export function judge({ rounds, where }) {
  const told = ({ code, op, message }) =>
    `${code} at ${op}: ${/^.*(OOM|alloc).*$/im.exec(message)?.[0] ?? message}`;
  return [
    expectation('it is tried three times', `${rounds.length} times`, rounds.length === ROUNDS),
    expectation(
      'each is RESOURCE_EXHAUSTED',
      rounds.map(({ code }) => code).join(', '),
      rounds.every(({ code }) => code === 'RESOURCE_EXHAUSTED'),
    ),
    expectation(
      'the error names an op',
      rounds.map(told)[0] ?? 'nothing',
      rounds.every(({ op, message }) => isText(op, /./) && isText(message, /./)),
    ),
    expectation(
      'the run after each is well: 1/64',
      rounds.map(({ next }) => next).join(', '),
      rounds.every(({ next }) => within(next, 0.0155, 0.0157)),
    ),
    expectation('on the GPU', where, mostOn(where, 'GPU:0')),
  ];
}

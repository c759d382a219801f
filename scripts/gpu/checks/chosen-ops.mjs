// The README's second case: Conv2D on the GPU, Sigmoid on a CPU device, with soft placement.
import { chosenOps } from '../../examples/chosen-ops.mjs';
import { expectation, places, same } from '../rig/seen.mjs';
import { pitch } from '../rig/subject.mjs';

export const title = "the README's second case: chosen ops on the GPU";
export const needs = ['basic-pitch'];

export async function see(context) {
  const { folder, inputs } = await pitch(context);
  const report = await chosenOps(folder, inputs);
  const asked = report.ops.filter(({ type, actual }) => type === 'Conv2D' && actual !== null);
  return {
    convolutions: places(report, ['Conv2D']),
    count: asked.length,
    reasons: [...new Set(asked.map(({ reason }) => reason))].sort(),
    sigmoids: places(report, ['Sigmoid']),
    // The example names the GPU itself, which in a rehearsal is not there.
    hasGpu: !context.rehearse,
    noted: { transfers: report.transfers.length, exact: report.exact },
  };
}

export function judge({ convolutions, count, reasons, sigmoids, hasGpu }) {
  const where = `${count} ran: ${convolutions.join(', ')} (${reasons.join(', ')})`;
  const isThere = (reason) => typeof reason === 'string' && reason !== 'no such device';
  return [
    hasGpu === false
      ? expectation(
          'without a GPU Conv2D ran on the CPU, and the report says that there is no such device',
          where,
          same(convolutions, ['Conv2D CPU:0']) && same(reasons, ['no such device']),
        )
      : expectation(
          'every Conv2D ran on the GPU',
          where,
          hasGpu === true &&
            same(convolutions, ['Conv2D GPU:0']) &&
            reasons.length > 0 &&
            reasons.every(isThere),
        ),
    expectation('there were some', `${count} Conv2D`, count > 0),
    expectation('every Sigmoid ran on CPU:1', sigmoids.join(', '), same(sigmoids, ['Sigmoid CPU:1'])),
  ];
}

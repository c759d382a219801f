// `deviceCount: { GPU: 0 }`: the GPU is left alone. Beside it the same run with the GPU, which shows that the measure would tell.
import { expectation, same, within } from '../rig/seen.mjs';
import { take } from '../rig/take.mjs';

export const title = 'deviceCount { GPU: 0 } leaves the GPU alone';
export const needs = ['gpu', 'nvidia-smi'];
/** Other programs' memory moves a little. */
const NOISE_MIB = 16;

export const parts = {
  hidden: (context) => take(context, context.config({ gpuOptions: {}, deviceCount: { GPU: 0 } })),
  used: (context) => take(context, context.config(), context.gpu),
};

export async function see(context) {
  const hidden = await context.aside('hidden');
  const used = await context.aside('used');
  return {
    hidden: { allMiB: hidden.allMiB, isListed: hidden.isListed, devices: Object.keys(hidden.where) },
    used: { allMiB: used.allMiB, isListed: used.isListed },
    skipped: used.isListed
      ? []
      : ['the list of processes on the GPU: nvidia-smi shows those of this system not'],
    noted: { used },
  };
}

export function judge({ hidden, used }) {
  const expectations = [
    expectation('it takes no memory', `${hidden.allMiB} MiB`, within(hidden.allMiB, -NOISE_MIB, NOISE_MIB)),
    expectation('the same run with the GPU takes some', `${used.allMiB} MiB`, used.allMiB > 4 * NOISE_MIB),
    expectation('all ops ran on the CPU', hidden.devices.join(', '), same(hidden.devices, ['CPU:0'])),
  ];
  if (used.isListed === false && hidden.isListed === false) return expectations;
  const listed = `hidden: ${hidden.isListed}, with the GPU: ${used.isListed}`;
  const isSo = hidden.isListed === false && used.isListed === true;
  return [...expectations, expectation('nvidia-smi lists the process with the GPU alone', listed, isSo)];
}

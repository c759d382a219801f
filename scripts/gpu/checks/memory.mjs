// How much of a card the options take: growing, a quarter, and TensorFlow's default.
import { expectation, within } from '../rig/seen.mjs';
import { take } from '../rig/take.mjs';

export const title = 'GPU memory is what the options say';
export const needs = ['gpu', 'nvidia-smi'];
const FRACTION = 0.25;
/** What CUDA and its libraries take beside TensorFlow's own memory. */
const CONTEXT_MIB = 1500;

const options = {
  growing: { allowGrowth: true },
  fraction: { perProcessGpuMemoryFraction: FRACTION },
  whole: {},
};
/** One card: more would be taken all at once. */
export const parts = Object.fromEntries(
  Object.entries(options).map(([name, gpuOptions]) => [
    name,
    (context) =>
      take(context, context.config({ gpuOptions: { ...gpuOptions, visibleDeviceList: '0' } }), context.gpu),
  ]),
);

export async function see(context) {
  const seen = {};
  for (const name of Object.keys(options)) {
    const { mib, freeMiB, totalMiB } = await context.aside(name);
    seen[name] = { mib, freeMiB, totalMiB };
  }
  const { growing, fraction, whole } = seen;
  return {
    growing: { mib: growing.mib },
    fraction: { mib: fraction.mib, totalMiB: fraction.totalMiB },
    whole: { mib: whole.mib, freeMiB: whole.freeMiB },
    noted: seen,
  };
}

export function judge({ growing, fraction, whole }) {
  const quarter = FRACTION * fraction.totalMiB;
  return [
    expectation(
      'allowGrowth takes little',
      `${growing.mib} MiB`,
      within(growing.mib, 1, Math.min(4096, whole.mib / 2)),
    ),
    expectation(
      `perProcessGpuMemoryFraction ${FRACTION} takes such a part of the card`,
      `${fraction.mib} of ${fraction.totalMiB} MiB`,
      within(fraction.mib, 0.8 * quarter, 1.3 * quarter + CONTEXT_MIB),
    ),
    expectation(
      'the default takes most of what is free',
      `${whole.mib} of ${whole.freeMiB} MiB`,
      whole.mib > whole.freeMiB / 2,
    ),
  ];
}

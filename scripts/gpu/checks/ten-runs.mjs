// The README's third case: ten runs that alternate between two devices.
import { alternate } from '../../examples/alternate.mjs';
import { apart, expectation, figure, mostOn, plain, short, within } from '../rig/seen.mjs';
import { pitch } from '../rig/subject.mjs';

export const title = "the README's third case: ten runs that alternate";
export const needs = [];
/** Logarithms make 1e-4 of the last bits, and 0.2 of TF32's, which is why it is off. */
const TOLERANCE = 1e-2;

export const parts = { runs };

export const see = (context) => context.aside('runs', { env: { NVIDIA_TF32_OVERRIDE: '0' } });

async function runs(context) {
  const { name, folder, inputs, skipped } = await pitch(context);
  const ten = await alternate(folder, inputs);
  return {
    pair: context.rehearse ? ['/CPU:1', '/CPU:2'] : ['/GPU:0', '/CPU:0'],
    runs: ten.map(({ device, counts, outputs }) => ({
      device,
      kernels: Object.fromEntries(Object.entries(counts).map(([full, count]) => [short(full), count])),
      apart: plain(apart(ten[0].outputs, outputs)),
    })),
    skipped,
    noted: { model: name },
  };
}

export function judge({ pair, runs }) {
  const told = runs.map(({ device, kernels }) => `${device} ${JSON.stringify(kernels)}`);
  const other = (device) => short(pair[pair.indexOf(device) === 0 ? 1 : 0]);
  const isThere = ({ device, kernels }) =>
    mostOn(kernels, device) && (other(device) === 'CPU:0' || kernels[other(device)] === undefined);
  return [
    expectation(
      'ten runs, device by device in turn',
      `${runs.length} runs`,
      runs.length === 10 && runs.every(({ device }, i) => device === pair[i % 2]),
    ),
    expectation(
      'most kernels of each ran where it was asked',
      told.slice(0, 2).join('; '),
      runs.length > 0 && runs.every(isThere),
    ),
    expectation(
      `their values are equal, to ${TOLERANCE}`,
      figure(Math.max(...runs.map((run) => run.apart))),
      runs.every((run) => within(run.apart, 0, TOLERANCE)),
    ),
  ];
}

// The README's third case: ten runs that alternate between two devices.
import { alternate } from '../../examples/alternate.mjs';
import { apart, expectation, figure, mostOn, plain, short, within } from '../seen.mjs';
import { pitch } from '../subject.mjs';

export const title = "the README's third case: ten runs that alternate";
export const needs = [];
/** Logarithms of small numbers make more of TF32's rounding. */
const TOLERANCE = 1e-2;

export async function see(context) {
  const { name, folder, inputs, skipped } = await pitch(context);
  const runs = await alternate(folder, inputs);
  return {
    pair: context.rehearse ? ['/CPU:1', '/CPU:2'] : ['/GPU:0', '/CPU:0'],
    runs: runs.map(({ device, counts, outputs }) => ({
      device,
      kernels: Object.fromEntries(Object.entries(counts).map(([full, count]) => [short(full), count])),
      apart: plain(apart(runs[0].outputs, outputs)),
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

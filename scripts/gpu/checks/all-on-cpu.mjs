// The README's first case: everything on the CPU, whatever the machine has.
import { allOnCpu } from '../../examples/all-on-cpu.mjs';
import { counts, expectation, same } from '../rig/seen.mjs';
import { pitch } from '../rig/subject.mjs';

export const title = "the README's first case: everything on the CPU";
export const needs = [];

export async function see(context) {
  const { name, folder, inputs, skipped } = await pitch(context);
  const { devices, report } = await allOnCpu(folder, inputs);
  const where = counts(report);
  return {
    types: devices.map(({ type }) => type),
    devices: Object.keys(where),
    ran: where['CPU:0'] ?? 0,
    skipped,
    noted: { model: name },
  };
}

export function judge({ types, devices, ran }) {
  return [
    expectation('the session has no GPU', types.join(', '), same(types, ['CPU'])),
    expectation('every op ran on the CPU', devices.join(', '), same(devices, ['CPU:0'])),
    expectation('and there were ops', `${ran} ops`, ran > 10),
  ];
}

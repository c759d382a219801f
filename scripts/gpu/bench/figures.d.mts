import type { Rates } from './cards.mjs';
import type { Device } from './cases.mjs';

export interface Measurement {
  who: string;
  model: string;
  device: Device;
  variant: string;
  batch: number;
  inFlight?: number;
  medianUs: number;
  firstUs?: number;
  busy?: number;
  watts?: number;
}
export interface Entry extends Omit<Measurement, 'firstUs'> {
  processes: number;
  rowsPerSecond: number;
  firstMs: number | undefined;
}
interface Pair {
  model: string;
  batch: number;
}
type Maybe = number | undefined;
export function entriesOf(measurements: Measurement[]): Entry[];
export function speedUps(
  entries: Entry[],
): (Pair & { cpu: Maybe; gpu: Maybe; times: Maybe; bestCpu?: Entry; bestGpu?: Entry; bestTimes: Maybe })[];
export function ratios(entries: Entry[]): (Pair & {
  device: Device;
  ours: Maybe;
  raw: Maybe;
  python: Maybe;
  toRaw: Maybe;
  toPython: Maybe;
})[];
export function shares(
  entries: Entry[],
  flops: Record<string, number>,
  peak: Partial<Rates>,
  sheet: Rates | undefined,
): (Pair & {
  variant: string;
  precision: string;
  rowsPerSecond: Maybe;
  inFlight: Maybe;
  perSecond: number;
  ofPeak: Maybe;
  ofSheet: Maybe;
})[];

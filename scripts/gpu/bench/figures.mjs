// What the measurements come to: medians, speed-ups, ratios, shares of the peak. Nothing here measures.
import { median } from '../../measure/figures.mjs';
import { MODELS, VARIANTS } from './cases.mjs';

const keyOf = ({ who, model, device, variant, batch, inFlight = 1 }) =>
  [who, model, device, variant, batch, inFlight].join('|');

/**
 * One entry for each program, model, device, variant, batch and number of runs in flight: medians over the processes.
 *
 * @param {object[]} measurements
 */
export function entriesOf(measurements) {
  const groups = measurements.reduce(
    (map, each) => map.set(keyOf(each), [...(map.get(keyOf(each)) ?? []), each]),
    new Map(),
  );
  return [...groups.values()].map((group) => {
    const { who, model, device, variant, batch, inFlight = 1 } = group[0];
    const of = (key) => group.map((each) => each[key]).filter((value) => Number.isFinite(value));
    const middle = (key) => (of(key).length === 0 ? undefined : median(of(key)));
    const medianUs = median(of('medianUs'));
    return {
      ...{ who, model, device, variant, batch, inFlight, medianUs },
      processes: group.length,
      rowsPerSecond: (batch * 1e6) / medianUs,
      // Of the first process: later ones may find compiled code in a cache of the driver's.
      firstMs: group[0].firstUs === undefined ? undefined : group[0].firstUs / 1000,
      busy: middle('busy'),
      watts: middle('watts'),
    };
  });
}

/** One run after the other. */
const single = (entries) => entries.filter(({ inFlight }) => inFlight === 1);

function find(entries, wanted) {
  return entries.find((entry) => Object.entries(wanted).every(([key, value]) => entry[key] === value));
}

/** Models and batches that something was measured of, in the plan's order. */
function pairs(entries) {
  return Object.keys(MODELS).flatMap((model) =>
    [...new Set(entries.filter((entry) => entry.model === model).map(({ batch }) => batch))]
      .sort((a, b) => a - b)
      .map((batch) => ({ model, batch })),
  );
}

const over = (a, b) => (a === undefined || b === undefined ? undefined : a / b);

function best(entries) {
  return entries.reduce((a, b) => (a === undefined || b.rowsPerSecond > a.rowsPerSecond ? b : a), undefined);
}

/** Rows a second of this library on both devices: as saved, and by the fastest variant of each. */
export function speedUps(entries) {
  const ours = single(entries).filter(({ who }) => who === 'ours');
  return pairs(ours).map((pair) => {
    const of = (device, more) => ours.filter((entry) => find([entry], { ...pair, device, ...more }));
    const [cpu] = of('CPU', { variant: 'saved' });
    const [gpu] = of('GPU', { variant: 'saved' });
    const [bestCpu, bestGpu] = [best(of('CPU')), best(of('GPU'))];
    return {
      ...pair,
      ...{ cpu: cpu?.rowsPerSecond, gpu: gpu?.rowsPerSecond },
      times: over(gpu?.rowsPerSecond, cpu?.rowsPerSecond),
      ...{ bestCpu, bestGpu, bestTimes: over(bestGpu?.rowsPerSecond, bestCpu?.rowsPerSecond) },
    };
  });
}

/** Times as saved, of this library to those of C and of Python on the same device. */
export function ratios(entries) {
  return pairs(entries).flatMap((pair) =>
    ['GPU', 'CPU'].flatMap((device) => {
      const of = (who) => find(single(entries), { ...pair, device, variant: 'saved', who })?.medianUs;
      const [ours, raw, python] = [of('ours'), of('raw'), of('python')];
      if (raw === undefined && python === undefined) return [];
      return [{ ...pair, device, ours, raw, python, toRaw: over(ours, raw), toPython: over(ours, python) }];
    }),
  );
}

/**
 * What of the card's peak a model comes to at its largest batch, one run after the other or several at a time.
 *
 * @param {Record<string, number>} flops Of one row, by model.
 * @param {{ float32?: number, float16?: number }} peak Measured, in operations a second.
 * @param {{ float32: number, float16: number } | undefined} sheet
 */
export function shares(entries, flops, peak, sheet) {
  const ours = entries.filter(({ who, device }) => who === 'ours' && device === 'GPU');
  return Object.keys(MODELS).flatMap((model) =>
    Object.entries(VARIANTS).flatMap(([variant, { precision }]) => {
      const found = ours.filter((entry) => entry.model === model && entry.variant === variant);
      if (found.length === 0 || flops[model] === undefined) return [];
      const batch = Math.max(...found.map((entry) => entry.batch));
      const large = found.filter((entry) => entry.batch === batch);
      const [one] = single(large);
      const many = large.find(({ inFlight }) => inFlight > 1);
      const perSecond = flops[model] * best(large).rowsPerSecond;
      return [
        {
          ...{ model, variant, precision, batch, perSecond },
          ...{ rowsPerSecond: one?.rowsPerSecond, inFlight: many?.rowsPerSecond },
          ofPeak: over(perSecond, peak[precision]),
          ofSheet: over(perSecond, sheet?.[precision]),
        },
      ];
    }),
  );
}

// The figures as tables, for Markdown and for the page. What could not be measured is a dash.
import { MODELS, VARIANTS, variantTitle, WHO } from './cases.mjs';
import { entriesOf, ratios, shares, speedUps } from './figures.mjs';

export const REHEARSAL = 'Rehearsal on the CPU: not a GPU’s figures.';

const isThere = (value) => typeof value === 'number' && Number.isFinite(value);
const or = (format) => (value) => (isThere(value) ? format(value) : '-');
const rate = or((value) => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en')));
const ms = or((value) =>
  value < 10 ? value.toFixed(3) : value < 1000 ? value.toFixed(1) : value.toFixed(0),
);
const usAsMs = (us) => ms(isThere(us) ? us / 1000 : undefined);
const times = or((value) => `${value.toFixed(value < 10 ? 2 : 0)}x`);
const two = or((value) => value.toFixed(2));
const percent = or((value) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`);
const tera = or((value) => (value / 1e12).toFixed(value < 1e13 ? 2 : 1));
const whole = or((value) => value.toFixed(0));
const bestOf = (entry) =>
  entry === undefined ? '-' : `${rate(entry.rowsPerSecond)} (${variantTitle(entry.variant, entry.device)})`;

/**
 * @typedef {{ title: string, note?: string, head: string[], rows: string[][], bars?: { label: string, value: number, text: string }[], isLong?: boolean }} Section
 * `isLong`: not for the summary.
 */

/**
 * @param {object} result What bench.json holds.
 * @returns {Section[]}
 */
export function sectionsOf(result) {
  const entries = entriesOf(result.measurements);
  return [
    facts(result),
    against(entries),
    ratioSection(entries),
    shareSection(entries, result),
    peakSection(result),
    everything(entries),
    places(result.seen),
    {
      title: 'What failed',
      head: ['what', 'error', ''],
      rows: result.problems.map(({ what, error, isExpected }) => [
        what,
        error,
        isExpected ? 'to be expected' : 'a failure',
      ]),
    },
    {
      title: 'Left out',
      head: ['what', 'why'],
      rows: result.leftOut.map(({ what, why }) => [what, why]),
    },
  ].filter(({ rows }) => rows.length > 0);
}

function facts({ made, tensorflow, library, card, machine, node, seconds, quick, python }) {
  return {
    title: 'Measured on',
    head: ['what', ''],
    rows: [
      ['card', card === undefined ? 'unknown' : `${card.name}, driver ${card.driver ?? 'unknown'}`],
      ['CPU', `${machine.cpu}, ${machine.cores} threads`],
      ['TensorFlow', `${tensorflow}, ${library}`],
      ['Node', node],
      ['Python', python ?? 'not there'],
      ['when', `${made}, ${whole(seconds)} s of work${quick ? ', a quick run' : ''}`],
    ],
  };
}

function against(entries) {
  const pairs = speedUps(entries);
  return {
    title: 'CPU against GPU, rows a second',
    note: 'By this library, await run, one run after the other; inputs and outputs are copied in each, to the card and back, too.',
    head: ['model', 'batch', 'CPU as saved', 'GPU as saved', 'times', 'CPU at best', 'GPU at best', 'times'],
    rows: pairs.map(({ model, batch, cpu, gpu, times: factor, bestCpu, bestGpu, bestTimes }) => [
      MODELS[model],
      String(batch),
      rate(cpu),
      rate(gpu),
      times(factor),
      bestOf(bestCpu),
      bestOf(bestGpu),
      times(bestTimes),
    ]),
    bars: pairs
      .filter(({ bestTimes }) => isThere(bestTimes))
      .map(({ model, batch, bestTimes }) => ({
        label: `${MODELS[model]}, batch ${batch}`,
        value: bestTimes,
        text: times(bestTimes),
      })),
  };
}

function ratioSection(entries) {
  return {
    title: 'This library against raw C and Python',
    note: 'Time of a run as saved, with the same ConfigProto, in fresh processes that take turns. Below 1 this library is faster.',
    head: [
      'model',
      'batch',
      'device',
      'ours, ms',
      'raw C, ms',
      'ours / raw C',
      'Python, ms',
      'ours / Python',
    ],
    rows: ratios(entries).map(({ model, batch, device, ours, raw, python, toRaw, toPython }) => [
      MODELS[model],
      String(batch),
      device,
      usAsMs(ours),
      usAsMs(raw),
      two(toRaw),
      usAsMs(python),
      two(toPython),
    ]),
  };
}

function shareSection(entries, { flops, peak, sheet }) {
  const found = shares(entries, flops, peak, sheet);
  return {
    title: 'Share of the card’s peak, at the largest batch',
    note: 'Multiplications and additions of convolutions and matrix products, to what one large MatMul comes to in the same library on the same card, and to the dense peak of NVIDIA’s data sheet. Rows come from the host in each run: of several in flight one is copied while another computes; the better one counts.',
    head: [
      'model',
      'variant',
      'batch',
      'rows/s',
      'in flight',
      'TFLOP/s',
      'of MatMul',
      'of the data sheet',
      'precision',
    ],
    rows: found.map(
      ({ model, variant, precision, batch, rowsPerSecond, inFlight, perSecond, ofPeak, ofSheet }) => [
        MODELS[model],
        VARIANTS[variant].title,
        String(batch),
        rate(rowsPerSecond),
        rate(inFlight),
        tera(perSecond),
        percent(ofPeak),
        percent(ofSheet),
        precision,
      ],
    ),
    bars: found
      .filter(({ ofPeak }) => isThere(ofPeak))
      .map(({ model, variant, ofPeak }) => ({
        label: `${MODELS[model]}, ${VARIANTS[variant].title}`,
        value: ofPeak,
        text: percent(ofPeak),
      })),
  };
}

function peakSection({ peak, sheet, matrix }) {
  return {
    title: 'The card’s peak, TFLOP/s',
    note: `Measured: products of ${matrix} x ${matrix} matrices. The data sheet’s float32 is TF32 where the card has it; figures are dense, and NVIDIA’s, not measured here.`,
    head: ['type', 'MatMul, measured', 'data sheet', 'share'],
    rows: ['float32', 'float16']
      .filter((dtype) => isThere(peak[dtype]) || sheet !== undefined)
      .map((dtype) => [
        dtype,
        tera(peak[dtype]),
        tera(sheet?.[dtype]),
        percent(sheet === undefined ? undefined : peak[dtype] / sheet[dtype]),
      ]),
  };
}

function everything(entries) {
  return {
    title: 'Everything measured',
    note: 'Medians over the processes of the median run. First: the longest of the first three runs, in which TensorFlow prepares the graph for the batch, tries algorithms, and XLA compiles (of C and Python, the first). GPU busy and its power are nvidia-smi’s.',
    isLong: true,
    head: [
      'model',
      'device',
      'variant',
      'program',
      'batch',
      'ms',
      'rows/s',
      'first, ms',
      'GPU busy',
      'watts',
      'of',
    ],
    rows: entries.map((entry) => [
      MODELS[entry.model],
      entry.device,
      variantTitle(entry.variant, entry.device),
      WHO[entry.who],
      String(entry.batch),
      String(entry.inFlight),
      usAsMs(entry.medianUs),
      rate(entry.rowsPerSecond),
      ms(entry.firstMs),
      percent(isThere(entry.busy) ? entry.busy / 100 : undefined),
      whole(entry.watts),
      `${entry.processes}`,
    ]),
  };
}

function places(seen) {
  return {
    title: 'Where ops ran',
    note: 'Of one traced run: kernels by device, those that gave float16 or bfloat16, and what XLA compiled.',
    isLong: true,
    head: ['what', 'kernels', 'in half precision', 'clusters of XLA'],
    rows: seen.map(({ what, kernels, halves, clusters, error }) =>
      error === undefined
        ? [
            what,
            Object.entries(kernels)
              .map(([device, count]) => `${device} ${count}`)
              .join(', '),
            String(halves),
            String(clusters),
          ]
        : [what, error, '-', '-'],
    ),
  };
}

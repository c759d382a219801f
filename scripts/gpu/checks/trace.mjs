// What the report and the trace of a run over GPU and CPU have: what crosses, with its bytes, and the GPU's rows.
import { SavedModel } from 'tf-session';
import { expectation, same, short, within } from '../rig/seen.mjs';

export const title = 'report and trace show what the GPU does';
export const needs = [];
/** TensorFlow counts what streams do from another zero than ops, or has done so. */
const LONGEST_S = 60;

export async function see(context) {
  const { folder, inputs } = await context.fixture('tf2-functions');
  const placement = [
    { type: 'MatMul', device: context.gpu },
    { op: '**', device: '/CPU:0' },
  ];
  const model = await SavedModel.load(folder, { config: context.config(), placement });
  const trace = await model.trace(inputs, { warmUp: 1, traceLevel: 'FULL_TRACE' });
  const gpu = short(context.gpu);
  const crossing = (from, to) => {
    const some = trace.report.transfers.filter((each) => short(each.from) === from && short(each.to) === to);
    return { count: some.length, bytes: some.map(({ bytes }) => bytes) };
  };
  const streams = {};
  for (const { device, stream } of trace.events) {
    if (stream !== '' && short(device) === gpu) streams[stream] = (streams[stream] ?? 0) + 1;
  }
  const chrome = trace.toChromeTrace().traceEvents;
  const named = chrome.filter(({ name }) => name === 'process_name').map(({ args }) => String(args.name));
  const [starts, ends] = [
    trace.events.map(({ startUs }) => startUs),
    trace.events.map(({ startUs, durationUs }) => startUs + durationUs),
  ];
  const kernels = trace.events.filter(({ device, stream }) => short(device) === gpu && stream === '');
  return {
    gpu,
    there: crossing('CPU:0', gpu),
    back: crossing(gpu, 'CPU:0'),
    arrows: trace.transfers.length,
    kernels: kernels.length,
    seconds: (Math.max(...ends) - Math.min(...starts)) / 1e6,
    processes: [gpu, 'CPU:0'].filter((device) => named.some((name) => name.includes(device))),
    skipped: Object.keys(streams).length > 0 ? [] : [noStreams(context, trace)],
    noted: { streams, events: trace.events.length },
  };
}

function noStreams({ rehearse }, { events, devices }) {
  if (rehearse) return "rows of the GPU's streams need a GPU";
  const has = `the trace has ${events.length} events of ${devices.map(short).join(', ')}`;
  return `rows of the GPU's streams: TensorFlow recorded none (CUPTI may not be allowed to look); ${has}`;
}

export function judge({ gpu, there, back, arrows, kernels, seconds, processes, noted }) {
  const crosses = ({ count, bytes }) =>
    count > 0 && bytes.length === count && bytes.every((each) => each > 0);
  const tell = ({ count, bytes }) => `${count} tensors, ${bytes.join(' + ')} bytes`;
  return [
    expectation('what goes to the GPU is listed, with bytes', tell(there), crosses(there)),
    expectation('what comes back is, too', tell(back), crosses(back)),
    expectation('the trace has arrows for them', `${arrows}`, arrows > 0),
    expectation(
      'it has kernels of the GPU',
      `${kernels}; by stream: ${JSON.stringify(noted?.streams)}`,
      kernels > 0,
    ),
    expectation(
      `all of it lies within ${LONGEST_S} s, what streams did, too`,
      `${seconds} s`,
      within(seconds, 0, LONGEST_S),
    ),
    expectation(
      "the file for Perfetto has both devices' rows",
      processes.join(', '),
      typeof gpu === 'string' && same(processes, [gpu, 'CPU:0']),
    ),
  ];
}

// How late a timer of a millisecond comes while the GPU is kept busy.
import { SavedModel, Tensor } from 'tf-session';
import { counts, expectation, inputsFor, mostOn, short, within } from '../rig/seen.mjs';

export const title = 'the event loop stays free while the GPU is busy';
export const needs = [];
const IN_FLIGHT = 4;

export async function see(context) {
  const name = ['resnet', 'mlp'].find((each) => context.model(each) !== undefined) ?? 'slow';
  const folder = context.model(name) ?? (await context.fixture(name)).folder;
  const model = await SavedModel.load(folder, { config: context.config({ allowSoftPlacement: true }) });
  const scalar = (value) => Tensor.from([value], [], 'int32');
  const inputs =
    name === 'slow' ? { k: scalar(20), n: scalar(512) } : inputsFor(model, context.rehearse ? 1 : 8);
  const options = { device: context.gpu };
  await model.run(inputs, options);
  const where = counts(await model.explain(inputs, options));
  const seconds = context.quick ? 2 : 8;
  const { delays, runs } = await busy(seconds, () => model.run(inputs, options));
  const at = (share) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))];
  return {
    gpu: short(context.gpu),
    where,
    seconds,
    runs,
    turns: delays.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: delays.at(-1),
    isRehearsal: context.rehearse,
    skipped: context.rehearse ? ['the limits of the delays need a GPU: here the ops take the cores'] : [],
    noted: { model: name, inFlight: IN_FLIGHT },
  };
}

/** Delays beyond the millisecond that each timer was asked for, in order of size. */
async function busy(seconds, run) {
  const end = performance.now() + seconds * 1000;
  const delays = [];
  let runs = 0;
  const work = async () => {
    while (performance.now() < end) {
      await run();
      runs++;
    }
  };
  let since = performance.now();
  const tick = () => {
    const now = performance.now();
    delays.push(Math.max(0, now - since - 1));
    since = now;
    if (now < end) timer = setTimeout(tick, 1);
  };
  let timer = setTimeout(tick, 1);
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  clearTimeout(timer);
  return { delays: delays.sort((a, b) => a - b), runs };
}

export function judge({ gpu, where, seconds, runs, turns, p50Ms, p99Ms, maxMs, isRehearsal }) {
  const late = `p50 ${p50Ms?.toFixed?.(2)} ms, p99 ${p99Ms?.toFixed?.(2)} ms, at most ${maxMs?.toFixed?.(1)} ms`;
  const least = isRehearsal === true ? 20 : 100;
  const limits = expectation(
    'p50 below 5 ms, p99 below 20 ms, all below 150 ms',
    late,
    isRehearsal === false && within(p50Ms, 0, 5) && within(p99Ms, 0, 20) && within(maxMs, 0, 150),
  );
  return [
    expectation('the work is on the GPU', where, mostOn(where, gpu)),
    expectation('runs went on all the while', `${runs} runs in ${seconds} s`, runs > seconds),
    expectation(`more than ${least} turns a second`, `${turns} turns`, turns > least * seconds),
    ...(isRehearsal === true && [p50Ms, p99Ms, maxMs].every((ms) => ms >= 0) ? [] : [limits]),
  ];
}

// What checks have in common: where ops ran, how far values are apart, and how an expectation is written down.
import { SavedModel, Tensor } from 'tf-session';
import { values } from '../../bench/programs/timing.mjs';

/** `/job:localhost/replica:0/task:0/device:GPU:0` -> `GPU:0` */
export const short = (device) => String(device).split('/').at(-1).replace('device:', '').replace(/^\//, '');

/**
 * @param {string} what The same for every observation, so that it has a name.
 * @param {unknown} saw
 * @param {boolean} holds Anything but true is false: what was not seen holds nothing.
 */
export function expectation(what, saw, holds) {
  return {
    what,
    saw: typeof saw === 'string' ? saw : (JSON.stringify(saw) ?? 'nothing'),
    holds: holds === true,
  };
}

/** That no model is left out: `names` are those that are there, `models` what was seen of each. */
export const allCompared = (names, models) =>
  expectation(
    'all models that are there were compared',
    names.join(', '),
    names.length > 0 && same(names, Object.keys(models)),
  );

/** False for what is no number. */
export const within = (value, least, most) =>
  typeof value === 'number' && value >= least && value <= most && Number.isFinite(least + most);

export const isText = (value, pattern) => typeof value === 'string' && pattern.test(value);

/** Whether two lists have the same elements, in their order. */
export const same = (a, b) => Array.isArray(a) && JSON.stringify(a) === JSON.stringify(b);

/** A small figure, or what stands in its place. */
export const figure = (value) => (typeof value === 'number' ? value.toExponential(1) : String(value));

/** Where ops of these types ran: `['BiasAdd CPU:0', 'MatMul GPU:0']`. */
export function places({ ops }, types) {
  const ran = ops.filter(({ type, actual }) => actual !== null && types.includes(type));
  return [...new Set(ran.map(({ type, actual }) => `${type} ${short(actual)}`))].sort();
}

/** How many ops ran where: `{ 'GPU:0': 12 }`. */
export function counts({ ops }) {
  const count = {};
  for (const { actual } of ops) if (actual !== null) count[short(actual)] = (count[short(actual)] ?? 0) + 1;
  return count;
}

/** The largest difference of outputs by name, as a share of the largest value of its output; infinite where they cannot be compared. */
export function apart(wanted, given) {
  return Math.max(0, ...Object.entries(wanted).map(([name, tensor]) => apartOf(tensor, given[name])));
}

function apartOf(wanted, given) {
  if (given === undefined || wanted.dtype !== given.dtype || !same(wanted.shape, given.shape))
    return Infinity;
  if (wanted.dtype === 'string') return same(wanted.data.map(String), given.data.map(String)) ? 0 : Infinity;
  const [a, b] = [wanted.toNumbers(), given.toNumbers()];
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < a.length; i++) {
    const step = Math.abs(a[i] - b[i]);
    // NaN, too.
    if (!(step < Infinity)) return Infinity;
    difference = Math.max(difference, step);
    largest = Math.max(largest, Math.abs(a[i]));
  }
  return difference === 0 ? 0 : difference / Math.max(largest, Number.MIN_VALUE);
}

/** Inputs for a signature, open dimensions filled in: so many rows, of all others one. */
export function inputsFor(model, rows) {
  const { serving_default: signature = Object.values(model.signatures)[0] } = model.signatures;
  const inputs = Object.entries(signature.inputs).map(([name, { dtype, shape }]) => {
    const dims = shape.map((size, i) => (i === 0 && size === -1 ? rows : Math.max(1, size)));
    const floats = values(dims, 'float32');
    if (dtype === 'float32') return [name, Tensor.from(floats, dims)];
    const whole = Array.from(floats, (value) => Math.round(value * 100));
    return [name, Tensor.from(dtype === 'int64' ? whole.map(BigInt) : whole, dims, dtype)];
  });
  return Object.fromEntries(inputs);
}

/** A model's outputs, where its ops ran, and how many of them gave halves. */
export async function outputsOf(folder, rows, loadOptions, runOptions = {}) {
  const model = await SavedModel.load(folder, loadOptions);
  const inputs = inputsFor(model, rows);
  const outputs = await model.run(inputs, runOptions);
  const { report, events } = await model.trace(inputs, { ...runOptions, traceLevel: 'SOFTWARE_TRACE' });
  await model.close();
  const isHalf = (event) => event.outputs.some(({ dtype }) => dtype === 'float16');
  return { outputs, where: counts(report), halves: events.filter(isHalf).length };
}

/** Whether more than half of the ops ran on a device. */
export function mostOn(where, device) {
  const all = Object.values(where ?? {}).reduce((sum, count) => sum + count, 0);
  return all > 0 && where[short(device)] > all / 2;
}

/** The code and the message of what a promise rejects with; of what it gives, `{ code: 'none' }`. */
export async function failureOf(promise) {
  try {
    await promise;
    return { code: 'none', message: '', op: null };
  } catch (error) {
    return { code: error.code ?? error.name, message: error.message, op: error.op ?? null };
  }
}

/** That a number comes out of `see`, and JSON has none that are infinite. */
export const plain = (value) => (Number.isFinite(value) ? value : String(value));

/** A model's values on the GPU, loaded with options, beside those of the CPU as it was saved. */
export async function compare(context, folder, { freeze = false, config = {} } = {}) {
  const cpuConfig = { deviceCount: { CPU: context.rehearse ? 4 : 1, GPU: 0 } };
  const cpu = await outputsOf(folder, 2, { config: cpuConfig });
  const options = { config: context.config({ allowSoftPlacement: true, ...config }), freeze };
  const gpu = await outputsOf(folder, 2, options, { device: context.gpu });
  return { ...gpu, apart: plain(apart(cpu.outputs, gpu.outputs)) };
}

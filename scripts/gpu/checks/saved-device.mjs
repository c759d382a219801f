// Models with `/device:GPU:0` saved in them: as they are, with their devices forgotten, and in sessions without a GPU.
import { SavedModel } from 'tf-session';
import { apart, expectation, failureOf, isText, places, plain, same, within } from '../rig/seen.mjs';

export const title = 'models that were saved with /device:GPU:0';
export const needs = [];
const FIXTURES = ['saved-on-gpu', 'saved-on-gpu-tf1'];

export async function see(context) {
  const models = {};
  for (const name of FIXTURES) models[name] = await look(context, await context.fixture(name));
  return {
    hasGpu: !context.rehearse,
    models,
    skipped: context.rehearse ? ['such a model as it is, on a GPU: needs a GPU'] : [],
  };
}

async function look(context, { folder, inputs, outputs }) {
  const load = (options) => SavedModel.load(folder, options);
  const ran = async (model, device) => {
    const options = device === undefined ? {} : { device };
    const report = await model.explain(inputs, options);
    const asked = report.ops.filter(({ type, actual }) => type === 'MatMul' && actual !== null);
    return {
      products: places(report, ['MatMul']),
      reasons: [...new Set(asked.map(({ reason }) => reason))],
      apart: plain(apart(outputs, await model.run(inputs, options))),
    };
  };
  const noGpu = { deviceCount: { CPU: 1, GPU: 0 } };
  // What TensorFlow 1 saved with it has ops that only the CPU can run.
  const soft = { allowSoftPlacement: true };
  const cleared = await load({ config: context.config(), clearDevices: true });
  const asSaved = context.rehearse ? null : await ran(await load({ config: context.config(soft) }));
  return {
    asSaved: asSaved && { products: asSaved.products, apart: asSaved.apart },
    cleared: cleared && (({ products, apart }) => ({ products, apart }))(await ran(cleared, '/CPU:0')),
    missing: (({ code, message }) => ({ code, message }))(await failureOf(load({ config: noGpu }))),
    soft: await ran(await load({ config: { ...noGpu, ...soft } })),
  };
}

export function judge({ hasGpu, models }) {
  return FIXTURES.flatMap((name) => {
    const { asSaved, cleared, missing, soft } = models[name];
    const right = (ran, device) => same(ran?.products, [`MatMul ${device}`]) && within(ran.apart, 0, 1e-3);
    const onGpu = expectation(
      `${name}: as it is it runs on the GPU`,
      asSaved ?? 'nothing',
      hasGpu === true && right(asSaved, 'GPU:0'),
    );
    return [
      ...(hasGpu === false && asSaved === null ? [] : [onGpu]),
      expectation(
        `${name}: with clearDevices and the CPU asked for it runs there`,
        cleared,
        right(cleared, 'CPU:0'),
      ),
      expectation(
        `${name}: without a GPU an error of this library names the device and clearDevices`,
        `${missing.code}: ${missing.message}`,
        missing.code === 'INVALID_ARGUMENT' && isText(missing.message, /GPU:0.*clearDevices/s),
      ),
      expectation(
        `${name}: without a GPU, with soft placement, it runs on the CPU, and the report says why`,
        soft,
        right(soft, 'CPU:0') && same(soft.reasons, ['no such device']),
      ),
    ];
  });
}

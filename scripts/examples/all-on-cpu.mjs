// Everything on the CPU, whatever else the machine has: a ConfigProto that is in place before the model is loaded.
import { SavedModel } from 'tf-session';

export const config = { deviceCount: { GPU: 0 } };

/** @param {string} folder A SavedModel. @param {Record<string, import('tf-session').TensorLike>} inputs */
export async function allOnCpu(folder, inputs) {
  const model = await SavedModel.load(folder, { config });
  const devices = await model.devices();
  const report = await model.explain(inputs);
  await model.close();
  return { devices, report };
}

// Chosen ops on the GPU, all others where TensorFlow puts them. Soft placement lets the model run where there is no
// GPU, and the report then says so, op for op. TensorFlow's own placement log goes to stdout.
import { SavedModel } from 'tf-session';

export const config = { deviceCount: { CPU: 4 }, allowSoftPlacement: true, logDevicePlacement: true };
export const placement = [
  { type: 'Conv2D', device: '/GPU:0' },
  { type: 'Sigmoid', device: '/CPU:1' },
];

/** @param {string} folder A SavedModel. @param {Record<string, import('tf-session').TensorLike>} inputs */
export async function chosenOps(folder, inputs) {
  const model = await SavedModel.load(folder, { config, placement });
  const report = await model.explain(inputs);
  await model.close();
  return report;
}

// Another device from run to run. TensorFlow settles a session's placement at its first run, so each device has a
// session of its own, with its own copy of the variables, on one parsed model.
import { decodeRunMetadata, SavedModel, tensorflow } from 'tf-session';

export const config = { deviceCount: { CPU: 4 } };

/** @param {string} folder A SavedModel. @param {Record<string, import('tf-session').TensorLike>} inputs */
export async function alternate(folder, inputs) {
  const hasGpu = (await tensorflow.devices(config)).some(({ type }) => type === 'GPU');
  const devices = hasGpu ? ['/GPU:0', '/CPU:0'] : ['/CPU:1', '/CPU:2'];
  // An op without a kernel for the GPU runs on the CPU, instead of ending the run.
  const model = await SavedModel.load(folder, { config: { ...config, allowSoftPlacement: hasGpu }, devices });
  const runs = [];
  for (let i = 0; i < 10; i++) {
    const device = devices[i % 2];
    const counts = {};
    const outputs = await model.run(inputs, {
      device,
      runOptions: { traceLevel: 'SOFTWARE_TRACE' },
      onRunMetadata: (metadata) => {
        for (const { device, nodeStats } of decodeRunMetadata(metadata).stepStats.devStats) {
          counts[device] = nodeStats.length;
        }
      },
    });
    runs.push({ device, counts, outputs });
  }
  await model.close();
  return runs;
}

/** A real model over four CPU devices. */

import { type LoadOptions, SavedModel, Tensor, type Trace, type TraceOptions } from '../../lib/index.js';
import { basicPitch } from '../../scripts/models/basic-pitch.mjs';

export const FOUR: LoadOptions = {
  config: { deviceCount: { CPU: 4 } },
  placement: [
    { type: 'Conv2D', device: '/CPU:1' },
    { type: 'Sigmoid', device: '/CPU:2' },
    { type: 'FusedBatchNormV3', device: '/CPU:3' },
  ],
};

export const INPUTS = { input_2: Tensor.from(new Float32Array(43844), [1, 43844, 1]) };

export async function traceBasicPitch(
  load: LoadOptions = FOUR,
  options: TraceOptions = { warmUp: 1 },
): Promise<Trace> {
  const model = await SavedModel.load(await basicPitch(), load);
  try {
    return await model.trace(INPUTS, options);
  } finally {
    await model.close();
  }
}

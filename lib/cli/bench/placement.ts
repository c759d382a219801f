/** Where the ops of a measured candidate ran, for the page beside the figures. */
import type { Candidate } from '../../bench/job.js';
import type { DataOf, DType } from '../../dtype.js';
import type { PageData } from '../../page/data.js';
import { placementData } from '../../page/placement-data.js';
import { SavedModel } from '../../saved-model.js';
import { Tensor } from '../../tensor.js';

/** Loads the model as it was measured, and traces a run of it in this process. */
export async function placementOf({
  directory,
  options,
  run,
  inputs,
}: Candidate): Promise<Partial<PageData>> {
  const model = await SavedModel.load(directory, options);
  try {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape, data }]) => [
        name,
        Tensor.wrap(dtype as DType, shape, data as DataOf<DType>),
      ]),
    );
    const { signature, device } = run;
    const trace = await model.trace(tensors, { signature, device, traceLevel: 'SOFTWARE_TRACE', warmUp: 1 });
    return placementData({ report: trace.report, timeline: trace });
  } finally {
    await model.close();
  }
}

/** What is looked at before TensorFlow sees a model: how large it is, what its ops do, where its files lie. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TensorFlowError } from '../errors.js';
import type { PlacedGraph } from '../placed-graph.js';
import type { MetaGraphDef } from '../proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { exists, localPath } from '../saved-model/directory.js';
import { checkVariables } from '../saved-model/load-failure.js';
import { pathTensors } from '../saved-model/restore.js';
import { checkFaults } from './faults.js';
import { checkInside } from './inside.js';
import { checkBytes, checkLimits } from './limits.js';
import { checkOps } from './ops.js';
import type { GuardPlan } from './options.js';
import { firstOutput } from './own-files.js';

/** Whether a model's graph can be looked at; else only TensorFlow's own loader may read it. */
export async function canRead(directory: string): Promise<boolean> {
  const folder = localPath(directory);
  if (folder === undefined) return false;
  return (await exists(join(folder, 'saved_model.pb'))) || !(await exists(join(folder, 'saved_model.pbtxt')));
}

/**
 * Of a model that cannot be looked at.
 *
 * @throws TensorFlowError UNIMPLEMENTED where the caller relies on that
 */
export function tellUnchecked(directory: string, { isAllowed }: GuardPlan): void {
  const why = `${directory} cannot be checked before it is loaded: only TensorFlow's own loader reads saved_model.pbtxt and folders of its own file systems.`;
  if (isAllowed !== undefined) {
    throw new TensorFlowError(
      'UNIMPLEMENTED',
      `${why} So allowOps cannot hold. Leave it out where the model is to be trusted.`,
    );
  }
  process.emitWarning(`${why} A SavedModel is a program: load those that you trust.`, {
    type: 'TensorFlowWarning',
    code: 'TF_SESSION_MODEL_OPS',
  });
}

/** Before a model's file is read. Throws RESOURCE_EXHAUSTED above the limit; what else is wrong with it, reading it says. */
export async function guardSize(directory: string, { limits }: GuardPlan): Promise<void> {
  const folder = localPath(directory);
  if (folder === undefined) return;
  const stats = await stat(join(folder, 'saved_model.pb')).catch(() => undefined);
  if (stats !== undefined) checkBytes(stats.size, limits);
}

/**
 * @throws TensorFlowError PERMISSION_DENIED for ops that are not allowed, and files outside of the model's folder;
 *   RESOURCE_EXHAUSTED above a limit; INVALID_ARGUMENT for functions that call themselves, and for what TensorFlow would
 *   end the process over; NOT_FOUND or DATA_LOSS for variables that are not there, or not as their index says
 */
export async function guardModel(
  directory: string,
  metaGraph: MetaGraphDef,
  placed: PlacedGraph,
  plan: GuardPlan,
): Promise<void> {
  const { index, graphDef } = placed;
  const counts = (i: number) => index.isUsed(i) || index.isHousekeeping(i) || index.isLoaded(i);
  checkFaults(directory, index);
  checkLimits(index, counts, plan.limits);
  await checkInside(directory, metaGraph, plan.followLinks);
  await checkVariables(directory, metaGraph);
  const { assets, checkpoint } = pathTensors(metaGraph);
  const paths = {
    assets: new Set(assets.flatMap(firstOutput)),
    checkpoint: new Set(checkpoint.flatMap(firstOutput)),
  };
  await checkOps(directory, { index, graphDef, graph: () => placed.graph(), paths }, plan);
}

/** The same for a bare graph, of which any op may be run. */
export async function guardGraph(placed: PlacedGraph, plan: GuardPlan): Promise<void> {
  const { index, graphDef } = placed;
  checkBytes(graphDef.length, plan.limits);
  checkFaults('The graph', index);
  checkLimits(index, () => true, plan.limits);
  await checkOps('The graph', { index, graphDef, graph: () => placed.graph(), paths: undefined }, plan);
}

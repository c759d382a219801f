/**
 * How a model's variables, tables and assets come into a session that was made from its graph alone: the runs that
 * TensorFlow's own loader makes, in its order.
 */

import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { TensorFlowError } from '../errors.js';
import {
  type AssetFileDef,
  AssetFileDefSchema,
  type MetaGraphDef,
} from '../proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { checkpointPrefix, exists, localPath } from './directory.js';

/** One run: an op to run, and the paths to feed by tensor name. */
export interface RestoreStep {
  target: string;
  feeds: Readonly<Record<string, string>>;
}

/** Key and, below it, name of the signature that initialises a TensorFlow 2 model. */
const INIT_SIGNATURE = '__saved_model_init_op';
/** Collections of TensorFlow 1 that name the op instead; the first that is there counts. */
const INIT_COLLECTIONS = ['saved_model_main_op', 'legacy_init_op'];
const ASSETS_COLLECTION = 'saved_model_assets';

/**
 * Restoring, where the model has a checkpoint and unless `restores` is false, then initialising, where it has an op for that.
 *
 * @throws TensorFlowError FAILED_PRECONDITION where a collection names several initialisation ops, as TensorFlow does;
 *   DATA_LOSS for assets that cannot be read
 */
export async function restoreSteps(
  directory: string,
  metaGraph: MetaGraphDef,
  restores = true,
): Promise<RestoreStep[]> {
  const folder = localPath(directory) ?? directory;
  const assets: Record<string, string> = {};
  for (const { tensorInfo, filename } of assetsOf(metaGraph)) {
    if (tensorInfo?.encoding.case === 'name')
      assets[tensorInfo.encoding.value] = join(folder, 'assets', filename);
  }
  const steps: RestoreStep[] = [];
  const saver = metaGraph.saverDef;
  const checkpoint = checkpointPrefix(directory);
  if (restores && saver?.restoreOpName && (await exists(`${checkpoint}.index`))) {
    steps.push({
      target: saver.restoreOpName,
      feeds: { ...assets, [saver.filenameTensorName]: checkpoint },
    });
  }
  const init = initOp(metaGraph);
  if (init !== undefined) steps.push({ target: init, feeds: assets });
  return steps;
}

/** The ops, by name, that loading the model runs. */
export function loadingOps(metaGraph: MetaGraphDef): string[] {
  const restore = metaGraph.saverDef?.restoreOpName;
  return [...(restore ? [opOf(restore)] : []), ...initialisingOps(metaGraph)];
}

/** Those of them that run after restoring, or without it. */
export function initialisingOps(metaGraph: MetaGraphDef): string[] {
  try {
    const op = initOp(metaGraph);
    return op ? [op] : [];
  } catch {
    // Said by restoreSteps.
    return [];
  }
}

/** The tensors that are fed with paths of the model's files: of assets in all of loading, of the checkpoint where it restores. */
export function pathTensors(metaGraph: MetaGraphDef): { assets: string[]; checkpoint: string[] } {
  const assets = assetsOf(metaGraph).flatMap(({ tensorInfo }) =>
    tensorInfo?.encoding.case === 'name' ? [tensorInfo.encoding.value] : [],
  );
  const checkpoint = metaGraph.saverDef?.filenameTensorName;
  return { assets, checkpoint: checkpoint ? [checkpoint] : [] };
}

/** The ops, by name, from which all hangs that saves, restores or initialises. */
export function housekeepingOps(metaGraph: MetaGraphDef): string[] {
  const saver = metaGraph.saverDef;
  const saving = [saver?.saveTensorName, saver?.filenameTensorName].filter((name) => name);
  return [...loadingOps(metaGraph), ...saving.map((name) => opOf(name!))];
}

/** The ops, by name, that the signatures feed and fetch. */
export function servedOps(metaGraph: MetaGraphDef): string[] {
  return opsOf(metaGraph, ({ inputs, outputs }) => [...Object.values(inputs), ...Object.values(outputs)]);
}

/** The ops that signatures feed. */
export function fedOps(metaGraph: MetaGraphDef): string[] {
  return opsOf(metaGraph, ({ inputs }) => Object.values(inputs));
}

type Signature = MetaGraphDef['signatureDef'][string];
type Info = Signature['inputs'][string];

function opsOf(metaGraph: MetaGraphDef, infos: (signature: Signature) => Info[]): string[] {
  const ops = new Set<string>();
  for (const [name, signature] of Object.entries(metaGraph.signatureDef)) {
    if (name === INIT_SIGNATURE) continue;
    for (const info of infos(signature)) for (const tensor of tensorNames(info)) ops.add(opOf(tensor));
  }
  return [...ops];
}

function tensorNames({ encoding }: Info): string[] {
  switch (encoding.case) {
    case 'name':
      return [encoding.value];
    case 'cooSparse':
      return [
        encoding.value.valuesTensorName,
        encoding.value.indicesTensorName,
        encoding.value.denseShapeTensorName,
      ];
    case 'compositeTensor':
      return encoding.value.components.flatMap(tensorNames);
    default:
      return [];
  }
}

/** The model's assets: which tensor is fed with the path of which file below `assets/`. */
export function assetsOf(metaGraph: MetaGraphDef): AssetFileDef[] {
  if (metaGraph.assetFileDef.length > 0) return metaGraph.assetFileDef;
  const kind = metaGraph.collectionDef[ASSETS_COLLECTION]?.kind;
  if (kind?.case !== 'anyList') return [];
  try {
    return kind.value.value.map((any) => fromBinary(AssetFileDefSchema, any.value));
  } catch (error) {
    throw new TensorFlowError('DATA_LOSS', `The model's list of assets is damaged: ${String(error)}.`, {
      cause: error,
    });
  }
}

export function initOp(metaGraph: MetaGraphDef): string | undefined {
  const encoding = metaGraph.signatureDef[INIT_SIGNATURE]?.outputs[INIT_SIGNATURE]?.encoding;
  if (encoding?.case === 'name') return opOf(encoding.value);
  for (const name of INIT_COLLECTIONS) {
    const kind = metaGraph.collectionDef[name]?.kind;
    if (kind === undefined) continue;
    const ops = kind.case === 'nodeList' ? kind.value.value : [];
    if (ops.length === 1) return opOf(ops[0]!);
    throw new TensorFlowError(
      'FAILED_PRECONDITION',
      `The collection ${name} must name exactly one op that initialises the model; it names ${ops.length}.`,
    );
  }
  return undefined;
}

/** `a/b:0` -> `a/b` */
function opOf(tensor: string): string {
  const colon = tensor.indexOf(':');
  return colon === -1 ? tensor : tensor.slice(0, colon);
}

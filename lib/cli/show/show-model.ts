/** What `tf-session show` knows of a model. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  type AssetFileDef,
  AssetFileDefSchema,
  type MetaGraphDef,
} from '../../proto/tensorflow/core/protobuf/meta_graph_pb.js';
import type { Signatures } from '../../saved-model/signatures.js';
import type { GraphListing } from './graph-ops.js';
import type { VariableInfo } from './variables.js';

export interface Asset {
  /** Below the model's `assets` folder. */
  file: string;
  /** The tensor that is fed with its path. */
  tensor: string;
}

export interface ModelListing extends GraphListing {
  directory: string;
  metaGraphs: readonly (readonly string[])[];
  tags: readonly string[];
  /** The TensorFlow that saved the model; empty where it does not say. */
  tensorflowVersion: string;
  signatures: Signatures;
  assets: readonly Asset[];
  variables: readonly VariableInfo[];
  /** Types of ops that hold other state, with their number. */
  resources: ReadonlyMap<string, number>;
  /** Of each signature that changes what later runs see: the types of the ops that do. */
  changes: Readonly<Record<string, readonly string[]>>;
}

/** The model's assets; TensorFlow 1 keeps them in a collection. */
export function assetsOf(metaGraph: MetaGraphDef): Asset[] {
  const { assetFileDef } = metaGraph;
  const definitions = assetFileDef.length > 0 ? assetFileDef : assetsInCollection(metaGraph);
  return definitions.map(({ filename, tensorInfo }) => ({
    file: filename,
    tensor: tensorInfo?.encoding.case === 'name' ? tensorInfo.encoding.value : '',
  }));
}

function assetsInCollection({ collectionDef }: MetaGraphDef): AssetFileDef[] {
  const kind = collectionDef.saved_model_assets?.kind;
  if (kind?.case !== 'anyList') return [];
  return kind.value.value.flatMap((any) => {
    try {
      return [fromBinary(AssetFileDefSchema, any.value)];
    } catch {
      return [];
    }
  });
}

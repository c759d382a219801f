/** Where values for variables that were not restored lie in the checkpoint: the graph of objects tells. */
import { fromBinary } from '@bufbuild/protobuf';
import { dtypeByNumber } from '../dtype.js';
import { TensorFlowError } from '../errors.js';
import type { NodeList } from '../placement/node-list.js';
import { type MetaGraphDef, MetaGraphDefSchema } from '../proto/tensorflow/core/protobuf/meta_graph_pb.js';
import {
  type SavedObjectGraph,
  SavedObjectGraphSchema,
} from '../proto/tensorflow/core/protobuf/saved_object_graph_pb.js';
import {
  type TrackableObjectGraph,
  TrackableObjectGraphSchema,
} from '../proto/tensorflow/core/protobuf/trackable_object_graph_pb.js';
import { type CheckpointIndex, readCheckpointIndex } from '../saved-model/checkpoint.js';
import { readText } from '../saved-model/checkpoint-text.js';
import { checkpointPrefix } from '../saved-model/directory.js';
import { payloads } from '../saved-model/wire.js';
import { findUnrestored, type Unrestored } from './unrestored.js';

/** A variable that has a value in the checkpoint, which the model's restore op does not give it. */
export interface Repair extends Unrestored {
  /** In the checkpoint. */
  key: string;
}

/** What is to be done for a model's variables, and what cannot be. */
export interface RepairPlan {
  repairs: readonly Repair[];
  /** By the variable's name: why nothing restores it. */
  beyond: ReadonlyMap<string, string>;
}

const OBJECT_GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH';
const VALUE = 'VARIABLE_VALUE';

export const NOTHING_TO_REPAIR: RepairPlan = { repairs: [], beyond: new Map() };

/**
 * @param bytes The serialized MetaGraphDef.
 * @param isWanted Whether they may be repaired; else it is a reason of its own.
 */
export async function planRepair(
  directory: string,
  bytes: Uint8Array,
  metaGraph: MetaGraphDef,
  graphDef: Uint8Array,
  index: NodeList,
  isWanted: boolean,
): Promise<RepairPlan> {
  const objects = payloads(bytes, MetaGraphDefSchema.field.objectGraphDef.number);
  if (objects.length === 0) return NOTHING_TO_REPAIR;
  const unrestored = findUnrestored(metaGraph, graphDef, index);
  if (unrestored.length === 0) return NOTHING_TO_REPAIR;
  const beyond = new Map<string, string>();
  const repairs: Repair[] = [];
  const say = (why: string) => {
    for (const { variable } of unrestored) beyond.set(variable, why);
    return { repairs, beyond };
  };
  if (!isWanted) return say('the option repair is false');
  let saved: Saved;
  try {
    saved = await readSaved(checkpointPrefix(directory), Buffer.concat(objects));
  } catch (error) {
    return say(`what tells where its value is saved cannot be read: ${reason(error)}`);
  }
  for (const each of unrestored) {
    const key = keyOf(each, saved);
    if (typeof key === 'string') repairs.push({ ...each, key });
    else beyond.set(each.variable, key.why);
  }
  return { repairs, beyond };
}

/** What the two files tell. */
interface Saved {
  objects: SavedObjectGraph;
  checkpoint: TrackableObjectGraph;
  index: CheckpointIndex;
}

async function readSaved(prefix: string, objects: Uint8Array): Promise<Saved> {
  const index = await readCheckpointIndex(prefix);
  const text = await readText(prefix, index, OBJECT_GRAPH);
  if (text === undefined) throw new Error(`the checkpoint has no ${OBJECT_GRAPH}`);
  return {
    index,
    objects: fromBinary(SavedObjectGraphSchema, objects),
    checkpoint: fromBinary(TrackableObjectGraphSchema, text),
  };
}

/** The key, or why there is none. */
function keyOf({ captures, dtype }: Unrestored, saved: Saved): string | { why: string } {
  let why = 'no function of the graph of objects is given it';
  for (const { function: name, fromEnd } of captures) {
    const bound = saved.objects.concreteFunctions[name]?.boundInputs;
    const id = bound?.at(-fromEnd);
    if (bound === undefined || id === undefined || fromEnd > bound.length) continue;
    const key = saved.checkpoint.nodes[id]?.attributes.find((each) => each.name === VALUE)?.checkpointKey;
    const entry = key === undefined ? undefined : saved.index.entries.get(key);
    if (key === undefined)
      why = `the checkpoint has no value for it (object ${id}): it was not tracked when the model was saved`;
    else if (entry === undefined) why = `the checkpoint lacks ${key}`;
    else if (entry.dtype !== dtype)
      why = `the checkpoint has ${nameOf(entry.dtype)} under ${key}, not ${nameOf(dtype)}`;
    else return key;
  }
  return { why };
}

function nameOf(dtype: number): string {
  try {
    return dtypeByNumber(dtype).name;
  } catch {
    return `type ${dtype}`;
  }
}

function reason(error: unknown): string {
  return error instanceof TensorFlowError ? error.message.replace(/\.$/, '') : String(error);
}

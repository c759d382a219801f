/**
 * Which nodes of a model become which others when it is frozen. It runs in a thread of its own, where one can be had: of a
 * large model it is a second of work, and megabytes of garbage whose collection would hold the event loop.
 */

import { ModelGraph, type ModelNode } from '../placement/model-graph.js';
import { NodeList } from '../placement/node-list.js';
import { Slices } from '../placement/slices.js';
import { valuesOfCheckpoint } from './checkpoint-values.js';
import { type FreezeChanges, findFreezable, freezeChanges, type Reading, reading } from './freeze.js';
import type { Value } from './value.js';
import type { Frozen } from './variables.js';

/** A model that is to be frozen. */
export interface FreezeJob {
  readonly graphDef: Uint8Array;
  /** Ops that users feed and fetch. */
  readonly served: readonly string[];
  /** Ops that save, restore and initialise. */
  readonly housekeeping: readonly string[];
  /** The op that initialises the model. */
  readonly init: string | undefined;
  /** The checkpoint, without the files' endings; undefined where a session has to be asked for the values in any case. */
  readonly prefix: string | undefined;
  /** Whether the library has the op `EnsureShape`. */
  readonly hasEnsureShape: boolean;
}

/** What of a frozen session is other than of the model's. */
export interface FreezePlan {
  readonly changes: FreezeChanges;
  /** Whether variables stay, which have to be restored. */
  readonly keepsVariables: boolean;
}

/** Asks a session of the whole model for values. */
export type Ask = (reading: Reading) => Promise<readonly Value[]>;

/**
 * Undefined where nothing can be frozen.
 *
 * @throws TensorFlowError RESOURCE_EXHAUSTED where the constants would be more than a graph can hold
 */
export async function plan(job: FreezeJob, ask: Ask): Promise<FreezePlan | undefined> {
  const { graphDef, served, housekeeping } = job;
  const list = await NodeList.read(graphDef, { used: served, housekeeping });
  const graph = await ModelGraph.decode(graphDef, list);
  const isUsed = (node: number) => list.isUsed(node);
  const found = await findFreezable(graph, isUsed);
  const { frozen, kept } = found;
  if (frozen.length === 0) return undefined;
  const values = (await savedValues(job, graph, frozen)) ?? (await ask(reading(frozen)));
  const names = new Set(served);
  const isKept = ({ function: scope, name }: ModelNode) => scope === '' && names.has(name);
  const changes = await freezeChanges(graph, isUsed, found, values, isKept, job.hasEnsureShape);
  return { changes, keepsVariables: kept.length > 0 };
}

/** The values out of the checkpoint; undefined where they cannot all be told from it. */
async function savedValues(
  { graphDef, init, prefix }: FreezeJob,
  graph: ModelGraph,
  frozen: readonly Frozen[],
): Promise<Value[] | undefined> {
  if (prefix === undefined) return undefined;
  const initialised = init === undefined ? undefined : await NodeList.read(graphDef, { used: [init] });
  const isInitialised = ({ index }: ModelNode) => initialised?.isUsed(index) === true;
  return valuesOfCheckpoint(graph, frozen, prefix, isInitialised, new Slices());
}

/**
 * Ops of a model that reach files, the network or the process, held against what the caller allows: those that signatures
 * reach, and those that loading runs. Of checkpoints and vocabularies the model's own are what loading is for; others count.
 */
import { TensorFlowError } from '../errors.js';
import { opTitle } from '../placement/check-devices.js';
import type { ModelGraph } from '../placement/model-graph.js';
import type { NodeList } from '../placement/node-list.js';
import type { GuardPlan } from './options.js';
import {
  isInnocent,
  MAY_BE_INNOCENT,
  OWN_FILES,
  type OwnFile,
  readsOwnFile,
  readsOwnPaths,
} from './own-files.js';
import { isRefused, touchesFiles } from './risky-ops.js';

/** A graph, and what of it runs. */
export interface GuardedGraph {
  index: NodeList;
  graphDef: Uint8Array;
  /** The same, decoded: for its edges. */
  graph: () => Promise<ModelGraph>;
  /** Ops of the main graph that are fed with paths of the model's own files; undefined for a bare graph, of which anything may be run. */
  paths: Readonly<Record<OwnFile['of'], ReadonlySet<string>>> | undefined;
}

/** What a model has of one type. */
interface Found {
  type: string;
  nodes: number[];
}

/** They write and read checkpoints: what a graph of TensorFlow 1 has beside all else, and nobody runs. */
const CHECKPOINT = /^(Save(Slices|V2)?|MergeV2Checkpoints|Restore(Slice|V2)?)$/;
/** Types named at most. */
const MOST = 5;

/**
 * Resolves where the model has none that is refused; of others a process warning tells, unless they are allowed.
 *
 * @param name of the model, for messages
 * @throws TensorFlowError PERMISSION_DENIED naming the ops, and the option
 */
export async function checkOps(name: string, guarded: GuardedGraph, plan: GuardPlan): Promise<void> {
  const found = await findOps(guarded, plan);
  const refused = found.filter(({ type }) => plan.isAllowed !== undefined || isRefused(type));
  if (refused.length > 0) {
    throw new TensorFlowError(
      'PERMISSION_DENIED',
      `${name} is refused for what its ops do: ${list(guarded.index, refused)}. Where that is meant, and the model to be trusted, allow them: allowOps: ${typesOf(refused)}.`,
      { op: guarded.index.name(refused[0]!.nodes[0]!) },
    );
  }
  if (found.length === 0) return;
  process.emitWarning(
    `${name} has ops that reach beyond it: ${list(guarded.index, found)}. A SavedModel is a program: load those that you trust. ` +
      `allowOps: ${typesOf(found)} says that this is meant, allowOps: [] refuses such models.`,
    { type: 'TensorFlowWarning', code: 'TF_SESSION_MODEL_OPS' },
  );
}

function typesOf(found: readonly Found[]): string {
  return JSON.stringify(found.map(({ type }) => type));
}

function list(index: NodeList, found: readonly Found[]): string {
  const shown = found.slice(0, MOST).map(({ type, nodes }) => {
    const first = nodes[0]!;
    const title = opTitle({ name: index.name(first), function: index.function(first) });
    return `${type} (${touchesFiles(type)}): ${title}${nodes.length > 1 ? ` and ${nodes.length - 1} more` : ''}`;
  });
  return `${shown.join('; ')}${found.length > MOST ? `; and ${found.length - MOST} more types` : ''}`;
}

async function findOps(guarded: GuardedGraph, { isAllowed }: GuardPlan): Promise<Found[]> {
  const { index, paths } = guarded;
  const types = index.typesThere.filter((type) => touchesFiles(type) !== undefined && !isAllowed?.(type));
  const byType = new Map<string, number[]>(types.map((type) => [type, []]));
  if (byType.size === 0) return [];
  for (let i = 0; i < index.length; i++) {
    const type = index.type(i);
    if (!byType.has(type)) continue;
    const runs = paths === undefined || index.isUsed(i) || index.isLoaded(i);
    const isIdle = paths === undefined && isAllowed === undefined && CHECKPOINT.test(type);
    if (runs && !isIdle) byType.get(type)!.push(i);
  }
  for (const [type, nodes] of byType) byType.set(type, await suspects(guarded, type, nodes));
  return [...byType].flatMap(([type, nodes]) => (nodes.length === 0 ? [] : [{ type, nodes }]));
}

/** Without those that only read what the model brings, or whose attributes say that they touch nothing. */
async function suspects(guarded: GuardedGraph, type: string, nodes: number[]): Promise<number[]> {
  if (nodes.length === 0) return nodes;
  const { index, paths } = guarded;
  if (MAY_BE_INNOCENT.has(type)) {
    const graph = await guarded.graph();
    return nodes.filter((i) => !isInnocent(graph, graph.nodes[i]!));
  }
  const own = OWN_FILES.get(type);
  if (own === undefined || paths === undefined) return nodes;
  // What a signature reads in each run is no part of loading; and where the model is initialised, the checkpoint's path is not fed.
  const isElsewhere = (i: number) => index.isUsed(i) || (own.of === 'checkpoint' && index.isInitialising(i));
  const elsewhere = nodes.filter(isElsewhere);
  const loaded = nodes.filter((i) => !isElsewhere(i));
  const fed = paths[own.of];
  if (loaded.length === 0 || readsOwnPaths(guarded.graphDef, index, loaded, own.input, fed)) return elsewhere;
  const graph = await guarded.graph();
  return [...elsewhere, ...loaded.filter((i) => !readsOwnFile(graph, graph.nodes[i]!, own.input, fed))];
}

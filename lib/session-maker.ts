/** How one session of a SavedModel is made: its graph read, placed, frozen where that was asked for, restored, initialised. */
import { explainMake } from './cluster/explain-make.js';
import { Link, type LinkEvents } from './cluster/link.js';
import type { ClusterPlan } from './cluster/options.js';
import { checkIdentity, here, type Site } from './cluster/site.js';
import type { Device } from './device.js';
import type { GraphReader } from './extensions/missing-op.js';
import { joinNodes } from './freeze/node-pack.js';
import type { FreezeOptions } from './freeze/options.js';
import { freezeSession } from './freeze/session.js';
import { guardModel, guardSize } from './guard/guard.js';
import type { GuardPlan } from './guard/options.js';
import { type GraphEdits, PlacedGraph, type PlacementPlan } from './placed-graph.js';
import type { Assignment } from './placement/assign.js';
import { NodeList } from './placement/node-list.js';
import type { MetaGraphDef } from './proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { planRepair, type Repair, type RepairPlan } from './repair/plan.js';
import { repairNodes, repairVariables } from './repair/repair.js';
import type { GraphFacts } from './run-errors.js';
import { settleConfig } from './runtime/process-config.js';
import { tensorflow } from './runtime/tensorflow.js';
import { checkpointPrefix } from './saved-model/directory.js';
import { requireVariables } from './saved-model/load-failure.js';
import { decodeMetaGraph, graphDefOf, readMetaGraphBytes } from './saved-model/reader.js';
import {
  fedOps,
  housekeepingOps,
  initialisingOps,
  loadingOps,
  restoreSteps,
  servedOps,
} from './saved-model/restore.js';
import { Session } from './session.js';
import type { SessionSettings } from './session-options.js';

/** What the sessions of a model have in common; all of it is checked. */
export interface SessionsOptions {
  tags: readonly string[];
  plan: PlacementPlan;
  cluster: ClusterPlan;
  /** Serialized, for the runs that restore and initialise. */
  runOptions: Uint8Array | undefined;
  session: SessionSettings;
  /** Sessions of each placement. */
  copies: number;
  freeze: FreezeOptions | undefined;
  guard: GuardPlan;
  /** Whether variables that the restore op leaves out are restored all the same. */
  repairs: boolean;
}

/** A parsed model. */
export interface Parsed {
  metaGraph: MetaGraphDef;
  placed: PlacedGraph;
  repair: RepairPlan;
}

/** A session, and what it was asked. */
export interface Made {
  session: Session;
  assignment: Assignment;
  /** Those of the session. */
  devices: readonly Device[];
  /** Variables that had to be restored by way of the object graph. */
  repaired: readonly Repair[];
}

/** Where a session is made, and who hears of it. */
export interface Whereabouts {
  /** For ops that neither a rule nor the model speaks of. */
  device?: string | undefined;
  /** Default: this process. */
  site?: Site;
  /** Of a site on a cluster. */
  events?: LinkEvents;
  /** Aborted where nobody waits for the session any more. */
  signal?: AbortSignal;
}

export async function readModel(
  path: string,
  tags: readonly string[],
): Promise<{ bytes: Uint8Array; metaGraph: MetaGraphDef; graphDef: Uint8Array }> {
  const bytes = await readMetaGraphBytes(path, tags);
  return { bytes, metaGraph: decodeMetaGraph(bytes), graphDef: graphDefOf(bytes) };
}

/** For errors that name who in the graph is at fault. */
export function graphReader(path: string, tags: readonly string[]): GraphReader {
  return async () => {
    const { metaGraph, graphDef } = await readModel(path, tags);
    const index = await NodeList.read(graphDef);
    return { index, savedBy: metaGraph.metaInfoDef?.tensorflowVersion };
  };
}

/** The same for errors of runs. */
export function factsOf(path: string, tags: readonly string[], repair?: RepairPlan): GraphFacts {
  return { readGraph: graphReader(path, tags), ...(repair && { noValue: repair.beyond }) };
}

/** The model's file, read, and looked at before TensorFlow sees it. */
export async function parseModel(path: string, options: SessionsOptions): Promise<Parsed> {
  const { tags, plan, guard, repairs } = options;
  await guardSize(path, guard);
  const { bytes, metaGraph, graphDef } = await readModel(path, tags);
  const roles = {
    used: servedOps(metaGraph),
    housekeeping: housekeepingOps(metaGraph),
    loading: loadingOps(metaGraph),
    initialising: initialisingOps(metaGraph),
  };
  const placed = await PlacedGraph.open(graphDef, plan, roles, fedOps(metaGraph));
  await guardModel(path, metaGraph, placed, guard);
  const repair = await planRepair(path, bytes, metaGraph, graphDef, placed.index, repairs);
  return { metaGraph, placed, repair };
}

/** A session, frozen where that was asked for. */
export async function makeSession(
  path: string,
  options: SessionsOptions,
  parsed: Parsed,
  where: Whereabouts = {},
): Promise<Made> {
  if (options.freeze === undefined) return makeRestored(path, options, parsed, where);
  // Of the session whose variables become constants, too.
  const repaired: Repair[] = [];
  const made = await freezeSession(options.freeze, path, parsed, async (edits, restores) => {
    const each = await makeRestored(path, options, parsed, where, edits, restores);
    repaired.push(...each.repaired);
    return each;
  });
  return { ...made, repaired };
}

/** A session, placed, with its variables restored and its tables initialised, in TensorFlow's own order. */
async function makeRestored(
  path: string,
  options: SessionsOptions,
  { metaGraph, placed, repair }: Parsed,
  { device, site = here(options.plan.config), events, signal }: Whereabouts,
  edits?: GraphEdits,
  restores = true,
): Promise<Made> {
  // Before all else: TensorFlow would wait for a task that is gone by now.
  const link = events && new Link(site, events, tensorflow.version);
  let session: Session | undefined;
  const abandon = () => {
    session?.abandon();
    link?.cancel();
  };
  signal?.addEventListener('abort', abandon);
  try {
    signal?.throwIfAborted();
    if (restores) await requireVariables(path, metaGraph);
    const steps = await restoreSteps(path, metaGraph, restores);
    const repairs = restores ? repair.repairs : [];
    const added = repairs.length > 0 ? joinNodes(repairNodes(repairs), edits?.added) : edits?.added;
    if (site.target === '') await settleConfig(options.plan.config, path);
    const placing = placed.createSession(device, { ...edits, added }, site);
    const { native, ...asked } = await (link === undefined ? placing : link.guard(placing));
    checkIdentity(site, asked.devices);
    session = new Session(native, options.session, factsOf(path, options.tags, repair), link);
    for (const { target, feeds } of steps) {
      await session.run([], feeds, { targets: [target], runOptions: options.runOptions });
    }
    const repaired =
      repairs.length > 0 ? await repairVariables(session, repairs, checkpointPrefix(path)) : [];
    link?.made();
    return { session, repaired, ...asked };
  } catch (error) {
    link?.close();
    await session?.close();
    throw site.target === '' ? error : explainMake(error, path, site);
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
}

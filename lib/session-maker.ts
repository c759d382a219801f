/** How one session of a SavedModel is made: its graph read, placed, frozen where that was asked for, restored, initialised. */
import { explainMake } from './cluster/explain-make.js';
import { Link, type LinkEvents } from './cluster/link.js';
import type { ClusterPlan } from './cluster/options.js';
import { checkIdentity, here, type Site } from './cluster/site.js';
import type { Device } from './device.js';
import type { GraphReader } from './extensions/missing-op.js';
import type { FreezeOptions } from './freeze/options.js';
import { freezeSession } from './freeze/session.js';
import { type GraphEdits, PlacedGraph, type PlacementPlan } from './placed-graph.js';
import type { Assignment } from './placement/assign.js';
import { NodeList } from './placement/node-list.js';
import type { MetaGraphDef } from './proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { settleConfig } from './runtime/process-config.js';
import { tensorflow } from './runtime/tensorflow.js';
import { requireVariables } from './saved-model/load-failure.js';
import { decodeMetaGraph, graphDefOf, readMetaGraphBytes } from './saved-model/reader.js';
import { fedOps, housekeepingOps, restoreSteps, servedOps } from './saved-model/restore.js';
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
}

/** A parsed model. */
export interface Parsed {
  metaGraph: MetaGraphDef;
  placed: PlacedGraph;
}

/** A session, and what it was asked. */
export interface Made {
  session: Session;
  assignment: Assignment;
  /** Those of the session. */
  devices: readonly Device[];
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
): Promise<{ metaGraph: MetaGraphDef; graphDef: Uint8Array }> {
  const bytes = await readMetaGraphBytes(path, tags);
  return { metaGraph: decodeMetaGraph(bytes), graphDef: graphDefOf(bytes) };
}

/** For errors that name who in the graph is at fault. */
export function graphReader(path: string, tags: readonly string[]): GraphReader {
  return async () => {
    const { metaGraph, graphDef } = await readModel(path, tags);
    const index = await NodeList.read(graphDef);
    return { index, savedBy: metaGraph.metaInfoDef?.tensorflowVersion };
  };
}

export async function parseModel(
  path: string,
  tags: readonly string[],
  plan: PlacementPlan,
): Promise<Parsed> {
  const { metaGraph, graphDef } = await readModel(path, tags);
  const placed = await PlacedGraph.open(
    graphDef,
    servedOps(metaGraph),
    housekeepingOps(metaGraph),
    plan,
    fedOps(metaGraph),
  );
  return { metaGraph, placed };
}

/** A session, frozen where that was asked for. */
export function makeSession(
  path: string,
  options: SessionsOptions,
  parsed: Parsed,
  where: Whereabouts = {},
): Promise<Made> {
  if (options.freeze === undefined) return makeRestored(path, options, parsed, where);
  return freezeSession(options.freeze, path, parsed, (edits, restores) =>
    makeRestored(path, options, parsed, where, edits, restores),
  );
}

/** A session, placed, with its variables restored and its tables initialised, in TensorFlow's own order. */
async function makeRestored(
  path: string,
  options: SessionsOptions,
  { metaGraph, placed }: Parsed,
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
    if (site.target === '') await settleConfig(options.plan.config, path);
    const placing = placed.createSession(device, edits, site);
    const { native, ...asked } = await (link === undefined ? placing : link.guard(placing));
    checkIdentity(site, asked.devices);
    session = new Session(native, options.session, graphReader(path, options.tags), link);
    for (const { target, feeds } of steps) {
      await session.run([], feeds, { targets: [target], runOptions: options.runOptions });
    }
    link?.made();
    return { session, ...asked };
  } catch (error) {
    link?.close();
    await session?.close();
    throw site.target === '' ? error : explainMake(error, path, site);
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
}

/** The sessions of one SavedModel: the one it was loaded with, and one more for each device that runs ask for. */
import { opName } from './bound.js';
import { closedError } from './errors.js';
import { explainMissingOp, type GraphReader } from './extensions/missing-op.js';
import type { FreezeOptions } from './freeze/options.js';
import { freezeSession } from './freeze/session.js';
import { checkClose } from './options.js';
import { type GraphEdits, PlacedGraph, type PlacementPlan } from './placed-graph.js';
import type { Assignment } from './placement/assign.js';
import { checkSavedDevices } from './placement/check-devices.js';
import { NodeList } from './placement/node-list.js';
import { SessionPool } from './placement/pool.js';
import { assigningOps } from './placement/stateful.js';
import type { MetaGraphDef } from './proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { addon } from './runtime/addon.js';
import { explainLoadFailure, requireVariables } from './saved-model/load-failure.js';
import { decodeMetaGraph, graphDefOf, readMetaGraphBytes } from './saved-model/reader.js';
import { fedOps, housekeepingOps, restoreSteps, servedOps } from './saved-model/restore.js';
import { Session, type SessionSettings } from './session.js';
import { SessionGroup } from './session-group.js';

/** What the sessions of a model have in common; all of it is checked. */
export interface SessionsOptions {
  tags: readonly string[];
  plan: PlacementPlan;
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

/** A graph, and which op of it a session was asked to run where. */
export interface Placement {
  placed: PlacedGraph;
  assignment: Assignment;
}

export class ModelSessions {
  readonly metaGraph: MetaGraphDef;
  /** The session with the rules alone. */
  readonly base: Session;
  readonly #path: string;
  readonly #options: SessionsOptions;
  readonly #bases = new SessionGroup();
  readonly #pool: SessionPool<SessionGroup>;
  readonly #assignments = new WeakMap<Session, Assignment>();
  #parsed: Promise<Parsed> | undefined;
  #isReplicaToldOf = false;
  #isClosed = false;
  #isRefusing = false;

  private constructor(path: string, options: SessionsOptions, metaGraph: MetaGraphDef, base: Session) {
    this.#path = path;
    this.#options = options;
    this.metaGraph = metaGraph;
    this.base = base;
    this.#bases.add(base);
    this.#pool = new SessionPool((device) => this.#fill(new SessionGroup(), options.copies, device));
  }

  /** Loads the model off the event loop; the library is open. */
  static async load(path: string, options: SessionsOptions): Promise<ModelSessions> {
    let sessions: ModelSessions;
    try {
      sessions = await (options.plan.isPlaced || options.freeze !== undefined
        ? ModelSessions.#loadPlaced(path, options)
        : ModelSessions.#loadPlain(path, options));
    } catch (error) {
      throw await explained(path, options.tags, error);
    }
    await sessions.#fill(sessions.#bases, options.copies - 1, undefined);
    return sessions;
  }

  static async #loadPlain(path: string, options: SessionsOptions): Promise<ModelSessions> {
    const { tags, plan, runOptions } = options;
    // TensorFlow is silent where a function body names a device that is not there. What cannot be read here (a
    // saved_model.pbtxt, a folder of its own file systems) it may load; and what is wrong with the rest, its load says.
    if (!plan.allowSoftPlacement) {
      const parsed = await parse(path, tags, plan).catch(() => undefined);
      if (parsed !== undefined) checkSavedDevices(parsed.placed.index, parsed.placed.devices);
    }
    const loaded = await addon().loadSavedModel(path, tags, plan.config, runOptions);
    const session = new Session(loaded.session, options.session, graphReader(path, tags));
    try {
      const metaGraph = decodeMetaGraph(loaded.metaGraph);
      await requireVariables(path, metaGraph);
      return new ModelSessions(path, options, metaGraph, session);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  static async #loadPlaced(path: string, options: SessionsOptions): Promise<ModelSessions> {
    const parsed = await parse(path, options.tags, options.plan);
    await requireVariables(path, parsed.metaGraph);
    const { session, assignment } = await create(path, options, parsed);
    const sessions = new ModelSessions(path, options, parsed.metaGraph, session);
    sessions.#parsed = Promise.resolve(parsed);
    sessions.#assignments.set(session, assignment);
    return sessions;
  }

  /** From now on runs of users are refused; those of batchers, which were accepted before, are not. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Throws FAILED_PRECONDITION once runs are refused. */
  checkOpen(): void {
    if (this.#isRefusing) throw closedError();
  }

  /** The session of a run on this device, where it is ready. */
  ready(device: string | undefined): Session | undefined {
    return (device === undefined ? this.#bases : this.#pool.ready(device))?.next();
  }

  /** The same, made where it is not there yet. */
  async get(device: string | undefined): Promise<Session> {
    return (device === undefined ? this.#bases : await this.#pool.get(device)).next();
  }

  /** Where a session's ops were asked to run. Reads the model once more where it was loaded without a placement. */
  async placement(session: Session): Promise<Placement> {
    if (this.#isClosed) throw closedError();
    const { placed } = await this.#parse();
    let assignment = this.#assignments.get(session);
    if (assignment === undefined) {
      assignment = await placed.assign();
      this.#assignments.set(session, assignment);
    }
    return { placed, assignment };
  }

  /** Whether a run of these fetches changes what later runs see. Reads the model once more. */
  async changesState(fetches: readonly string[]): Promise<boolean> {
    const { graphDef } = await read(this.#path, this.#options.tags);
    const nodes = await NodeList.read(graphDef, fetches.map(opName));
    return assigningOps(nodes).length > 0;
  }

  /** Closes them all, or none where the options are wrong. */
  async close(options: { cancel?: boolean }): Promise<void> {
    checkClose(options);
    this.#isClosed = true;
    await Promise.all([this.#bases.close(options), this.#pool.close(options)]);
    // Who still holds the model need not hold its graph.
    this.#parsed = undefined;
  }

  /** Adds sessions to a group; where one cannot be made, it is closed. */
  async #fill(group: SessionGroup, count: number, device: string | undefined): Promise<SessionGroup> {
    try {
      for (let i = 0; i < count; i++) group.add(await this.#make(device));
      return group;
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  async #make(device: string | undefined): Promise<Session> {
    try {
      const parsed = await this.#parse();
      const { session, assignment } = await create(this.#path, this.#options, parsed, device);
      this.#assignments.set(session, assignment);
      this.#tellOfReplicas(parsed);
      return session;
    } catch (error) {
      throw await explained(this.#path, this.#options.tags, error);
    }
  }

  /** A failure is forgotten: the next call reads the model again. */
  #parse(): Promise<Parsed> {
    if (this.#parsed !== undefined) return this.#parsed;
    const parsing = parse(this.#path, this.#options.tags, this.#options.plan);
    this.#parsed = parsing;
    parsing.catch(() => {
      if (this.#parsed === parsing) this.#parsed = undefined;
    });
    return parsing;
  }

  #tellOfReplicas({ placed }: Parsed): void {
    if (this.#isReplicaToldOf) return;
    this.#isReplicaToldOf = true;
    const ops = assigningOps(placed.index);
    if (ops.length === 0) return;
    process.emitWarning(
      `${this.#path} changes variables when it runs (${ops.join(', ')}). Runs on different devices and copies ` +
        'have variables of their own: what one changes, the others do not see.',
      { type: 'TensorFlowWarning', code: 'TF_SESSION_REPLICAS' },
    );
  }
}

async function read(
  path: string,
  tags: readonly string[],
): Promise<{ metaGraph: MetaGraphDef; graphDef: Uint8Array }> {
  const bytes = await readMetaGraphBytes(path, tags);
  return { metaGraph: decodeMetaGraph(bytes), graphDef: graphDefOf(bytes) };
}

/** Why a load failed, as well as it can be said. */
async function explained(path: string, tags: readonly string[], error: unknown): Promise<unknown> {
  const better = await explainMissingOp(error, graphReader(path, tags));
  return better === error ? explainLoadFailure(path, tags, error, addon().library()!.version) : better;
}

function graphReader(path: string, tags: readonly string[]): GraphReader {
  return async () => {
    const { metaGraph, graphDef } = await read(path, tags);
    const index = await NodeList.read(graphDef);
    return { index, savedBy: metaGraph.metaInfoDef?.tensorflowVersion };
  };
}

async function parse(path: string, tags: readonly string[], plan: PlacementPlan): Promise<Parsed> {
  const { metaGraph, graphDef } = await read(path, tags);
  const placed = await PlacedGraph.open(
    graphDef,
    servedOps(metaGraph),
    housekeepingOps(metaGraph),
    plan,
    fedOps(metaGraph),
  );
  return { metaGraph, placed };
}

interface Created {
  session: Session;
  assignment: Assignment;
}

/** A session, frozen where that was asked for. */
function create(path: string, options: SessionsOptions, parsed: Parsed, device?: string): Promise<Created> {
  if (options.freeze === undefined) return createRestored(path, options, parsed, device);
  return freezeSession(options.freeze, path, parsed, (edits, restores) =>
    createRestored(path, options, parsed, device, edits, restores),
  );
}

/** A session, placed, with its variables restored and its tables initialised, in TensorFlow's own order. */
async function createRestored(
  path: string,
  options: SessionsOptions,
  { metaGraph, placed }: Parsed,
  device?: string,
  edits?: GraphEdits,
  restores = true,
): Promise<Created> {
  const steps = await restoreSteps(path, metaGraph, restores);
  const { native, assignment } = await placed.createSession(device, edits);
  const session = new Session(native, options.session, graphReader(path, options.tags));
  try {
    for (const { target, feeds } of steps) {
      await session.run([], feeds, { targets: [target], runOptions: options.runOptions });
    }
    return { session, assignment };
  } catch (error) {
    await session.close();
    throw error;
  }
}

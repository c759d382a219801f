/** The sessions of one SavedModel: the one it was loaded with, one more for each device that runs ask for, copies and replicas. */
import { opName } from './bound.js';
import { RemoteGroup, type Replica } from './cluster/group.js';
import { withDevices } from './cluster/site.js';
import { closedError } from './errors.js';
import { explainMissingOp } from './extensions/missing-op.js';
import { canRead, tellUnchecked } from './guard/guard.js';
import { checkClose } from './options.js';
import type { PlacedGraph } from './placed-graph.js';
import { checkSavedDevices } from './placement/check-devices.js';
import { NodeList } from './placement/node-list.js';
import { SessionPool } from './placement/pool.js';
import { assigningOps } from './placement/stateful.js';
import type { MetaGraphDef } from './proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { addon } from './runtime/addon.js';
import { settleConfig } from './runtime/process-config.js';
import { explainLoadFailure, requireVariables } from './saved-model/load-failure.js';
import { decodeMetaGraph } from './saved-model/reader.js';
import { Session } from './session.js';
import { SessionGroup } from './session-group.js';
import {
  factsOf,
  graphReader,
  type Made,
  makeSession,
  type Parsed,
  parseModel,
  readModel,
  type SessionsOptions,
  type Whereabouts,
} from './session-maker.js';

/** A graph, and what a session of it was asked. */
export interface Placement extends Pick<Made, 'assignment' | 'devices'> {
  placed: PlacedGraph;
}

/** A variable that the model's own restore op leaves out. */
export interface RepairedVariable {
  /** As TensorFlow names it. */
  readonly variable: string;
  /** What it was restored from, in the checkpoint. */
  readonly key: string;
}

type Group = SessionGroup | RemoteGroup;

export class ModelSessions {
  readonly metaGraph: MetaGraphDef;
  readonly #path: string;
  readonly #options: SessionsOptions;
  /** With the rules alone. */
  readonly #bases: Group;
  readonly #pool: SessionPool<Group>;
  /** Of devices that are not ready yet. */
  readonly #making = new Set<Group>();
  readonly #asked = new WeakMap<Session, Omit<Made, 'session' | 'repaired'>>();
  /** By the variable's name: the key in the checkpoint. */
  readonly #repaired = new Map<string, string>();
  #parsed: Promise<Parsed> | undefined;
  #isReplicaToldOf = false;
  #isClosed = false;
  #isRefusing = false;

  private constructor(path: string, options: SessionsOptions, metaGraph: MetaGraphDef) {
    this.#path = path;
    this.#options = options;
    this.metaGraph = metaGraph;
    this.#bases = this.#group(undefined);
    this.#pool = new SessionPool(async (device) => {
      const group = this.#group(device);
      this.#making.add(group);
      await this.#fill(group, device).finally(() => this.#making.delete(group));
      return group;
    });
  }

  /** Loads the model off the event loop; the library is open. `path` is whole: sessions are made later, too, and by other processes. */
  static async load(path: string, options: SessionsOptions): Promise<ModelSessions> {
    const { plan, freeze, cluster } = options;
    const isTakenApart = plan.isPlaced || freeze !== undefined || cluster.isRemote;
    // A saved_model.pbtxt, a folder of TensorFlow's own file systems: its loader may read that.
    const isReadable = isTakenApart || (await canRead(path));
    if (!isReadable) tellUnchecked(path, options.guard);
    try {
      const parsed = isReadable ? await parseModel(path, options) : undefined;
      const isPlaced = isTakenApart || (parsed?.repair.repairs ?? []).length > 0;
      const sessions = await (parsed !== undefined && isPlaced
        ? ModelSessions.#startPlaced(path, options, parsed)
        : ModelSessions.#loadPlain(path, options, parsed));
      await sessions.#fill(sessions.#bases, undefined);
      return sessions;
    } catch (error) {
      throw await explained(path, options.tags, error);
    }
  }

  static async #loadPlain(
    path: string,
    options: SessionsOptions,
    parsed: Parsed | undefined,
  ): Promise<ModelSessions> {
    const { tags, plan, runOptions } = options;
    await settleConfig(plan.config, path);
    // TensorFlow is silent where a function body names a device that is not there.
    if (!plan.allowSoftPlacement && parsed !== undefined)
      checkSavedDevices(parsed.placed.index, await parsed.placed.devices());
    const loaded = await addon().loadSavedModel(path, tags, plan.config, runOptions);
    const session = new Session(loaded.session, options.session, factsOf(path, tags, parsed?.repair));
    try {
      const metaGraph = decodeMetaGraph(loaded.metaGraph);
      await requireVariables(path, metaGraph);
      const sessions = new ModelSessions(path, options, metaGraph);
      (sessions.#bases as SessionGroup).add(session);
      return sessions;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  static #startPlaced(path: string, options: SessionsOptions, parsed: Parsed): ModelSessions {
    const sessions = new ModelSessions(path, options, parsed.metaGraph);
    sessions.#parsed = Promise.resolve(parsed);
    return sessions;
  }

  /** Whether a run whose task is gone may be run once more, elsewhere. */
  get failover(): boolean {
    return this.#options.cluster.failover;
  }

  /** From now on runs of users are refused; those of batchers, which were accepted before, are not. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Throws FAILED_PRECONDITION once runs are refused. */
  checkOpen(): void {
    if (this.#isRefusing) throw closedError();
  }

  /** The session with the rules alone: of copies the first, of replicas the least busy. */
  get base(): Session {
    return this.#bases instanceof SessionGroup ? this.#bases.first : this.#bases.next();
  }

  /** The session of a run on this device, where it is ready. Throws UNAVAILABLE where its task is gone. */
  ready(device: string | undefined): Session | undefined {
    return (device === undefined ? this.#bases : this.#pool.ready(device))?.next();
  }

  /** The same, made where it is not there yet. */
  async get(device: string | undefined): Promise<Session> {
    return (device === undefined ? this.#bases : await this.#pool.get(device)).next();
  }

  /** Variables that were restored by way of the object graph, and from where. */
  get repaired(): RepairedVariable[] {
    return [...this.#repaired].map(([variable, key]) => ({ variable, key }));
  }

  /** Those that are there, of whatever device. */
  get all(): Session[] {
    return [this.#bases, ...this.#pool.all].flatMap((group) => group.all);
  }

  /** The devices that are prepared for runs. */
  get readyDevices(): string[] {
    return this.#pool.devices;
  }

  isReady(device: string): boolean {
    return this.#pool.ready(device) !== undefined;
  }

  /** How the sessions with the rules alone are; none where they are in this process. */
  get replicas(): Replica[] {
    return this.#bases instanceof RemoteGroup ? this.#bases.replicas : [];
  }

  /** Makes again the sessions that were lost with their tasks. */
  async reconnect(): Promise<void> {
    if (this.#isClosed) throw closedError();
    const groups = [this.#bases, ...this.#pool.all].filter((group) => group instanceof RemoteGroup);
    const made = await Promise.allSettled(groups.map((group) => group.reconnect()));
    const failed = made.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed !== undefined) throw failed.reason;
  }

  /** Where a session's ops were asked to run. Reads the model once more where it was loaded without a placement. */
  async placement(session: Session): Promise<Placement> {
    if (this.#isClosed) throw closedError();
    const { placed } = await this.#parse();
    let asked = this.#asked.get(session);
    if (asked === undefined) {
      asked = { assignment: await placed.assign(), devices: await placed.devices() };
      this.#asked.set(session, asked);
    }
    return { placed, ...asked };
  }

  /** Whether a run of these fetches changes what later runs see. Reads the model once more. */
  async changesState(fetches: readonly string[]): Promise<boolean> {
    const { graphDef } = await readModel(this.#path, this.#options.tags);
    const nodes = await NodeList.read(graphDef, { used: fetches.map(opName) });
    return assigningOps(nodes).length > 0;
  }

  /** Closes them all, or none where the options are wrong. */
  async close(options: { cancel?: boolean }): Promise<void> {
    checkClose(options);
    this.#isClosed = true;
    const making = [...this.#making].map((group) => group.close(options));
    await Promise.all([this.#bases.close(options), this.#pool.close(options), ...making]);
    // Who still holds the model need not hold its graph.
    this.#parsed = undefined;
  }

  /** An empty one. */
  #group(device: string | undefined): Group {
    const { cluster, copies, plan } = this.#options;
    if (!cluster.isRemote) return new SessionGroup();
    const devices = [...plan.rules.map((rule) => rule.device), device ?? ''];
    const sites = cluster.sites.flatMap((site) => {
      const whole = withDevices(site, devices, cluster.cluster);
      return Array.from({ length: copies }, () => whole);
    });
    const make = (where: Whereabouts) =>
      this.#make({ ...where, device }, sites.length > 1 || device !== undefined);
    return new RemoteGroup(sites, make, cluster.reconnects);
  }

  /** Makes the sessions that a group lacks; where one cannot be made, it is closed. */
  async #fill(group: Group, device: string | undefined): Promise<void> {
    try {
      if (group instanceof RemoteGroup) return await group.open();
      while (group.size < this.#options.copies) {
        group.add(await this.#make({ device }, group.size > 0 || device !== undefined));
      }
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  async #make(where: Whereabouts, isOneOfMany: boolean): Promise<Session> {
    try {
      const parsed = await this.#parse();
      const { session, repaired, ...asked } = await makeSession(this.#path, this.#options, parsed, where);
      for (const { variable, key } of repaired) this.#repaired.set(variable, key);
      this.#asked.set(session, asked);
      if (isOneOfMany) this.#tellOfReplicas(parsed);
      return session;
    } catch (error) {
      throw await explained(this.#path, this.#options.tags, error);
    }
  }

  /** A failure is forgotten: the next call reads the model again. */
  #parse(): Promise<Parsed> {
    if (this.#parsed !== undefined) return this.#parsed;
    const parsing = parseModel(this.#path, this.#options);
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
      `${this.#path} changes variables when it runs (${ops.join(', ')}). Runs on different devices, copies and replicas ` +
        'have variables of their own: what one changes, the others do not see.',
      { type: 'TensorFlowWarning', code: 'TF_SESSION_REPLICAS' },
    );
  }
}

/** Why a load failed, as well as it can be said. */
async function explained(path: string, tags: readonly string[], error: unknown): Promise<unknown> {
  const better = await explainMissingOp(error, graphReader(path, tags));
  return better === error ? explainLoadFailure(path, tags, error, addon().library()!.version) : better;
}

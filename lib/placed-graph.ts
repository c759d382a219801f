/** One parsed graph, and sessions on it: each with the rules, and a device of its own for what the rules leave open. */
import { here } from './cluster/site.js';
import { type ConfigProtoJson, decodeConfig, encodeConfig } from './config.js';
import type { Device } from './device.js';
import { TensorFlowError } from './errors.js';
import type { NativeGraphChanges, NativeGraphSource, NativeSession } from './native.js';
import { checkOneOf, invalidOption } from './options.js';
import { type Assignment, assign, toNative } from './placement/assign.js';
import { checkDevices } from './placement/check-devices.js';
import { nodesToUntie } from './placement/colocation.js';
import { onTask, parseDevice } from './placement/device.js';
import { checkExact } from './placement/exact.js';
import { exactCalls, exactConfig } from './placement/exact-config.js';
import { kernelLookup } from './placement/kernels.js';
import { ModelGraph } from './placement/model-graph.js';
import { type GraphRoles, NodeList, readSource } from './placement/node-list.js';
import { type CompiledRule, compileRules, type PlacementRule } from './placement/rules.js';
import { addon } from './runtime/addon.js';

/** How a graph is to be placed: options of `SavedModel.load` and `Session.fromGraphDef`. */
export interface PlacementOptions {
  /**
   * Rules that say where ops run, in the main graph and in function bodies; the first that matches decides. Default:
   * none, so that the devices saved in the model count, and TensorFlow chooses for ops that have none.
   */
  placement?: readonly PlacementRule[] | undefined;
  /** Forgets the devices saved in the model first. Default: false. */
  clearDevices?: boolean | undefined;
  /**
   * Each op where it was asked, or an error before the first run: no silent move to another device, and no fusion of
   * ops, which moves them, too. Default: false.
   */
  exact?: boolean | undefined;
  /** Drops colocation constraints saved in the model (`_class`) where a rule contradicts them. Default: false. */
  ignoreColocation?: boolean | undefined;
}

export const PLACEMENT_KEYS = ['placement', 'clearDevices', 'exact', 'ignoreColocation'] as const;

/** The same, checked. */
export interface PlacementPlan {
  /** Whether a load must take the graph apart itself; else TensorFlow's own loader does it all. */
  isPlaced: boolean;
  rules: readonly CompiledRule[];
  clearDevices: boolean;
  exact: boolean;
  ignoreColocation: boolean;
  /** The serialized ConfigProto that was asked for. */
  asked: Uint8Array | undefined;
  /** That of each session: with what `exact` needs. */
  config: Uint8Array | undefined;
  allowSoftPlacement: boolean;
}

/** Nodes that are to be other ones than in the model. */
export type GraphEdits = Pick<NativeGraphChanges, 'replaced' | 'copies' | 'added'>;

/** A session that was just made; its variables are not restored. */
export interface PlacedSession {
  native: NativeSession;
  assignment: Assignment;
  /** Those of the session. */
  devices: readonly Device[];
}

/** The bit of a native code that drops a node's `_class`. */
const DROP_CLASS = 2 ** 31;

/** Throws INVALID_OPTION naming the key. */
export function checkPlacement(
  options: PlacementOptions & { config?: ConfigProtoJson | Uint8Array | undefined },
): PlacementPlan {
  for (const key of ['clearDevices', 'exact', 'ignoreColocation'] as const) {
    checkOneOf(options[key], [true, false], key);
  }
  const rules = compileRules(options.placement ?? []);
  const config = encodeConfig(options.config);
  const allowSoftPlacement = config !== undefined && decodeConfig(config).allowSoftPlacement;
  const exact = options.exact === true;
  if (exact && allowSoftPlacement) {
    throw invalidOption(
      'exact and config.allowSoftPlacement contradict each other: exact refuses what soft placement would move. Leave one of them out.',
    );
  }
  return {
    isPlaced: PLACEMENT_KEYS.some((key) => options[key] !== undefined && options[key] !== false),
    rules,
    clearDevices: options.clearDevices === true,
    exact,
    ignoreColocation: options.ignoreColocation === true,
    asked: config,
    config: exact ? Buffer.concat([config ?? new Uint8Array(), exactConfig()]) : config,
    allowSoftPlacement,
  };
}

/** The device of a run, or undefined. Throws INVALID_OPTION for what is none. */
export function checkRunDevice(device: unknown): string | undefined {
  if (device === undefined) return undefined;
  if (typeof device !== 'string' || device === '') {
    throw invalidOption('device must be the name of a device, such as "/CPU:0" or "/GPU:0".');
  }
  parseDevice(device);
  return device;
}

export class PlacedGraph {
  readonly plan: PlacementPlan;
  readonly index: NodeList;
  /** Serialized; never written to. */
  readonly graphDef: Uint8Array;
  readonly #source: NativeGraphSource;
  readonly #fed: ReadonlySet<string> | undefined;
  #graph: Promise<ModelGraph> | undefined;
  readonly #devices = new Map<string, Promise<readonly Device[]>>();

  private constructor(
    plan: PlacementPlan,
    graphDef: Uint8Array,
    source: NativeGraphSource,
    fed: readonly string[] | undefined,
  ) {
    this.#fed = fed && new Set(fed);
    this.plan = plan;
    this.graphDef = graphDef;
    this.#source = source;
    this.index = new NodeList(source);
  }

  /**
   * Lists the graph on a worker thread. `graphDef` must not be written to any more.
   *
   * @param roles What of it is for what; what only housekeeping needs keeps its devices.
   * @param fed Ops that are fed, as far as the model says; undefined where any may be.
   * @throws TensorFlowError DATA_LOSS for bytes that are no graph
   */
  static async open(
    graphDef: Uint8Array,
    plan: PlacementPlan,
    roles: GraphRoles = {},
    fed?: readonly string[],
  ): Promise<PlacedGraph> {
    const source = await readSource(graphDef, roles);
    return new PlacedGraph(plan, graphDef, source, fed);
  }

  /** Which op was asked where, `device` being for those that neither a rule nor the model speaks of. */
  assign(device?: string): Promise<Assignment> {
    const { rules, clearDevices } = this.plan;
    return assign(this.index, rules, { device, clearDevices });
  }

  /** The devices of a session there. */
  devices(site = here(this.plan.config)): Promise<readonly Device[]> {
    const key = `${site.target}\n${Buffer.from(site.config ?? []).toString('base64')}`;
    const known = this.#devices.get(key);
    if (known !== undefined) return known;
    const asking = addon().listDevices(site.config, site.target);
    this.#devices.set(key, asking);
    // What is elsewhere may change.
    const forget = () => this.#devices.delete(key);
    asking.then(site.target === '' ? undefined : forget, forget);
    return asking;
  }

  /**
   * A session on the graph, placed.
   *
   * @throws TensorFlowError INVALID_ARGUMENT naming rules that match nothing, devices that do not exist and, with
   *   `exact`, each request that cannot be held
   */
  async createSession(
    device?: string,
    edits: GraphEdits = {},
    site = here(this.plan.config),
  ): Promise<PlacedSession> {
    const { plan, index } = this;
    const assignment = await this.assign(device);
    const devices = await this.devices(site);
    // Exact names them with all else that is wrong.
    if (!plan.allowSoftPlacement && !plan.exact)
      checkDevices(index, assignment, devices, plan.clearDevices, site.home);
    const changes = toNative(assignment, index, plan.clearDevices, site.home);
    const wishes = {
      requested: (node: number) => {
        const asked = assignment.device(node);
        return asked === '' ? asked : onTask(asked, site.home);
      },
      isHousekeeping: (node: number) => index.isHousekeeping(node),
      devices,
      clearDevices: plan.clearDevices,
    };
    if (plan.ignoreColocation) {
      for (const node of await nodesToUntie(await this.graph(), wishes)) changes.codes[node]! += DROP_CLASS;
    }
    if (plan.exact) {
      await checkExact({
        ...wishes,
        graph: await this.graph(),
        kernels: kernelLookup(registeredKernels),
        ignoreColocation: plan.ignoreColocation,
        fed: this.#fed,
      });
    }
    const native = await this.#source.createSession(
      {
        codes: changes.codes.some((code) => code !== 0) ? changes.codes : undefined,
        table: changes.table,
        ...edits,
        callConfig: plan.exact ? exactCalls() : undefined,
      },
      site.config,
      site.target,
    );
    return { native, assignment, devices };
  }

  /** The whole graph, decoded: for checks and reports. */
  graph(): Promise<ModelGraph> {
    this.#graph ??= ModelGraph.decode(this.graphDef, this.index);
    return this.#graph;
  }
}

/** The serialized KernelList of an op type; undefined where the library is too old to tell. */
export function registeredKernels(type: string): Uint8Array | undefined {
  try {
    return addon().registeredKernels(type);
  } catch (error) {
    if (error instanceof TensorFlowError && error.code === 'LIBRARY_TOO_OLD') return undefined;
    throw error;
  }
}

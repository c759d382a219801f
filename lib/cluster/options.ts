/** Options of `SavedModel.load` that take a model to a cluster. */
import { type ConfigProtoJson, decodeConfig, encodeConfig } from '../config.js';
import type { Executor } from '../executor.js';
import { checkOneOf, invalidOption, readStrings } from '../options.js';
import type { PlacementPlan } from '../placed-graph.js';
import { exactOnCluster } from '../placement/exact-config.js';
import { show } from '../show.js';
import { here, needed, type Site } from './site.js';
import { Cluster, type ClusterSpec, checkAddress, parseTask, taskName } from './spec.js';

/** How a model is loaded onto the tasks of a cluster: options of `SavedModel.load`. */
export interface ClusterOptions {
  /**
   * The task that is asked to make the session and to run it: `grpc://host:port`, or with `cluster` its name,
   * `/job:worker/task:0`. Rules then name the devices of every task of its cluster. Default: none, this process.
   */
  target?: string | undefined;
  /**
   * The addresses of the tasks, as the workers were told them: for names in errors, for tasks by name, and so that each replica is
   * asked for at its own task. Default: none.
   */
  cluster?: ClusterSpec | undefined;
  /**
   * Tasks that each get a whole copy of the model; runs go to the least busy. Devices in rules that name no task are the
   * replica's own. A task that is slow or dead is left out, and taken back. Default: none.
   */
  replicas?: readonly string[] | undefined;
  /**
   * Whether a session that was lost with its task is made again, and its variables restored, without `model.reconnect()`.
   * What runs had changed in them is gone then. Default: with `replicas`, else not.
   */
  reconnect?: boolean | undefined;
  /**
   * Whether a run that its task took down is run once more on another replica, until none is left. What it may have done before
   * is not undone. Default: false: it rejects with UNAVAILABLE, naming the task.
   */
  failover?: boolean | undefined;
}

export const CLUSTER_KEYS = ['target', 'cluster', 'replicas', 'reconnect', 'failover'] as const;

/** The same, checked. */
export interface ClusterPlan {
  /** One for each replica; one, this process perhaps, without. */
  readonly sites: readonly Site[];
  readonly cluster: Cluster | undefined;
  readonly isRemote: boolean;
  readonly reconnects: boolean;
  readonly failover: boolean;
}

/** Of requests that make, extend and end sessions; runs have their own limit. TensorFlow's default is none. */
const REQUEST_MS = 30_000;

/** Throws INVALID_OPTION naming the key. */
export function checkCluster(
  options: ClusterOptions & {
    config?: ConfigProtoJson | Uint8Array | undefined;
    executor?: Executor | undefined;
  },
  plan: Pick<PlacementPlan, 'config' | 'asked' | 'exact'>,
): ClusterPlan {
  for (const key of ['reconnect', 'failover'] as const) checkOneOf(options[key], [true, false], key);
  const cluster = options.cluster === undefined ? undefined : new Cluster(options.cluster);
  const { replicas } = options;
  const isRemote = options.target !== undefined || replicas !== undefined;
  checkUse(options, isRemote);
  const common = {
    cluster,
    isRemote,
    reconnects: options.reconnect ?? replicas !== undefined,
    failover: options.failover === true,
  };
  if (!isRemote) return { ...common, sites: [here(plan.config)] };
  const config = remoteConfig(options.config, plan);
  const target = targetOf(options.target, cluster);
  if (replicas !== undefined) return { ...common, sites: replicaSites(replicas, target, cluster, config) };
  const { address, task } = target!;
  const url = `grpc://${address}`;
  const label = task === undefined ? url : `${task} (${address})`;
  const needs = needed(cluster, config, url);
  return { ...common, sites: [{ target: url, config, home: undefined, task, label, needs }] };
}

/** Throws INVALID_OPTION for what would do nothing. */
function checkUse(options: ClusterOptions & { executor?: Executor | undefined }, isRemote: boolean): void {
  const has = (key: keyof ClusterOptions) => options[key] !== undefined;
  if (!isRemote) {
    const needless = (['cluster', 'reconnect', 'failover'] as const).find(has);
    if (needless === undefined) return;
    throw invalidOption(
      `${needless} is of no use without target or replicas, which take the model to a cluster.`,
    );
  }
  if (has('failover') && !has('replicas')) {
    throw invalidOption(
      'failover is of no use without replicas, of which another could run what one did not.',
    );
  }
  if (has('target') && has('cluster') && has('replicas')) {
    throw invalidOption(
      'target is of no use beside replicas and cluster, with which each replica is asked for at its own task. Leave one of the three out.',
    );
  }
  checkRemoteExecutor(options.executor);
}

/** Throws INVALID_OPTION for what ops on other machines have not: a calling thread. */
export function checkRemoteExecutor(executor: unknown): void {
  if (executor !== 'caller') return;
  throw invalidOption(
    "executor: 'caller' is of no use with target or replicas: ops run in the pools of the tasks.",
  );
}

function replicaSites(
  replicas: unknown,
  target: { address: string } | undefined,
  cluster: Cluster | undefined,
  config: Uint8Array,
): Site[] {
  return replicasOf(replicas).map((name) => {
    const task = parseTask(name, 'replicas');
    const home = taskName(task);
    const common = { config, home, needs: [] };
    if (cluster !== undefined) {
      const address = cluster.address(task, 'replicas');
      return { ...common, target: `grpc://${address}`, task: home, label: `${home} (${address})` };
    }
    if (target !== undefined) {
      const { address } = target;
      return { ...common, target: `grpc://${address}`, label: `${home} (by way of ${address})` };
    }
    throw invalidOption(
      'replicas need the addresses of their tasks: give cluster, or target, by which all of them are reached.',
    );
  });
}

/** An address, and whose it is, where that is known. */
function targetOf(
  target: unknown,
  cluster: Cluster | undefined,
): { address: string; task?: string | undefined } | undefined {
  if (target === undefined) return undefined;
  if (typeof target === 'string' && target.startsWith('grpc://')) {
    const address = target.slice('grpc://'.length);
    checkAddress(address, 'target, after grpc://,');
    return { address, task: cluster?.tasks.find((task) => task.address === address)?.name };
  }
  if (typeof target === 'string' && target.startsWith('/job:')) {
    const task = parseTask(target, 'target');
    if (cluster !== undefined) return { address: cluster.address(task, 'target'), task: taskName(task) };
    throw invalidOption(
      `target ${show(target)} is the name of a task, which needs cluster, where its address stands.`,
    );
  }
  const isAddress = typeof target === 'string' && /^[\w.-]+:\d+$/.test(target);
  const meant = isAddress ? ` Did you mean ${show(`grpc://${target}`)}?` : '';
  throw invalidOption(
    `target must be "grpc://host:port", or with cluster the name of a task such as "/job:worker/task:0", not ${show(target)}.${meant}`,
  );
}

function replicasOf(given: unknown): readonly string[] {
  const replicas = readStrings(given, 'replicas');
  if (replicas.length === 0) throw invalidOption('replicas names no task.');
  const names = replicas.map((name) => taskName(parseTask(name, 'replicas')));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw invalidOption(`replicas names ${twice} twice; copies: 2 puts two copies on each.`);
}

/**
 * The ConfigProto that was asked for, and what sessions of a cluster need to be like those of one process: variables of their own,
 * functions that may reach over several tasks, requests that do not wait for ever.
 */
function remoteConfig(
  given: ConfigProtoJson | Uint8Array | undefined,
  { asked = new Uint8Array(), exact }: Pick<PlacementPlan, 'asked' | 'exact'>,
): Uint8Array {
  // What is said to be off in a message cannot be told from what is left out.
  const said = given instanceof Uint8Array ? undefined : (given as Record<string, unknown> | undefined);
  const isShared = said?.isolateSessionState === false || said?.isolate_session_state === false;
  const { operationTimeoutInMs } = decodeConfig(asked);
  const ours = encodeConfig({
    ...(!isShared && { isolateSessionState: true }),
    ...(operationTimeoutInMs === 0n && { operationTimeoutInMs: REQUEST_MS }),
    shareClusterDevicesInSession: true,
  })!;
  return Buffer.concat([asked, exact ? exactOnCluster() : new Uint8Array(), ours]);
}

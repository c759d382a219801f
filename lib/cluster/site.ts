/** Where sessions are made: in this process, or on a cluster, by way of one of its tasks. */
import { decodeConfig, encodeConfig } from '../config.js';
import { TensorFlowError } from '../errors.js';
import { lostError } from './lost.js';
import { type Cluster, taskName, taskOf, tasksMeet } from './spec.js';
import { whyNoAnswer } from './watch.js';

export interface Site {
  /** `grpc://host:port` of the task that is asked, or `''` for this process. */
  readonly target: string;
  /** The serialized ConfigProto of its sessions. */
  readonly config: Uint8Array | undefined;
  /** The one task that a replica's ops are for, where nothing names another: `/job:worker/task:0`. */
  readonly home: string | undefined;
  /** What the target is called in the cluster, where that is known. */
  readonly task?: string | undefined;
  /** For messages: `/job:worker/task:0 (host:2222)`. */
  readonly label: string;
  /** Other tasks that the target waits for, as far as the cluster is known. */
  readonly needs: readonly { name: string; address: string }[];
}

/** This process. */
export function here(config: Uint8Array | undefined): Site {
  return { target: '', config, home: undefined, label: 'this process', needs: [] };
}

/**
 * A replica's site, for sessions whose ops are asked onto these devices, too. A session asks all tasks of its cluster for
 * their devices, and waits for the last one, unless it is told which ones count.
 */
export function withDevices(site: Site, devices: readonly string[], cluster: Cluster | undefined): Site {
  if (site.home === undefined) return site;
  const tasks = new Set([site.home]);
  for (const device of devices) {
    const task = device === '' ? undefined : taskOf(device);
    if (task !== undefined) tasks.add(taskName(task));
  }
  const filters = encodeConfig({ deviceFilters: [...tasks] })!;
  const config = Buffer.concat([site.config ?? new Uint8Array(), filters]);
  return { ...site, config, needs: needed(cluster, config, site.target) };
}

/** The tasks that the target waits for: all, or those that the ConfigProto's filters let through. */
export function needed(cluster: Cluster | undefined, config: Uint8Array, target: string): Site['needs'] {
  const { deviceFilters } = decodeConfig(config);
  const others = cluster?.tasks.filter(({ address }) => address !== addressOf(target)) ?? [];
  if (deviceFilters.length === 0) return others;
  return others.filter(({ name }) => deviceFilters.some((filter) => tasksMeet(filter, name)));
}

/**
 * Resolves if the tasks that a session needs are there, as far as that can be seen from here: TensorFlow would wait for one that
 * is not, and the server with it.
 *
 * @throws TensorFlowError UNAVAILABLE naming the task
 */
export async function requireAnswer(site: Site): Promise<void> {
  const answers = await Promise.all(
    [addressOf(site.target), ...site.needs.map(({ address }) => address)].map(whyNoAnswer),
  );
  const [own, ...others] = answers;
  if (own !== undefined) {
    throw lostError(`${site.label} does not answer (${own.why}). Is the worker running?`);
  }
  for (const [i, { name, address }] of site.needs.entries()) {
    // Other addresses that cannot be reached from here may be reached from there.
    if (others[i]?.isSure !== true) continue;
    throw lostError(
      `${name} (${address}) does not answer (${others[i].why}), for which ${site.label} would wait. Is the worker running? ` +
        'config: { deviceFilters: ["/job:worker/task:0", …] } names the tasks that count.',
    );
  }
}

/**
 * Throws FAILED_PRECONDITION where the target is another task than the cluster says.
 *
 * @param devices of a session there; its own are the first
 */
export function checkIdentity(site: Site, devices: readonly { name: string }[]): void {
  const own = devices[0] && taskOf(devices[0].name);
  if (site.task === undefined || own === undefined || taskName(own) === site.task) return;
  throw new TensorFlowError(
    'FAILED_PRECONDITION',
    `${addressOf(site.target)} calls itself ${taskName(own)}, and the cluster says that it is ${site.task}: give workers and clients ` +
      'the same addresses in the same order.',
  );
}

/** `grpc://host:2222` -> `host:2222` */
export function addressOf(target: string): string {
  return target.replace(/^grpc:\/\//, '');
}

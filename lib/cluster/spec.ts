/** A cluster: which jobs there are, and at which addresses their tasks listen. */
import { isPlainObject } from '../config/describe.js';
import { didYouMean } from '../errors.js';
import { invalidOption } from '../options.js';
import { parseDevice } from '../placement/device.js';
import { show } from '../show.js';

/**
 * The jobs of a cluster by name, each with the addresses (`host:port`) of its tasks: in order, or by number. As
 * `tf.train.ClusterSpec` takes them, and as they stand in `TF_CONFIG`.
 */
export type ClusterSpec = Readonly<
  Record<string, readonly string[] | Readonly<Record<string | number, string>>>
>;

/** One process of a cluster. */
export interface Task {
  readonly job: string;
  readonly task: number;
}

/** A cluster, checked. */
export class Cluster {
  /** Addresses by task, by job. */
  readonly jobs: ReadonlyMap<string, ReadonlyMap<number, string>>;

  /** @param where what error messages call it */
  constructor(spec: unknown, where = 'cluster') {
    if (!isPlainObject(spec) || Object.keys(spec).length === 0) {
      throw invalidOption(
        `${where} must be an object of jobs and their addresses, such as { "worker": ["host1:2222", "host2:2222"] }, not ${show(spec)}.`,
      );
    }
    const addresses = new Set<string>();
    this.jobs = new Map(
      Object.entries(spec).map(([job, tasks]) => {
        if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(job)) {
          throw invalidOption(`${where}: ${show(job)} is no name of a job: letters, digits and _ are.`);
        }
        return [job, tasksOf(tasks, `${where}.${job}`, addresses)];
      }),
    );
  }

  /** The address of a task, or INVALID_OPTION with what there is. */
  address({ job, task }: Task, where: string): string {
    const tasks = this.jobs.get(job);
    if (tasks === undefined) {
      const jobs = [...this.jobs.keys()];
      throw invalidOption(
        `${where}: the cluster has no job ${show(job)}.${didYouMean(job, jobs)} There are: ${jobs.join(', ')}.`,
      );
    }
    const address = tasks.get(task);
    if (address !== undefined) return address;
    throw invalidOption(
      `${where}: the job ${show(job)} has no task ${task}. There are: ${[...tasks.keys()].join(', ')}.`,
    );
  }

  /** All of them, by their names. */
  get tasks(): { name: string; address: string }[] {
    return [...this.jobs].flatMap(([job, tasks]) =>
      [...tasks].map(([task, address]) => ({ name: taskName({ job, task }), address })),
    );
  }
}

function tasksOf(value: unknown, where: string, taken: Set<string>): Map<number, string> {
  const isList = Array.isArray(value);
  if ((!isList && !isPlainObject(value)) || Object.keys(value).length === 0) {
    throw invalidOption(
      `${where} must be the addresses of the job's tasks, such as ["host1:2222"], not ${show(value)}.`,
    );
  }
  const tasks = new Map<number, string>();
  for (const [key, address] of Object.entries(value)) {
    if (!/^\d{1,9}$/.test(key)) {
      const hint = where.endsWith('.cluster') ? ' Give what stands inside of "cluster".' : '';
      throw invalidOption(`${where}: ${show(key)} is no number of a task.${hint}`);
    }
    checkAddress(address, `${where}[${key}]`);
    if (taken.has(address) && !address.endsWith(':0')) {
      throw invalidOption(`${where}[${key}]: another task has the address ${address} already.`);
    }
    taken.add(address);
    tasks.set(Number(key), address);
  }
  return tasks;
}

/** Throws INVALID_OPTION where a value is no `host:port`. TensorFlow's server ends its process for some that are none. */
export function checkAddress(value: unknown, where: string): asserts value is string {
  const port =
    typeof value === 'string' ? /^(?:\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(value)?.[1] : undefined;
  if (port !== undefined && Number(port) <= 65535 && URL.canParse(`http://${value}`)) return;
  throw invalidOption(
    `${where} must be an address such as "10.0.0.7:2222" or "host:2222", not ${show(value)}.`,
  );
}

/** `/job:worker/task:1`, from the name of a task or of one of its devices; undefined where it says no task. */
export function taskOf(name: string): Task | undefined {
  const { job, task } = parseDevice(name);
  return job === undefined || task === undefined ? undefined : { job, task };
}

/** `/job:worker/task:1` as an option, or INVALID_OPTION. */
export function parseTask(name: unknown, where: string): Task {
  const { job, task, type, index } = parseDevice(name, where);
  if (job !== undefined && task !== undefined && type === undefined && index === undefined)
    return { job, task };
  throw invalidOption(`${where} must be a task such as "/job:worker/task:1", not ${show(name)}.`);
}

/** As people and TensorFlow's rules name it. */
export function taskName({ job, task }: Task): string {
  return `/job:${job}/task:${task}`;
}

/** Whether a device name, or a part of one, may mean something of a task. */
export function tasksMeet(device: string, task: string): boolean {
  const [a, b] = [parseDevice(device), parseDevice(task)];
  return (a.job ?? b.job) === b.job && (a.task ?? b.task) === b.task;
}

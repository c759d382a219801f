/// <reference lib="esnext.disposable" preserve="true" />
/** Servers of this program: tasks of a cluster, each in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ConfigProtoJson, encodeConfig } from '../config.js';
import { type ErrorCode, TensorFlowError } from '../errors.js';
import { checkExtensions, EXTENSION_KEYS, type ExtensionOptions } from '../extensions/extensions.js';
import { checkOneOf, invalidOption, readOptions } from '../options.js';
import { addon } from '../runtime/addon.js';
import { show } from '../show.js';
import type { FromServer, ToServer } from './server-process.js';
import { Cluster, type ClusterSpec, type Task, taskName } from './spec.js';

/** Options of `startServer`. */
export interface ServerOptions extends ExtensionOptions {
  /** All tasks of the cluster. Its own address says the port; port 0 takes a free one, which no other task can know. */
  cluster: ClusterSpec;
  /** Which job and task it is. */
  job: string;
  task: number;
  /** TensorFlow's ConfigProto, for its devices; also what sessions on it get where they say nothing. */
  config?: ConfigProtoJson | Uint8Array | undefined;
  /** A library file, or a folder that holds one. Default: what this process has opened, else as `tensorflow.open`. */
  library?: string | undefined;
  /**
   * TensorFlow's server listens on every interface of the machine, whatever its address says, and does what anybody asks
   * who can reach it: `true` says that this is known, and that a firewall stands before it. Else a process warning says so.
   */
  listenOnAllInterfaces?: boolean | undefined;
}

const KEYS = ['cluster', 'job', 'task', 'config', 'library', 'listenOnAllInterfaces', ...EXTENSION_KEYS];

/** How long its process may take to end by itself. */
const PATIENCE_MS = 2000;

/** What everybody should know before a server runs. */
export const DANGER =
  "TensorFlow's server listens on every interface of the machine, and runs any program, which can read and write files, for " +
  'whoever reaches its port: it has neither passwords nor encryption. A firewall or a network of its own must stand before it.';

/** A server that `startServer` has started. It ends with this process, and keeps it open as long as it runs. */
export class Server {
  /** `grpc://host:port`, for `target` of `SavedModel.load`. */
  readonly target: string;
  readonly job: string;
  readonly task: number;
  /** Of its process. */
  readonly pid: number;
  /** Resolves when its process has ended, to how. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;

  /** @internal */
  constructor(child: ChildProcess, { job, task }: Task, target: string) {
    this.#child = child;
    this.job = job;
    this.task = task;
    this.target = target;
    this.pid = child.pid!;
    this.ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  /** Lets this process end although the server runs; the server ends then, too. */
  unref(): this {
    this.#child.unref();
    this.#child.channel?.unref();
    return this;
  }

  /** Ends its process. What runs there is cut off: TensorFlow's servers know no other end. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    await this.ended;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts a task of a cluster: TensorFlow's own server, in a process of its own that ends with this one. Resolves when it
 * listens.
 *
 * @throws TensorFlowError INVALID_OPTION; FAILED_PRECONDITION where the port is taken; LIBRARY_TOO_OLD before TensorFlow
 *   1.13; what `tensorflow.open` does; ABORTED where its process ended, INTERNAL where it could not be started
 */
export async function startServer(given: ServerOptions): Promise<Server> {
  const options = readOptions(given, KEYS, 'The options of startServer');
  const cluster = new Cluster(options.cluster);
  const task = checkTask(options.job, options.task);
  cluster.address(task, 'job and task');
  checkOneOf(options.listenOnAllInterfaces, [true, false], 'listenOnAllInterfaces');
  if (options.library !== undefined && typeof options.library !== 'string') {
    throw invalidOption('library must be a path.');
  }
  const named = checkExtensions(options);
  const config = encodeConfig(options.config);
  if (options.listenOnAllInterfaces !== true) {
    process.emitWarning(`${DANGER} listenOnAllInterfaces: true says that this is known.`, {
      type: 'TensorFlowWarning',
      code: 'TF_SESSION_SERVER',
    });
  }
  const paths = (of: string) => named.flatMap(({ option, path }) => (option === of ? [path] : []));
  return start(task, {
    cluster: Object.fromEntries([...cluster.jobs].map(([job, tasks]) => [job, Object.fromEntries(tasks)])),
    task,
    config,
    library: options.library ?? addon().library()?.path,
    opLibraries: paths('opLibraries'),
    pluggableDevices: paths('pluggableDevices'),
  });
}

/** Throws INVALID_OPTION for what is no task. */
export function checkTask(job: unknown, task: unknown): Task {
  if (typeof job !== 'string') throw invalidOption(`job must be the name of a job, not ${show(job)}.`);
  if (!Number.isInteger(task) || (task as number) < 0) {
    throw invalidOption(`task must be a number, that of the task in the job, from 0, not ${show(task)}.`);
  }
  return { job, task: task as number };
}

async function start(task: Task, order: ToServer): Promise<Server> {
  // From dist/cluster/ as well as from dist/bundle/.
  const program = fileURLToPath(new URL('../cluster/server-process.js', import.meta.url));
  if (!existsSync(program)) {
    throw new TensorFlowError('FAILED_PRECONDITION', `${program} is missing: build the package first.`);
  }
  const child = fork(program, [], {
    serialization: 'advanced',
    // What TensorFlow prints goes to stderr, which is for such lines.
    stdio: ['ignore', 2, 2, 'ipc'],
    execArgv: [],
  });
  const answer = await new Promise<FromServer>((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const how = signal === null ? `status ${code}` : `the signal ${signal}`;
      resolve({
        code: 'ABORTED',
        message: `The process of ${taskName(task)} ended with ${how} before it listened.`,
      });
    });
    child.send(order, (error) => error && reject(error));
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new TensorFlowError(
      'INTERNAL',
      `The process of ${taskName(task)} could not be started: ${String(error)}`,
      {
        cause: error,
      },
    );
  });
  if ('target' in answer) return new Server(child, task, answer.target);
  child.kill('SIGKILL');
  throw new TensorFlowError(answer.code as ErrorCode, answer.message);
}

/** Workers for tests: processes of the built command, on ports that are free. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ClusterSpec, ConfigProtoJson, Device } from '../../lib/index.js';
import { freePorts } from '../../scripts/tools/free-ports.mjs';
import { MAIN } from '../cli/command.js';

/** What `tf-session worker --json` prints. */
export interface Listening {
  target: string;
  job: string;
  task: number;
  devices: Device[];
}

/** One worker that may die and come back. */
export class Worker {
  #child: ChildProcess | undefined;
  listening!: Listening;

  constructor(
    readonly file: string,
    readonly job: string,
    readonly task: number,
    readonly args: readonly string[],
  ) {}

  get name(): string {
    return `/job:${this.job}/task:${this.task}`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** @param before a command that its own is given to: `['unshare', '-m']` */
  async start(before: readonly string[] = []): Promise<this> {
    const own = ['--cluster', this.file, '--job', this.job, '--task', String(this.task)];
    const args = [MAIN, 'worker', ...own, '--listen-on-all-interfaces', '--json', ...this.args];
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', NODE_OPTIONS: '' };
    const [program, ...rest] = [...before, process.execPath, ...args];
    const child = spawn(program!, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let stdout = '';
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (text) => {
        stdout += text;
        if (stdout.endsWith('\n')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`${this.name} ended with ${code}: ${stderr}`)));
    });
    this.listening = JSON.parse(stdout) as Listening;
    return this;
  }

  /** Ends it, and waits for that. Returns its exit status. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'exit');
    child.kill(signal);
    if (signal !== 'SIGCONT') child.kill('SIGCONT');
    const [code] = await ended;
    return code;
  }

  /** Freezes it, as a machine that is cut off, or lets it go on. */
  freeze(is: boolean): void {
    this.#child!.kill(is ? 'SIGSTOP' : 'SIGCONT');
    // On a busy machine its threads stop a little later, and would still answer what comes next.
    const end = performance.now() + 2000;
    while (is && process.platform === 'linux' && performance.now() < end && !this.#isStopped());
  }

  #isStopped(): boolean {
    const tasks = `/proc/${this.#child!.pid}/task`;
    const states = readdirSync(tasks).map((id) => readFileSync(`${tasks}/${id}/stat`, 'utf8'));
    return states.every((stat) => /\) [Tt] /.test(stat));
  }
}

export interface Workers {
  cluster: ClusterSpec;
  workers: Worker[];
  names: string[];
  /** cluster.json. */
  file: string;
}

/** So many workers of one job, which end with the test, or with what `cleanUp` is called by. */
export async function startWorkers(
  count: number,
  config: ConfigProtoJson = {},
  cleanUp: (end: () => Promise<void>) => void = onTestFinished,
): Promise<Workers> {
  const addresses = (await freePorts(count)).map((port) => `127.0.0.1:${port}`);
  const cluster = { worker: addresses };
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-test-'));
  const [file, configFile] = [join(folder, 'cluster.json'), join(folder, 'config.json')];
  await writeFile(file, JSON.stringify(cluster));
  await writeFile(configFile, JSON.stringify(config));
  const args = ['--config', configFile];
  const workers = addresses.map((_, task) => new Worker(file, 'worker', task, args));
  cleanUp(async () => {
    await Promise.all(workers.map((worker) => worker.end()));
    await rm(folder, { recursive: true });
  });
  await Promise.all(workers.map((worker) => worker.start()));
  return { cluster, workers, names: workers.map(({ name }) => name), file };
}

/** One candidate at work: its process, seen from the one that compares. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TensorFlowError } from '../errors.js';
import type { Candidate, FromChild, SentTensor, ToChild } from './job.js';
import { median, quantile } from './statistics.js';

/** What one candidate came to. Times in microseconds unless the name says milliseconds. */
export interface Measured {
  medianUs: number;
  p99Us: number;
  /** The medians of the rounds, the least and the largest. */
  spreadUs: readonly [number, number];
  /** Runs a second; of batches, rows. */
  perSecond: number;
  loadMs: number;
  firstRunUs: number;
  peakMemoryBytes: number;
  /** CPU time by wall time: how many cores were at work. */
  cpuPerWall: number;
  rounds: number;
  runs: number;
}

type Answer = Exclude<FromChild, { kind: 'error' }>;

/** A process that says nothing for so long is given up. */
const LIMIT_MS = 300_000;

export class Contestant {
  readonly candidate: Candidate;
  readonly #child: ChildProcess;
  #settle: { resolve(answer: Answer): void; reject(reason: unknown): void } | undefined;
  #gone: Error | undefined;
  #stderr = '';
  readonly #samples: Float64Array[] = [];
  readonly #medians: number[] = [];
  #wallUs = 0;
  #cpuUs = 0;
  #peak = 0;
  #started: Extract<FromChild, { kind: 'started' }> | undefined;

  constructor(candidate: Candidate) {
    this.candidate = candidate;
    this.#child = fork(fileURLToPath(new URL('../bench/child.js', import.meta.url)), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { TF_CPP_MIN_LOG_LEVEL: '2', ...process.env },
      execArgv: [],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000);
    });
    this.#child.on('message', (message: FromChild) => {
      if (message.kind === 'error') this.#fail(new TensorFlowError(message.code as never, message.message));
      else this.#settle?.resolve(message);
    });
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', (status, signal) => {
      const last = this.#stderr.trim().split('\n').at(-1) ?? '';
      const how = signal === null ? `status ${status}` : `the signal ${signal}`;
      this.#gone ??= new TensorFlowError('ABORTED', `Its process ended with ${how}. ${last}`.trim());
      this.#fail(this.#gone);
    });
  }

  /** Loads and warms up. Returns the first run's outputs, where they are wanted. */
  async start(
    library: string | undefined,
    wantOutputs = false,
  ): Promise<Record<string, SentTensor> | undefined> {
    const answer = await this.#ask({ kind: 'start', candidate: this.candidate, library, wantOutputs });
    if (answer.kind === 'started') this.#started = answer;
    return answer.kind === 'started' ? answer.outputs : undefined;
  }

  /** One round; returns its median. */
  async round(milliseconds: number, leastRuns: number): Promise<number> {
    const answer = await this.#ask({ kind: 'round', milliseconds, leastRuns });
    if (answer.kind !== 'round') return Number.NaN;
    this.#samples.push(answer.samples);
    this.#medians.push(median(answer.samples));
    this.#wallUs += answer.wallUs;
    this.#cpuUs += answer.cpuUs;
    this.#peak = answer.peakMemoryBytes;
    return this.#medians.at(-1)!;
  }

  /** Of all rounds so far; undefined before the first. */
  result(): Measured | undefined {
    if (this.#started === undefined || this.#medians.length === 0) return undefined;
    const all = this.#samples.flatMap((samples) => [...samples]);
    const { batch, batches } = this.candidate;
    return {
      medianUs: median(all),
      p99Us: quantile(all, 0.99),
      spreadUs: [Math.min(...this.#medians), Math.max(...this.#medians)],
      perSecond: (all.length * (batches === true ? 1 : (batch ?? 1)) * 1e6) / this.#wallUs,
      loadMs: this.#started.loadMs,
      firstRunUs: this.#started.firstRunUs,
      peakMemoryBytes: this.#peak,
      cpuPerWall: this.#cpuUs / this.#wallUs,
      rounds: this.#medians.length,
      runs: all.length,
    };
  }

  /** Ends the process at once. */
  end(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(message: ToChild): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) return reject(this.#gone);
      const timer = setTimeout(() => {
        this.#fail(new TensorFlowError('DEADLINE_EXCEEDED', `It did not answer for ${LIMIT_MS / 1000} s.`));
        this.end();
      }, LIMIT_MS);
      const done = () => {
        clearTimeout(timer);
        this.#settle = undefined;
      };
      this.#settle = {
        resolve: (answer) => {
          done();
          resolve(answer);
        },
        reject: (reason) => {
          done();
          reject(reason);
        },
      };
      this.#child.send(message, (error) => error && this.#fail(error));
    });
  }

  #fail(error: Error): void {
    this.#settle?.reject(error);
  }
}

/**
 * A session's tie to the tasks it runs on. Every run that is awaited goes through it: it counts them, ends those that
 * TensorFlow would leave waiting for a task that is gone, and says which task that is.
 */
import { TensorFlowError } from '../errors.js';
import { isOlder } from '../minor-version.js';
import type { NativeSession } from '../native.js';
import { lostError, reasonIn, taskNamed } from './lost.js';
import { addressOf, type Site } from './site.js';
import { type NoAnswer, SILENCE_MS, watchAddress, whyNoAnswer } from './watch.js';

/** TensorFlow's words of a task that has begun anew and knows nothing of the session. */
const FORGOTTEN =
  /Session handle is not found|Session \S+ is not found|Graph handle is not found|just restarted|this master has restarted|worker may have been restarted|incarnation/i;
/** Of a connection that failed, or one that cannot be made. */
const NO_CONNECTION =
  /GRPC error|connection (reset|refused|closed)|failed to connect|socket closed|connect(ed)? failed|broken pipe|transport|No route to host|DNS resolution|GOAWAY/i;

/** The first TensorFlow that ends runs whose tasks are gone, and says which; older ones wait. */
const SAYS_WHO = '2.5';

/** How long a task may take to answer that a session is closed. */
const PATIENCE_MS = 1000;

interface Run {
  readonly since: number;
  reject(reason: unknown): void;
}

/** What a link tells. */
export interface LinkEvents {
  /** A run succeeded, after so many milliseconds. */
  onEnded(ms: number): void;
  /** A run came to its time limit. */
  onTimedOut(): void;
  /** A task is gone, and the session with it. Once. */
  onLost(error: TensorFlowError): void;
}

/** Links that nobody holds any more. */
const dropped = new FinalizationRegistry((stop: () => void) => stop());

export class Link {
  readonly site: Site;
  #lost: TensorFlowError | undefined;
  readonly #runs = new Set<Run>();
  #hold: NodeJS.Timeout | undefined;
  readonly #events: LinkEvents;
  readonly #stopWatching: (() => void)[] = [];
  readonly #saysWho: boolean;
  #isMaking = true;
  #isClosed = false;
  #whenIdle: (() => void)[] = [];

  /** @param version TensorFlow's */
  constructor(site: Site, events: LinkEvents, version: string) {
    this.site = site;
    this.#events = events;
    this.#saysWho = !isOlder(version, SAYS_WHO);
    this.#watch(addressOf(site.target), site.label);
    for (const { name, address } of site.needs) this.#watchIfThere(name, address);
  }

  /** The session is made: until then TensorFlow waits for every task, whatever becomes of it. */
  made(): void {
    this.#isMaking = false;
  }

  /** Why its session is of no more use. */
  get lost(): TensorFlowError | undefined {
    return this.#lost;
  }

  /** Runs under way. */
  get running(): number {
    return this.#runs.size;
  }

  /** How long the first of them has been under way, in milliseconds. */
  get oldestMs(): number {
    for (const { since } of this.#runs) return performance.now() - since;
    return 0;
  }

  /** `running`, or why there is no use in waiting for it. */
  guard<T>(running: Promise<T>): Promise<T> {
    if (this.#lost !== undefined) {
      running.catch(() => {});
      return Promise.reject(this.#lost);
    }
    return new Promise((resolve, reject) => {
      const run: Run = { since: performance.now(), reject };
      this.#runs.add(run);
      // Requests to servers hold no process open.
      this.#hold ??= setInterval(() => {}, 2 ** 30);
      running.then(
        (value) => {
          if (this.#drop(run)) this.#events.onEnded(performance.now() - run.since);
          resolve(value);
        },
        (error) => {
          const isAwaited = this.#drop(run);
          const isLate = error instanceof TensorFlowError && error.code === 'DEADLINE_EXCEEDED';
          if (isLate && isAwaited) this.#events.onTimedOut();
          reject(this.explain(error));
        },
      );
    });
  }

  /** The session is of no more use. */
  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stopWatching.splice(0)) stop();
  }

  /** Closes the session: after its runs, or with `cancel` with an end to them. A task that does not answer is not waited for. */
  async end(session: NativeSession, cancel: boolean): Promise<void> {
    const closing = session.close(cancel);
    if (!cancel) await Promise.race([closing, this.#idle()]);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), PATIENCE_MS);
    });
    const isLate = this.#lost !== undefined || (await Promise.race([closing, patience])) === true;
    clearTimeout(timer);
    this.close();
    if (!isLate) return;
    session.abandon();
    this.cancel();
  }

  /** When no run is under way any more, or none that will ever end. */
  #idle(): Promise<void> {
    if (this.#runs.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }

  /** False where it was given up before. */
  #drop(run: Run): boolean {
    const isAwaited = this.#runs.delete(run);
    if (this.#runs.size === 0) {
      clearInterval(this.#hold);
      this.#hold = undefined;
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
    return isAwaited;
  }

  #rejectAll(reason: TensorFlowError): void {
    for (const run of [...this.#runs]) {
      run.reject(reason);
      this.#drop(run);
    }
  }

  /** Nobody waits any more for what is under way. */
  cancel(): void {
    this.#rejectAll(new TensorFlowError('CANCELLED', 'The run was cancelled: its session was closed.'));
  }

  #watch(address: string, label: string, task?: string): void {
    if (this.#isClosed) return;
    // A model that is dropped without a close is collected, and this with it.
    const self = new WeakRef(this);
    const stop = watchAddress(address, (answer) => self.deref()?.onNoAnswer(answer, label, task));
    this.#stopWatching.push(stop);
    dropped.register(this, stop);
  }

  /** What cannot be reached from here may be reached from there. */
  async #watchIfThere(task: string, address: string): Promise<void> {
    if ((await whyNoAnswer(address)) === undefined) this.#watch(address, `${task} (${address})`, task);
  }

  /** @param task one that the target works with; of these TensorFlow tells, but of those that are silent */
  private onNoAnswer({ why, isSure }: NoAnswer, label: string, task: string | undefined): void {
    const isWaitedFor = this.#isMaking || !this.#saysWho || (!isSure && this.oldestMs > SILENCE_MS);
    if (task === undefined || isWaitedFor) this.#lose(`${label} does not answer any more (${why}).`);
  }

  /** What the error of a run really means. */
  explain(error: unknown): unknown {
    if (this.#lost !== undefined) return this.#lost;
    if (!(error instanceof TensorFlowError)) return error;
    const isGone = error.code === 'UNAVAILABLE' && NO_CONNECTION.test(error.message);
    const isForgotten = error.code !== 'UNAVAILABLE' && FORGOTTEN.test(error.message);
    if (error.code === 'DEADLINE_EXCEEDED') {
      const message = `The run did not end on ${this.site.label} within its time limit.\nTensorFlow: ${error.message}`;
      return new TensorFlowError(error.code, message, { cause: error });
    }
    if (!isGone && !isForgotten) return error;
    return this.#lose(`${this.#taskIn(error.message)} ${isGone ? 'is gone' : 'has begun anew'}.`, error);
  }

  #taskIn(message: string): string {
    const name = taskNamed(message);
    if (name === undefined) return `${this.site.label}, or a task that it works with,`;
    const address = this.site.needs.find((each) => each.name === name)?.address;
    if (address !== undefined) return `${name} (${address})`;
    return this.site.label.startsWith(name) ? this.site.label : name;
  }

  #lose(what: string, cause?: TensorFlowError): TensorFlowError {
    if (this.#lost !== undefined) return this.#lost;
    const reason = cause === undefined ? '' : ` (TensorFlow: ${reasonIn(cause.message)})`;
    this.#lost = lostError(`${what} The session there, with its variables, is lost${reason}.`, cause);
    this.close();
    this.#rejectAll(this.#lost);
    this.#events.onLost(this.#lost);
    return this.#lost;
  }
}

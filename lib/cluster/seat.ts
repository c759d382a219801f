/** A place for a session on a cluster: the session may be lost with a task, and made again when that is back. */
import { closedError, type TensorFlowError } from '../errors.js';
import type { Session } from '../session.js';
import type { Whereabouts } from '../session-maker.js';
import type { LinkEvents } from './link.js';
import { lostError } from './lost.js';
import { requireAnswer, type Site } from './site.js';

/** Makes a session of a site, whole: placed, restored, initialised. What is aborted is of no use to anybody. */
export type MakeSession = (where: Whereabouts) => Promise<Session>;

/** Pauses between attempts to make a lost session again, and of a slow one. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** A run that takes so many times as long as usual, and so long at least, makes its seat a slow one. */
const SLOW_TIMES = 10;
const SLOW_MS = 1000;

/** How long runs take of late, over all seats of a group. */
export class Pace {
  usualMs: number | undefined;

  ended(ms: number): void {
    this.usualMs = this.usualMs === undefined ? ms : 0.9 * this.usualMs + 0.1 * ms;
  }
}

export class Seat {
  readonly site: Site;
  readonly #make: MakeSession;
  readonly #pace: Pace;
  readonly #reconnects: boolean;
  #session: Session | undefined;
  #lost: TensorFlowError | undefined;
  #making: { promise: Promise<void>; abort: AbortController } | undefined;
  #pauseMs = 0;
  #restsUntil = 0;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #triedAt = 0;

  /** @param reconnects whether a lost session is made again without being asked for */
  constructor(site: Site, make: MakeSession, pace: Pace, reconnects: boolean) {
    this.site = site;
    this.#make = make;
    this.#pace = pace;
    this.#reconnects = reconnects;
  }

  /** Its session, where it has one that is not lost. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Why it has none. */
  get lost(): TensorFlowError {
    if (this.#isClosed) return closedError();
    const what = this.#lost?.message ?? `There is no session on ${this.site.label} yet.`;
    const how = this.#reconnects
      ? 'It is made again as soon as the task answers.'
      : 'model.reconnect() makes it again, and so does the option `reconnect: true` of SavedModel.load by itself.';
    return lostError(`${what}\n${how}`, this.#lost);
  }

  /** Runs under way on it. */
  get running(): number {
    return this.#session?.link?.running ?? 0;
  }

  /** Whether others should be preferred: its runs take too long, or came to their time limits of late. */
  get isSlow(): boolean {
    if (performance.now() < this.#restsUntil) return true;
    // After a rest one run tries it out.
    if (this.#pauseMs > 0 && this.running > 0) return true;
    const usual = this.#pace.usualMs;
    return (
      usual !== undefined && (this.#session?.link?.oldestMs ?? 0) > Math.max(SLOW_MS, SLOW_TIMES * usual)
    );
  }

  /** Makes its session again, and again, until its task is there. */
  reopen(): void {
    if (this.#reconnects) this.#reopen(FIRST_PAUSE_MS);
  }

  /** Somebody waits for it: the next attempt is now. */
  hurry(): void {
    if (this.#timer === undefined || performance.now() - this.#triedAt < FIRST_PAUSE_MS) return;
    this.#triedAt = performance.now();
    this.#reopen(0);
  }

  /** Makes its session unless it has one. Callers share an attempt. */
  open(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (this.#session !== undefined) return Promise.resolve();
    if (this.#making !== undefined) return this.#making.promise;
    const abort = new AbortController();
    const promise = this.#open(abort.signal)
      .catch((error) => {
        // Whoever runs next is told.
        const reason = `At the last attempt to make the session on ${this.site.label}: ${(error as Error).message}`;
        this.#lost = lostError(reason, error);
        throw this.#isClosed ? closedError() : error;
      })
      .finally(() => {
        this.#making = undefined;
      });
    this.#making = { promise, abort };
    return promise;
  }

  async close(options: { cancel?: boolean } = {}): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#making?.abort.abort();
    await this.#session?.close(options);
  }

  async #open(signal: AbortSignal): Promise<void> {
    await requireAnswer(this.site);
    signal.throwIfAborted();
    const events: LinkEvents = {
      onEnded: (ms) => {
        // What restores is no measure.
        if (this.#session === undefined) return;
        this.#pauseMs = 0;
        this.#pace.ended(ms);
      },
      onTimedOut: () => {
        // Of those that were under way together the first counts.
        if (performance.now() < this.#restsUntil) return;
        this.#pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, 2 * this.#pauseMs), LONGEST_PAUSE_MS);
        this.#restsUntil = performance.now() + this.#pauseMs;
      },
      onLost: (error) => this.#onLost(error),
    };
    const session = await this.#make({ site: this.site, events, signal });
    if (this.#isClosed) {
      await session.close();
      throw closedError();
    }
    // It may have been lost between its last run and now.
    if (session.link?.lost !== undefined) {
      session.abandon();
      throw session.link.lost;
    }
    this.#pauseMs = 0;
    this.#restsUntil = 0;
    this.#session = session;
  }

  #onLost(error: TensorFlowError): void {
    const session = this.#session;
    this.#lost = error;
    this.#session = undefined;
    session?.abandon();
    if (session !== undefined) this.reopen();
  }

  #reopen(pauseMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      this.#timer = undefined;
      try {
        await this.open();
      } catch {
        this.#triedAt = performance.now();
        if (!this.#isClosed) this.#reopen(Math.min(Math.max(FIRST_PAUSE_MS, 2 * pauseMs), LONGEST_PAUSE_MS));
      }
    }, pauseMs).unref();
  }
}

/** Sessions with one placement on a cluster: a run goes to the least busy of those that are there. */
import { closedError, type TensorFlowError } from '../errors.js';
import type { Session } from '../session.js';
import { isLost, lostError } from './lost.js';
import { type MakeSession, Pace, Seat } from './seat.js';
import type { Site } from './site.js';

/** A session of a model on a cluster. */
export interface Replica {
  /** `/job:worker/task:0 (10.0.0.7:2222)` */
  readonly task: string;
  /** `slow`: runs take much longer there than elsewhere, or came to their time limits; others are preferred. */
  readonly state: 'ready' | 'slow' | 'lost';
  /** Runs under way on it. */
  readonly running: number;
  /** Why it is lost. */
  readonly reason?: string;
}

export class RemoteGroup {
  readonly #seats: readonly Seat[];
  #turn = 0;
  #isClosed = false;

  /** @param reconnects whether lost sessions are made again without being asked for */
  constructor(sites: readonly Site[], make: MakeSession, reconnects: boolean) {
    const pace = new Pace();
    this.#seats = sites.map((site) => new Seat(site, make, pace, reconnects));
  }

  /**
   * Makes its sessions. Rejects with what is wrong with any of them; only that a task is not there may be, where another
   * is: it is taken in when it comes.
   */
  async open(): Promise<void> {
    const failures = await this.#openAll();
    const fatal = failures.find(({ reason }) => !isLost(reason)) ?? (this.#hasAny ? undefined : failures[0]);
    if (fatal !== undefined) throw fatal.reason;
    for (const { seat, reason } of failures) {
      process.emitWarning(`A replica is left out: ${(reason as Error).message}`, {
        type: 'TensorFlowWarning',
        code: 'TF_SESSION_REPLICA_MISSING',
      });
      seat.reopen();
    }
  }

  /** Makes again what is lost. Rejects with what went wrong first, after all were tried. */
  async reconnect(): Promise<void> {
    const [first] = await this.#openAll();
    if (first !== undefined) throw first.reason;
  }

  async #openAll(): Promise<{ seat: Seat; reason: unknown }[]> {
    const opened = await Promise.allSettled(this.#seats.map((seat) => seat.open()));
    return opened.flatMap((each, i) =>
      each.status === 'rejected' ? [{ seat: this.#seats[i]!, reason: each.reason as unknown }] : [],
    );
  }

  get #hasAny(): boolean {
    return this.#seats.some(({ session }) => session !== undefined);
  }

  /** Its sessions that are not lost. */
  get all(): Session[] {
    return this.#seats.flatMap(({ session }) => session ?? []);
  }

  /** How its sessions are. */
  get replicas(): Replica[] {
    return this.#seats.map(({ site, session, lost, running, isSlow }) => {
      if (session === undefined) return { task: site.label, state: 'lost', running, reason: lost.message };
      return { task: site.label, state: isSlow ? 'slow' : 'ready', running };
    });
  }

  /** The session for the next run. Throws UNAVAILABLE, naming tasks, where there is none. */
  next(): Session {
    if (this.#isClosed) throw closedError();
    const up = this.#seats.filter(({ session }) => session !== undefined);
    if (up.length === 0) {
      for (const seat of this.#seats) seat.hurry();
      throw this.#noneLeft();
    }
    if (up.length === 1) return up[0]!.session!;
    const quick = up.filter(({ isSlow }) => !isSlow);
    const able = quick.length > 0 ? quick : up;
    const least = Math.min(...able.map(({ running }) => running));
    const idlest = able.filter(({ running }) => running === least);
    this.#turn = (this.#turn + 1) % idlest.length;
    return idlest[this.#turn]!.session!;
  }

  async close(options: { cancel?: boolean } = {}): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#seats.map((seat) => seat.close(options)));
  }

  #noneLeft(): TensorFlowError {
    if (this.#seats.length === 1) return this.#seats[0]!.lost;
    const all = this.#seats.map(({ lost }) => `- ${lost.message.split('\n')[0]}`).join('\n');
    return lostError(`No replica is left:\n${all}`, this.#seats[0]!.lost);
  }
}

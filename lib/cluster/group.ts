/** Sessions with one placement on a cluster: a run goes to the least busy of those that are there. */
import { closedError, type TensorFlowError } from '../errors.js';
import type { Session } from '../session.js';
import { isLost, lostError } from './link.js';
import { type MakeSession, Pace, Seat } from './seat.js';
import type { Site } from './site.js';

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
    for (const { reason } of await this.#openAll()) throw reason;
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

  /** Sessions that are there, and how busy they are. */
  get seats(): { label: string; session: Session | undefined; running: number; isSlow: boolean }[] {
    return this.#seats.map(({ site, session, running, isSlow }) => ({
      label: site.label,
      session,
      running,
      isSlow,
    }));
  }

  /** The session for the next run. Throws UNAVAILABLE, naming tasks, where there is none. */
  next(): Session {
    if (this.#isClosed) throw closedError();
    const up = this.#seats.filter(({ session }) => session !== undefined);
    if (up.length === 0) throw this.#noneLeft();
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

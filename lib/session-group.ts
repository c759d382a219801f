/** Sessions with one placement, which runs go to in turn. */
import type { Session } from './session.js';

export class SessionGroup {
  readonly #sessions: Session[] = [];
  #next = 0;

  add(session: Session): void {
    this.#sessions.push(session);
  }

  get size(): number {
    return this.#sessions.length;
  }

  get all(): readonly Session[] {
    return this.#sessions;
  }

  get first(): Session {
    return this.#sessions[0]!;
  }

  /** The one for the next run. */
  next(): Session {
    if (this.#sessions.length === 1) return this.#sessions[0]!;
    this.#next = (this.#next + 1) % this.#sessions.length;
    return this.#sessions[this.#next]!;
  }

  /** Closes them all. */
  async close(options: { cancel?: boolean } = {}): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close(options)));
  }
}

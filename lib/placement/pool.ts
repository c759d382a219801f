/** Sessions on one model, one per placement: made one at a time, kept, closed together. */
import { closedError } from '../errors.js';
import { canonicalDevice } from './device.js';

/** What a pool holds. */
export interface Closeable {
  close(options?: { cancel?: boolean }): Promise<void>;
}

interface Entry<S> {
  /** As it was spelled first. */
  device: string;
  making: Promise<S>;
  ready: S | undefined;
}

export class SessionPool<S extends Closeable> {
  readonly #make: (device: string) => Promise<S>;
  readonly #entries = new Map<string, Entry<S>>();
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param make Makes the session of a device, whole: placed, restored, initialised. */
  constructor(make: (device: string) => Promise<S>) {
    this.#make = make;
  }

  /** The session of this device, where it is ready; two spellings of a device are one. */
  ready(device: string): S | undefined {
    return this.#entries.get(keyOf(device))?.ready;
  }

  /** All that are ready. */
  get all(): S[] {
    return [...this.#entries.values()].flatMap(({ ready }) => ready ?? []);
  }

  /**
   * The same, made where it is not there yet, after those that are being made. A failure is forgotten: the next call
   * tries again. A caller may drop the promise: no rejection of it is unhandled.
   */
  get(device: string): Promise<S> {
    if (this.#closed) {
      const refused = Promise.reject(closedError());
      refused.catch(() => {});
      return refused;
    }
    const key = keyOf(device);
    const known = this.#entries.get(key);
    if (known !== undefined) return known.making;
    const making = this.#last.then(async () => {
      if (this.#closed) throw closedError();
      const session = await this.#make(device);
      if (this.#closed) {
        await session.close();
        throw closedError();
      }
      entry.ready = session;
      return session;
    });
    const entry: Entry<S> = { device, making, ready: undefined };
    this.#entries.set(key, entry);
    this.#last = making.catch(() => {
      this.#entries.delete(key);
    });
    return making;
  }

  /** The devices of the sessions that are ready, as they were spelled. */
  get devices(): string[] {
    return [...this.#entries.values()].flatMap(({ device, ready }) => (ready === undefined ? [] : device));
  }

  /** Closes all, those in the making as well, and makes no more. */
  async close(options: { cancel?: boolean }): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.all.map((session) => session.close(options)), this.#last]);
  }
}

/** What all spellings of a device have in common, its full name among them. */
function keyOf(device: string): string {
  const name = canonicalDevice(device).replace('/replica:0', '');
  // Tasks of other jobs are other processes.
  return name.replace(/^(\/job:localhost)?(\/task:0)?(?=\/device:)/, '');
}

/**
 * Whether a task of a cluster is there. TensorFlow's own requests wait for a task that is gone until it comes back, or
 * for ever: so a bare connection is kept beside them, whose end tells of the end of the process at once.
 */
import { connect, type Socket } from 'node:net';

/** How long a connection may take. */
const CONNECT_MS = 3000;
/** How often a task is asked anew, since a machine that is cut off ends no connection. */
const PROBE_MS = 5000;
/** Attempts, and the pause between them, before a task counts as gone. */
const ATTEMPTS = 2;
const PAUSE_MS = 100;

/** Whether something accepts connections at `host:port`; `undefined` if so, else why not. */
export async function whyNoAnswer(address: string): Promise<string | undefined> {
  const opened = await open(address);
  if (typeof opened === 'string') return opened;
  opened.destroy();
  return undefined;
}

function open(address: string): Promise<Socket | string> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(address.slice(colon + 1)), timeout: CONNECT_MS });
    const fail = (why: string) => {
      socket.destroy();
      resolve(why);
    };
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once('timeout', () => fail(`no connection within ${CONNECT_MS} ms`));
    socket.once('connect', () => {
      socket.removeAllListeners('timeout').setTimeout(0);
      resolve(socket);
    });
  });
}

type OnGone = (why: string) => void;

/** One for each address, as long as anybody wants to know. */
class Watch {
  readonly #address: string;
  readonly #listeners = new Set<OnGone>();
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(address: string) {
    this.#address = address;
  }

  add(onGone: OnGone): void {
    this.#listeners.add(onGone);
    if (this.#listeners.size > 1) return;
    this.#timer = setInterval(() => this.#look(true), PROBE_MS).unref();
    this.#look(false);
  }

  remove(onGone: OnGone): void {
    if (!this.#listeners.delete(onGone) || this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#socket?.destroy();
    watches.delete(this.#address);
  }

  /** @param anew the connection that there is tells nothing of a machine that is cut off */
  async #look(anew: boolean): Promise<void> {
    if (this.#isLooking || this.#listeners.size === 0) return;
    if (this.#socket !== undefined && !anew) return;
    this.#isLooking = true;
    let why = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
      const opened = await open(this.#address);
      if (typeof opened === 'string') {
        why = opened;
        continue;
      }
      this.#isLooking = false;
      this.#keep(opened);
      return;
    }
    this.#isLooking = false;
    for (const onGone of [...this.#listeners]) onGone(why);
  }

  #keep(socket: Socket): void {
    const before = this.#socket;
    this.#socket = socket;
    before?.destroy();
    if (this.#listeners.size === 0) {
      socket.destroy();
      return;
    }
    // Runs keep the process open, the wish to know how they are does not.
    socket.unref();
    // A server closes one on which nothing is ever said after two minutes, as well as when it ends.
    socket.resume();
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#look(false);
    });
  }
}

const watches = new Map<string, Watch>();

/** Calls `onGone`, with the reason, when nothing listens at the address any more, until the function that is returned is called. */
export function watchAddress(address: string, onGone: OnGone): () => void {
  let watch = watches.get(address);
  if (watch === undefined) {
    watch = new Watch(address);
    watches.set(address, watch);
  }
  watch.add(onGone);
  return () => watch.remove(onGone);
}

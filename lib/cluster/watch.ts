/**
 * Whether a task of a cluster is there. TensorFlow's own requests wait for a task that is gone until it comes back, or
 * for ever: so a connection is kept beside them, whose end tells of the end of the process at once. It speaks HTTP/2, as gRPC
 * does, just so far that the other side has to answer.
 */
import type { ClientHttp2Session } from 'node:http2';

/** How long a task may take to answer. */
const ANSWER_MS = 3000;
/** How often a task is asked anew, since a machine that is cut off ends no connection. */
const PROBE_MS = 5000;
/** A task that refuses connections, or ends them at once, is asked once more after a pause. */
const ATTEMPTS = 2;
const PAUSE_MS = 100;
/** One that is silent may be busy: it counts as gone after so long. */
export const SILENCE_MS = 20_000;
/** A connection that lasts no longer never was one: something stands before a task that is gone. */
const SHORT_MS = 1000;

/** Why there is no answer. */
export interface NoAnswer {
  readonly why: string;
  /** Nobody is there, or nobody who speaks gRPC; else there is silence, no way to that machine, or something lacking in this one. */
  readonly isSure: boolean;
}

/** Whether a server of gRPC answers at `host:port`; `undefined` if so, else why not. */
export async function whyNoAnswer(address: string): Promise<NoAnswer | undefined> {
  const opened = await open(address);
  if ('why' in opened) return opened;
  opened.destroy();
  return undefined;
}

async function open(address: string): Promise<ClientHttp2Session | NoAnswer> {
  // Not at the head of this file: who has no cluster need not wait for it.
  const { connect } = await import('node:http2');
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const fail = (why: string, isSure: boolean) => {
      clearTimeout(timer);
      session.destroy();
      resolve({ why, isSure });
    };
    const timer = setTimeout(() => fail(`no answer within ${ANSWER_MS} ms`, false), ANSWER_MS);
    session.on('error', (error: NodeJS.ErrnoException) => {
      const isStrange = error.code?.startsWith('ERR_HTTP2') === true;
      const isSure = isStrange || /^(ECONNREFUSED|ECONNRESET|EPIPE)$/.test(error.code ?? '');
      fail(isStrange ? 'what answers there is no server of gRPC' : (error.code ?? error.message), isSure);
    });
    session.once('close', () => fail('it closes connections', true));
    // What a server says first.
    session.once('remoteSettings', () => {
      clearTimeout(timer);
      session.removeAllListeners('close');
      resolve(session);
    });
  });
}

/** Silence is told again and again, as long as it lasts. */
type OnGone = (answer: NoAnswer) => void;

/** One for each address, as long as anybody wants to know. */
class Watch {
  readonly #address: string;
  readonly #listeners = new Set<OnGone>();
  #session: ClientHttp2Session | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #silentSince: number | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  add(onGone: OnGone): void {
    this.#listeners.add(onGone);
    if (this.#listeners.size > 1) return;
    this.#timer = setInterval(() => this.#look(), PROBE_MS).unref();
    this.#look();
  }

  remove(onGone: OnGone): void {
    if (!this.#listeners.delete(onGone) || this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#session?.destroy();
    watches.delete(this.#address);
  }

  /** @param failures connections that failed just before */
  async #look(failures = 0): Promise<void> {
    if (this.#isLooking || this.#listeners.size === 0) return;
    this.#isLooking = true;
    let failed = failures;
    let answer: ClientHttp2Session | NoAnswer;
    for (;;) {
      if (failed > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
      answer = await open(this.#address);
      if (!('why' in answer) || !answer.isSure || ++failed >= ATTEMPTS) break;
    }
    this.#isLooking = false;
    if (!('why' in answer)) return this.#keep(answer, failed);
    this.#silentSince ??= performance.now();
    if (!answer.isSure && performance.now() - this.#silentSince < SILENCE_MS) return;
    for (const onGone of [...this.#listeners]) onGone(answer);
  }

  #keep(session: ClientHttp2Session, failed: number): void {
    this.#silentSince = undefined;
    const before = this.#session;
    this.#session = session;
    before?.destroy();
    if (this.#listeners.size === 0) {
      session.destroy();
      return;
    }
    // Runs keep the process open, the wish to know how they are does not.
    session.unref();
    const since = performance.now();
    session.once('close', () => {
      if (this.#session !== session) return;
      this.#session = undefined;
      this.#look(performance.now() - since < SHORT_MS ? failed + 1 : 0);
    });
  }
}

const watches = new Map<string, Watch>();

/** Calls `onGone`, with the reason, when no server answers at the address any more, until the function that is returned is called. */
export function watchAddress(address: string, onGone: OnGone): () => void {
  let watch = watches.get(address);
  if (watch === undefined) {
    watch = new Watch(address);
    watches.set(address, watch);
  }
  watch.add(onGone);
  return () => watch.remove(onGone);
}

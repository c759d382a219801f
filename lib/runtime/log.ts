/** `tensorflow.on('log', …)`: what models print, as events. */
import { EventEmitter } from 'node:events';
import { invalidOption } from '../options.js';
import { show } from '../show.js';
import { addon } from './addon.js';

/** What a model has printed. */
export interface LogEvent {
  /** `tf.print` in Python. TensorFlow has no way to hand over what it logs by itself. */
  readonly source: 'print';
  /** As it would have been written, without the line feed at its end. */
  readonly message: string;
}

export type LogListener = (event: LogEvent) => void;

const events = new EventEmitter();
let isListening = false;

/** @internal Begins to listen where the library is open; else `open` does. Throws LIBRARY_TOO_OLD. */
export function listen(): void {
  if (isListening || events.listenerCount('log') === 0 || addon().library() === null) return;
  addon().listenToPrints((text) => {
    events.emit('log', { source: 'print', message: text.replace(/\r?\n$/, '') } satisfies LogEvent);
  });
  isListening = true;
}

/** Throws INVALID_OPTION for another event than `log`, or for what is no function; LIBRARY_TOO_OLD. */
export function addListener(name: string, listener: LogListener): void {
  check(name, listener);
  events.on('log', listener);
  try {
    listen();
  } catch (error) {
    events.off('log', listener);
    throw error;
  }
}

export function removeListener(name: string, listener: LogListener): void {
  check(name, listener);
  events.off('log', listener);
  if (!isListening || events.listenerCount('log') > 0) return;
  addon().stopListening();
  isListening = false;
}

function check(name: unknown, listener: unknown): void {
  if (name !== 'log') throw invalidOption(`There is no event ${show(name)}. There is: log.`);
  if (typeof listener !== 'function')
    throw invalidOption(`The listener must be a function, not ${show(listener)}.`);
}

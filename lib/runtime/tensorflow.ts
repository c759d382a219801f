/** libtensorflow as the process has it: opened once, for all threads. */
import { realpath } from 'node:fs/promises';
import { type ConfigProtoJson, checkConfigAge, encodeConfig } from '../config.js';
import type { Device } from '../device.js';
import { TensorFlowError } from '../errors.js';
import { invalidOption, readOptions } from '../options.js';
import { show } from '../show.js';
import { addon } from './addon.js';
import { allowExternalBuffers } from './external-buffers.js';
import { findLibrary } from './finder.js';
import { addListener, type LogListener, listen, removeListener } from './log.js';
import { settleConfig } from './process-config.js';

/** TensorFlow's own levels, by the names of its log lines; the number is TF_CPP_MIN_LOG_LEVEL. */
const LOG_LEVELS = { info: 0, warning: 1, error: 2, fatal: 3 } as const;

export interface OpenOptions {
  /** A library file, or a folder that holds one. Default: see `finder.ts`, or the README's section on finding it. */
  library?: string | undefined;
  /**
   * TensorFlow's lines below this level are not printed. Counts only where this call opens the library. Default:
   * what the environment variable TF_CPP_MIN_LOG_LEVEL says, else `'info'`.
   */
  logLevel?: keyof typeof LOG_LEVELS | 0 | 1 | 2 | 3 | undefined;
  /**
   * How many runs and loads may hold a thread of libuv's pool at once, in the whole process; the rest wait in order.
   * Default: `UV_THREADPOOL_SIZE - 2` and at least 1, so that files and DNS are still served: 2 for Node's pool of 4.
   */
  maxRunsInFlight?: number | undefined;
  /**
   * `false`: no ArrayBuffer stands on memory from outside of V8's heap. Outputs of any size are copied into ordinary,
   * transferable ArrayBuffers, and `Tensor.allocate` gives ordinary memory, which is copied during the call as all other
   * inputs are. Counts for the thread that says so, from then on. Default: `true`, except in runtimes that forbid such
   * memory (Electron), where the same happens by itself.
   */
  externalBuffers?: boolean | undefined;
}

const OPEN_KEYS = ['library', 'logLevel', 'maxRunsInFlight', 'externalBuffers'];

let opening: Promise<void> = Promise.resolve();

/** @internal Opens the library unless it is open. Calls take their turn, so that the first one's options count. */
export function openLibrary(options: OpenOptions = {}): Promise<void> {
  const turn = opening.then(() => open(options));
  opening = turn.catch(() => {});
  return turn;
}

async function open(given: OpenOptions): Promise<void> {
  const options = readOptions(given, OPEN_KEYS, 'The options of tensorflow.open');
  const logLevel = levelNumber(options.logLevel);
  const limit = options.maxRunsInFlight;
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= 1024)) {
    throw invalidOption(`maxRunsInFlight must be a whole number from 1 to 1024, not ${show(limit)}.`);
  }
  if (options.library !== undefined && typeof options.library !== 'string') {
    throw invalidOption('library must be a path.');
  }
  const { externalBuffers } = options;
  if (externalBuffers !== undefined && typeof externalBuffers !== 'boolean') {
    throw invalidOption(`externalBuffers must be true or false, not ${show(externalBuffers)}.`);
  }
  const native = addon();
  if (limit !== undefined) native.setMaxInFlight(limit);
  if (externalBuffers !== undefined) allowExternalBuffers(externalBuffers);
  if (native.library() !== null && options.library === undefined) return listen();
  await native.openLibrary(await choose(options.library, native.linked()), logLevel);
  listen();
}

/** The file to open: what is found, or what the addon is linked with, which then is the only one. */
async function choose(asked: string | undefined, linked: string | null): Promise<string> {
  if (linked === null) return realpath((await findLibrary(asked)).path);
  const path = await realpath(linked);
  const isFree = asked === undefined && !process.env.TF_SESSION_LIBRARY;
  const other = isFree ? path : await realpath((await findLibrary(asked)).path);
  if (other === path) return path;
  throw new TensorFlowError(
    'FAILED_PRECONDITION',
    `This addon is linked with ${path} and opens no other; ${other} was asked for. Leave that out, or take an addon ` +
      'that is linked with none, as the one that comes with the package.',
  );
}

function levelNumber(level: OpenOptions['logLevel']): number | undefined {
  if (level === undefined || level === 0 || level === 1 || level === 2 || level === 3) return level;
  const number =
    typeof level === 'string' && Object.hasOwn(LOG_LEVELS, level) ? LOG_LEVELS[level] : undefined;
  if (number === undefined) {
    throw invalidOption(`logLevel must be one of ${Object.keys(LOG_LEVELS).join(', ')}, or 0 to 3.`);
  }
  return number;
}

function opened(): { path: string; version: string; missing: string[] } {
  const library = addon().library();
  if (library === null) {
    throw new TensorFlowError(
      'FAILED_PRECONDITION',
      'No libtensorflow is open yet: await tensorflow.open(), or load a model, first.',
    );
  }
  return library;
}

/** The library of this process. */
export const tensorflow = {
  /**
   * Opens libtensorflow, off the event loop (0.3 to 1 s). Without a call the first load opens it with the defaults.
   *
   * @throws TensorFlowError LIBRARY_NOT_FOUND listing every place tried; FAILED_PRECONDITION where the process has
   *   opened another library before; INVALID_OPTION
   */
  open(options: OpenOptions = {}): Promise<void> {
    return openLibrary(options);
  },

  /** TensorFlow's version, `2.21.0`. Throws FAILED_PRECONDITION before the library is open. */
  get version(): string {
    return opened().version;
  },

  /** The file that was opened; the same error. */
  get path(): string {
    return opened().path;
  },

  /** Functions of the C API that this library is too old for; the same error. */
  get missing(): readonly string[] {
    return opened().missing;
  },

  /**
   * Calls `listener` with what models print (`tf.print`), in place of stderr, whichever thread runs them. From TensorFlow 1.14 on.
   *
   * What TensorFlow logs by itself it writes to stderr, and has no function to hand it over; `logLevel` of `open` says how much.
   *
   * @throws TensorFlowError LIBRARY_TOO_OLD: where the library is not open yet, `open` or the first load does
   */
  on(event: 'log', listener: LogListener): void {
    addListener(event, listener);
  },

  /** Takes a listener back. Where no thread listens any more, what is printed goes to stderr. */
  off(event: 'log', listener: LogListener): void {
    removeListener(event, listener);
  },

  /**
   * The devices that a session with this ConfigProto has. Opens the library where it is not. Beware: the first session of a process
   * decides for all, among others which GPUs are visible, and this is one.
   *
   * @throws TensorFlowError (as a rejection) FAILED_PRECONDITION where an earlier session has settled what TensorFlow cannot change
   *   any more; INVALID_OPTION; LIBRARY_TOO_OLD
   */
  async devices(config?: ConfigProtoJson | Uint8Array): Promise<Device[]> {
    const bytes = encodeConfig(config);
    await openLibrary();
    checkConfigAge(bytes, opened().version);
    await settleConfig(bytes, 'tensorflow.devices()');
    return addon().listDevices(bytes);
  },
};

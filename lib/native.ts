/**
 * What the native addon exports (`native/addon.cc`), typed. Nobody outside of this library sees these.
 *
 * Everything that can take time returns a promise and works on a libuv worker thread. Rejections are
 * `TensorFlowError`s: the addon is given the class by `init`.
 */

/** Memory that TensorFlow reads in place: 64-byte aligned, alive until both JavaScript and TensorFlow let go. */
export interface NativeMemory {
  /** The ArrayBuffer over the memory. Always the same object. */
  readonly buffer: ArrayBuffer;
  /** How many TensorFlow tensors stand on this memory now; 0 means it may be written to. */
  uses(): number;
}

/** One fed tensor. `data` of strings is an array; else bytes (copied at the call) or NativeMemory (not copied). */
export interface NativeInput {
  dtype: number;
  shape: readonly number[];
  data: ArrayBufferView | readonly (string | Uint8Array)[] | NativeMemory;
}

/** Fetched tensors, three entries each: dtype, shape, and an ArrayBuffer or an array of strings. */
export type NativeOutputs = (number | number[] | ArrayBuffer | (string | Uint8Array)[])[];

export interface NativeRunOptions {
  /** A serialized RunOptions message. */
  runOptions?: Uint8Array | undefined;
  /** Called with the serialized RunMetadata, after a run that succeeded. */
  wantMetadata?: boolean | undefined;
  /** Copy every output into an ordinary ArrayBuffer. */
  copyOutputs?: boolean | undefined;
  /** Every string as bytes. */
  stringsAsBytes?: boolean | undefined;
  /** Names a waiting run for `cancelWaiting`. */
  ticket?: number | undefined;
}

export interface NativeRunResult {
  outputs: NativeOutputs;
  metadata?: Uint8Array;
}

/** Feeds, fetches and targets of a graph, looked up once. Keeps its session alive. */
export interface NativeCall {
  /** The data type of each feed, as the graph says. */
  readonly feedTypes: number[];
  run(inputs: readonly NativeInput[], options?: NativeRunOptions): Promise<NativeRunResult>;
  runSync(inputs: readonly NativeInput[], options?: NativeRunOptions): NativeRunResult;
}

export interface NativeDevice {
  name: string;
  type: string;
  memoryBytes: number;
}

export interface NativeSession {
  /** Looks the names up: feeds and fetches as `op:index`, targets as op names. Throws INVALID_ARGUMENT for unknown ones. */
  bind(feeds: readonly string[], fetches: readonly string[], targets: readonly string[]): NativeCall;
  /** Names of the graph's ops, in the graph's order: for error messages and listings. */
  opNames(): string[];
  devices(): Promise<NativeDevice[]>;
  /** Waits for the accepted runs, or with `cancel` ends them. Later calls give the same promise's result. */
  close(cancel: boolean): Promise<void>;
}

export interface NativeLoad {
  session: NativeSession;
  /** The MetaGraphDef without its graph: tags, TensorFlow's version, saver, signatures. */
  metaGraph: Uint8Array;
}

export interface NativeAddon {
  /** To be called once, before anything else. */
  init(options: { TensorFlowError: unknown; isMainThread: boolean }): void;
  /** Opens the library for the whole process; a second call with the same path is free, with another one an error. */
  openLibrary(path: string, logLevel: number | undefined): Promise<void>;
  /** What is open, or null. */
  library(): { path: string; version: string; missing: string[] } | null;
  /** The devices of a fresh session with this ConfigProto. */
  listDevices(config: Uint8Array | undefined): Promise<NativeDevice[]>;
  loadSavedModel(
    directory: string,
    tags: readonly string[],
    config: Uint8Array | undefined,
    runOptions: Uint8Array | undefined,
  ): Promise<NativeLoad>;
  allocate(bytes: number): NativeMemory;
  /** How many runs and loads may be in flight in this process; returns the number in force. */
  setMaxInFlight(count: number | undefined): number;
  /** A number for `NativeRunOptions.ticket` that no other run of this thread has. */
  nextTicket(): number;
  /** Rejects a run that has not started yet with CANCELLED; false when it has. */
  cancelWaiting(ticket: number): boolean;
  /** Ends every session at once: of this environment, or of the whole process. For `process.on('exit')`. */
  closeAll(wholeProcess: boolean): void;
  /** Sends the C library's stdout to stderr from now on; returns a descriptor of the real stdout. */
  redirectStdout(): number;
  /** Live native objects by kind, for tests of lifetime. */
  counts(): { sessions: number; calls: number; tensors: number; memories: number; runs: number };
  /** The data types the addon was compiled with: TF_DataType's number by name. */
  dtypes(): Record<string, number>;
}

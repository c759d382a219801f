/**
 * What the native addon exports (`native/addon.cc`), typed. Nobody outside of this library sees these.
 *
 * Everything that can take time returns a promise and works on a libuv worker thread; requests to servers on threads of
 * their own, which hold no process open: whoever waits for them does. Rejections are
 * `TensorFlowError`s: the addon is given the class by `init`.
 */

/** Memory that TensorFlow reads in place: 64-byte aligned, alive until both JavaScript and TensorFlow let go. */
export interface NativeMemory {
  /** The ArrayBuffer over the memory. Always the same object. */
  readonly buffer: ArrayBuffer;
  /** How many TensorFlow tensors stand on this memory now; 0 means it may be written to. */
  uses(): number;
}

/** What is fed: the bytes or strings of each input. */
export type NativeInputs = (ArrayBufferView | readonly (string | Uint8Array)[] | NativeMemory)[];

/**
 * Fetched tensors, two entries each: the shape, which is frozen, and an ArrayBuffer or an array of strings. With
 * `wantMetadata` one entry more at the end: the serialized RunMetadata.
 */
export type NativeOutputs = (readonly number[] | ArrayBuffer | (string | Uint8Array)[] | Uint8Array)[];

/** Bits of a run's flags, as in native/call.cc. */
export const RUN_FLAGS = {
  /** Every output into an ordinary ArrayBuffer. */
  copyOutputs: 1,
  /** Every string as bytes. */
  stringsAsBytes: 2,
  wantMetadata: 4,
  /** The ops in TensorFlow's pool of threads; in the thread of the run; without either, the faster of the two. */
  inPool: 8,
  inCaller: 16,
} as const;

/** Feeds, fetches and targets of a graph, looked up once. Keeps its session alive. */
export interface NativeCall {
  /** The data type of each feed, as the graph says. */
  readonly feedTypes: number[];
  /** The shape of each feed, as the graph says: -1 where any size goes; null where any rank does. */
  readonly feedShapes: (number[] | null)[];
  /** The same of each fetch. */
  readonly fetchTypes: number[];
  /**
   * @param head Of each input data type, rank, dimensions; what comes after them is not looked at.
   * @param flags of RUN_FLAGS
   * @param runOptions A serialized RunOptions message; then it says where the ops run.
   * @param ticket Names a waiting run for `cancelWaiting`.
   */
  run(
    inputs: NativeInputs,
    head: Float64Array,
    flags: number,
    runOptions?: Uint8Array,
    ticket?: number,
  ): Promise<NativeOutputs>;
  /** A lone output that is no string and has the shape of the one before comes as its ArrayBuffer alone. */
  runSync(
    inputs: NativeInputs,
    head: Float64Array,
    flags: number,
    runOptions?: Uint8Array,
  ): NativeOutputs | ArrayBuffer;
}

export interface NativeDevice {
  name: string;
  type: string;
  memoryBytes: number;
}

export interface NativeSettlement {
  /** A serialized ConfigProto. */
  config: Uint8Array;
  who: string;
  deviceTypes: string[];
  /** That the session's thread might run on. */
  cpus: number;
}

export interface NativeSession {
  /** Looks the names up: feeds and fetches as `op:index`, targets as op names. Throws INVALID_ARGUMENT for unknown ones. */
  bind(feeds: readonly string[], fetches: readonly string[], targets: readonly string[]): NativeCall;
  /** Names of the graph's ops, in the graph's order: for error messages and listings. */
  opNames(): string[];
  devices(): Promise<NativeDevice[]>;
  /** At most so many of its runs at work at once; 0 for no limit but that of the process. Before its first run. */
  setConcurrency(limit: number): void;
  /** Undefined where less than so many of its runs wait, or one more would begin at once; else how many wait, and are at work. Throws FAILED_PRECONDITION once closed. */
  crowd(maxPending: number): readonly [waiting: number, atWork: number] | undefined;
  /**
   * Waits for the accepted runs, or with `cancel` ends them. Later calls give the same promise's result. That a server hears of it
   * holds no process open.
   */
  close(cancel: boolean): Promise<void>;
  /**
   * For a session of a server that does not answer: refuses new runs, and waits for none that is under way. What becomes of
   * those promises is uncertain. Freed once all have ended.
   */
  abandon(): void;
}

/** Every node of a graph: those of the main graph first, then each library function's, in the order of the bytes. */
export interface NativeGraphIndex {
  length: number;
  /** Numbers into the tables, one per node. */
  types: Uint32Array;
  functions: Uint32Array;
  devices: Uint32Array;
  typeTable: string[];
  /** The first is `''`, the main graph. */
  functionTable: string[];
  deviceTable: string[];
  /** One per node: 1, it serves saving, restoring or initialising alone; 2, what users run reaches it; 64 more where loading reaches it, 32 more where initialising does, 128 more where it calls functions. */
  roles: Uint8Array;
  /** In pairs: the number of a node, and in `functionTable` that of a function which it calls. */
  calls: Uint32Array;
  /** Nodes by number, and what is wrong with them that TensorFlow does not look at; the first few. */
  faults: [node: number, text: string][];
}

/**
 * Nodes, one after the other. Each has in `numbers`: the number of the node in whose place it stands, the size of its
 * NodeDef in `defs`, whether it has a value. Then of that: data type, rank, dimensions; whether it lies in a checkpoint, and
 * if so offset, size and checksum; how many factors multiply it, and these. In `contents` it has its bytes, whose
 * ArrayBuffer is given up (detached once the session is made), or the path of its file.
 */
export interface NativeNodes {
  numbers: Float64Array;
  defs: Uint8Array;
  contents: readonly (Uint8Array | string)[];
}

/** Bytes in a data file of a checkpoint, and their masked CRC-32C. */
export type NativeCheckpointPart = readonly [path: string, offset: number, size: number, checksum: number];

/** What of a graph changes when it is made into a session. */
export interface NativeGraphChanges {
  /**
   * One per node: 0 leaves its device, k sets it to `table[k - 1]`; with the highest bit its `_class` attribute goes.
   * Left out: every node stays as it is.
   */
  codes?: Uint32Array | undefined;
  table?: readonly string[] | undefined;
  /** Nodes in place of others. */
  replaced?: NativeNodes | undefined;
  /** Functions once more, under other names: there these nodes stand in place of those with the first one's numbers. */
  copies?: readonly (readonly [of: string, name: string, replaced: NativeNodes])[] | undefined;
  /** Nodes that the main graph gets in addition. */
  added?: NativeNodes | undefined;
  /** A serialized ConfigProto, merged into every `config_proto` attribute. */
  callConfig?: Uint8Array | undefined;
}

/** The bytes of one GraphDef, kept for any number of sessions. */
export interface NativeGraphSource {
  index(): NativeGraphIndex;
  /** Names of the nodes from `from` up to `to`, without `to`. */
  names(from: number, to: number): string[];
  /**
   * Rewrites, imports, and makes a session; its variables are not restored. `target`: left out or `''` for one in this process, else
   * `grpc://host:port` of a server, which hears of it at the first run.
   */
  createSession(
    changes: NativeGraphChanges,
    config: Uint8Array | undefined,
    target?: string,
  ): Promise<NativeSession>;
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
  /** The file that the addon was linked with when it was built, which is the one to open; or null. */
  linked(): string | null;
  /** The devices of a fresh session with this ConfigProto, at that target. */
  listDevices(config: Uint8Array | undefined, target?: string): Promise<NativeDevice[]>;
  /**
   * Makes an empty session in this process, and puts it into the list of those that settled something: unless the list has more
   * than `known` entries, which resolves to false. `who` is kept for messages.
   */
  settle(known: number, config: Uint8Array | undefined, who: string): Promise<boolean>;
  /** That list, of the whole process. One without device types could not be made. */
  settlements(): NativeSettlement[];
  /** Starts a server by a serialized ServerDef, which serves until the process ends; its target. From TensorFlow 1.13. */
  startServer(serverDef: Uint8Array): Promise<string>;
  loadSavedModel(
    directory: string,
    tags: readonly string[],
    config: Uint8Array | undefined,
    runOptions: Uint8Array | undefined,
  ): Promise<NativeLoad>;
  /**
   * Loads a shared object with ops for the whole process; the same file again, or a copy of it, is free. `needed` names
   * the libraries that it says it needs. Resolves to whether ops came with it, which kernels alone have not.
   */
  loadOpLibrary(path: string, needed: readonly string[]): Promise<boolean>;
  /** The same for a plug-in with devices. A plug-in that fails to start ends the process: that is TensorFlow's doing. */
  loadPluggableDevice(path: string, needed: readonly string[]): Promise<boolean>;
  /** Reads parts of a checkpoint. Rejects with DATA_LOSS where one is not what its checksum says. */
  readCheckpoint(parts: readonly NativeCheckpointPart[]): Promise<Uint8Array<ArrayBuffer>[]>;
  /**
   * Lists a GraphDef's nodes. The bytes are not copied: they must not be written to from then on. `kept` names ops that
   * users run, `housekeeping` those that save, restore and initialise, `loading` those of them that loading runs,
   * `initialising` those of these that initialise.
   */
  readGraph(
    graphDef: Uint8Array,
    kept: readonly string[],
    housekeeping: readonly string[],
    loading?: readonly string[],
    initialising?: readonly string[],
  ): Promise<NativeGraphSource>;
  /** A serialized KernelList of the op type; empty for one that has none or is unknown. */
  registeredKernels(type: string): Uint8Array;
  /**
   * Calls `listener` with each text that a model prints, on this thread, from now on; holds no process open. Throws
   * LIBRARY_TOO_OLD before TensorFlow 1.14.
   */
  listenToPrints(listener: (text: string) => void): void;
  /** What is printed goes to stderr then, unless other threads listen. */
  stopListening(): void;
  /** Zeroed. Null where the runtime forbids ArrayBuffers over memory from outside of its heap. */
  allocate(bytes: number): NativeMemory | null;
  /** How many runs and loads may be in flight in this process; returns the number in force. */
  setMaxInFlight(count: number | undefined): number;
  /** A number for the `ticket` of a run that no other run of this thread has. */
  nextTicket(): number;
  /** Rejects a run that has not started yet with CANCELLED; false when it has. */
  cancelWaiting(ticket: number): boolean;
  /** Ends every session at once: of this environment, or of the whole process. For `process.on('exit')`. */
  closeAll(wholeProcess: boolean): void;
  /** Sends the C library's stdout to stderr from now on; returns a descriptor of the real stdout. */
  redirectStdout(): number;
  /** Live native objects by kind, for tests of lifetime. */
  counts(): {
    graphs: number;
    sessions: number;
    calls: number;
    tensors: number;
    memories: number;
    runs: number;
  };
  /** The data types the addon was compiled with: TF_DataType's number by name. */
  dtypes(): Record<string, number>;
}

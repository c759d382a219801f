/** The list of a graph's nodes that the addon made, read piece by piece: 200,000 names at once would hold the loop. */
import type { NativeGraphIndex, NativeGraphSource } from '../native.js';
import { addon } from '../runtime/addon.js';
import type { GraphIndex } from './graph-index.js';

/** Names fetched from the addon at once: some 0.3 ms. */
const PIECE = 2048;

const HOUSEKEEPING = 1;
const USED = 2;
const ROLE = 3;
const INITIALISES = 32;
const LOADS = 64;
const CALLS = 128;

/** Ops of the main graph, by name: what they reach has that role, through the functions that they call, too. */
export interface GraphRoles {
  /** Users run them, as far as the model says. Default: none. */
  used?: readonly string[];
  /** They save, restore and initialise. Default: none. */
  housekeeping?: readonly string[];
  /** Loading the model runs them. Default: none. */
  loading?: readonly string[];
  /** Those of the latter that initialise it. Default: none. */
  initialising?: readonly string[];
}

/** A graph's nodes, by number. Names are cheap in the order of the numbers. */
export class NodeList implements GraphIndex {
  readonly #source: NativeGraphSource;
  readonly #index: NativeGraphIndex;
  #names: readonly string[] = [];
  #from = 0;

  /** The nodes of a serialized GraphDef, listed on a worker thread; it must not be written to any more. */
  static async read(graphDef: Uint8Array, roles: GraphRoles = {}): Promise<NodeList> {
    return new NodeList(await readSource(graphDef, roles));
  }

  constructor(source: NativeGraphSource) {
    this.#source = source;
    this.#index = source.index();
  }

  get length(): number {
    return this.#index.length;
  }

  name(i: number): string {
    const at = i - this.#from;
    if (at >= 0 && at < this.#names.length) return this.#names[at]!;
    this.#from = i - (i % PIECE);
    this.#names = this.#source.names(this.#from, this.#from + PIECE);
    return this.#names[i - this.#from]!;
  }

  type(i: number): string {
    return this.#index.typeTable[this.#index.types[i]!]!;
  }

  function(i: number): string {
    return this.#index.functionTable[this.#index.functions[i]!]!;
  }

  device(i: number): string {
    return this.#index.deviceTable[this.#index.devices[i]!]!;
  }

  isHousekeeping(i: number): boolean {
    return (this.#index.roles[i]! & ROLE) === HOUSEKEEPING;
  }

  /** True where the node is reached from what users run. */
  isUsed(i: number): boolean {
    return (this.#index.roles[i]! & ROLE) === USED;
  }

  /** True where loading the model runs the node. */
  isLoaded(i: number): boolean {
    return (this.#index.roles[i]! & LOADS) !== 0;
  }

  /** True where initialising the model runs the node. */
  isInitialising(i: number): boolean {
    return (this.#index.roles[i]! & INITIALISES) !== 0;
  }

  /** True where the node calls functions. */
  calls(i: number): boolean {
    return (this.#index.roles[i]! & CALLS) !== 0;
  }

  /** The types of ops that stand in the graph, each once. */
  get typesThere(): readonly string[] {
    return this.#index.typeTable;
  }

  /** The names of its functions; the first is `''`, the main graph. */
  get functionNames(): readonly string[] {
    return this.#index.functionTable;
  }

  /** The number of the function, in `functionNames`, in whose body the node stands. */
  functionNumber(i: number): number {
    return this.#index.functions[i]!;
  }

  /** The number of a function's first node, or the main graph's; -1 where it has none. */
  firstNode(number: number): number {
    return this.#index.functions.indexOf(number);
  }

  /** In pairs: a node, and the number of a function that it calls. */
  get callPairs(): Uint32Array {
    return this.#index.calls;
  }

  /** What is wrong with nodes that TensorFlow does not look at before it relies on it; the first few. */
  get faults(): readonly (readonly [node: number, text: string])[] {
    return this.#index.faults;
  }

  /** The devices that stand in the graph, each once. */
  get savedDevices(): readonly string[] {
    return this.#index.deviceTable;
  }
}

/** The same as the addon keeps it, for sessions. */
export function readSource(graphDef: Uint8Array, roles: GraphRoles): Promise<NativeGraphSource> {
  const { used = [], housekeeping = [], loading = [], initialising = [] } = roles;
  return addon().readGraph(graphDef, used, housekeeping, loading, initialising);
}

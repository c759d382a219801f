/** The list of a graph's nodes that the addon made, read piece by piece: 200,000 names at once would hold the loop. */
import type { NativeGraphIndex, NativeGraphSource } from '../native.js';
import { addon } from '../runtime/addon.js';
import type { GraphIndex } from './graph-index.js';

/** Names fetched from the addon at once: some 0.3 ms. */
const PIECE = 2048;

const HOUSEKEEPING = 1;
const USED = 2;
const ROLE = 3;
const CALLS = 128;

/** A graph's nodes, by number. Names are cheap in the order of the numbers. */
export class NodeList implements GraphIndex {
  readonly #source: NativeGraphSource;
  readonly #index: NativeGraphIndex;
  #names: readonly string[] = [];
  #from = 0;

  /**
   * The nodes of a serialized GraphDef, listed on a worker thread; it must not be written to any more.
   *
   * @param kept ops of the main graph: what they reach counts as used
   * @param housekeeping ops that save, restore and initialise
   */
  static async read(
    graphDef: Uint8Array,
    kept: readonly string[] = [],
    housekeeping: readonly string[] = [],
  ): Promise<NodeList> {
    return new NodeList(await addon().readGraph(graphDef, kept, housekeeping));
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

  /** True where the node calls functions. */
  calls(i: number): boolean {
    return (this.#index.roles[i]! & CALLS) !== 0;
  }

  /** The devices that stand in the graph, each once. */
  get savedDevices(): readonly string[] {
    return this.#index.deviceTable;
  }
}

/** Which devices ops of TensorFlow 1's control flow may end up on, as far as the graph and the requests tell. */
import { type ControlFlow, hasDataInputs } from './control-flow.js';
import { deviceType } from './device.js';
import type { ModelGraph, ModelNode, Source } from './model-graph.js';
import { type HomeOptions, isTakenApart, type ResourceTies } from './resources.js';
import type { Slices } from './slices.js';

/** A device, and the op that decides for it. */
export interface Place {
  readonly device: string;
  readonly beside: ModelNode;
  /** Whether it is there because it is fed, which no request changes. */
  readonly isFed: boolean;
}

/** What else decides. */
export interface FlowOptions extends Pick<HomeOptions, 'devices' | 'kernels'> {
  /** Ops of the main graph that are fed at times; undefined where any may be, of which those made for it count. */
  readonly fed?: ReadonlySet<string> | undefined;
}

/** Ops that TensorFlow puts beside their input where nothing is said of them. */
const METADATA = /^(Shape|Size|Rank)$/;

export class FlowDevices {
  readonly #graph: ModelGraph;
  readonly #flow: ControlFlow;
  readonly #ties: ResourceTies;
  readonly #options: FlowOptions;
  readonly #slices: Slices;
  /** Where what is fed arrives. */
  readonly #client: string;
  readonly #known = new Map<ModelNode, readonly Place[]>();
  readonly #placed = new Map<ModelNode, Promise<readonly string[]>>();

  constructor(
    graph: ModelGraph,
    flow: ControlFlow,
    ties: ResourceTies,
    options: FlowOptions,
    slices: Slices,
  ) {
    this.#slices = slices;
    this.#graph = graph;
    this.#flow = flow;
    this.#ties = ties;
    this.#options = options;
    const { devices } = options;
    this.#client = (devices.find(({ type }) => type === 'CPU') ?? devices[0])?.name ?? '';
  }

  /** Where an op that goes along with others may run. */
  async of(node: ModelNode): Promise<readonly Place[]> {
    // A Switch of a Switch of a Switch: each differs from the next by one place, so none is looked for twice.
    const chain = new Set<ModelNode>();
    let at = node;
    for (let next = this.#before(at); next !== undefined && !this.#known.has(at); next = this.#before(at)) {
      if (chain.has(at)) break;
      chain.add(at);
      at = next;
    }
    let places = this.#known.get(at) ?? (await this.#from(at));
    this.#known.set(at, places);
    for (const each of [...chain].reverse()) {
      if (this.#slices.isOver(0)) await this.#slices.next();
      const own = this.#flow.isAfter(each) ? [] : await this.#besides(this.#before(each)!);
      places = distinct([...own, ...places]);
      this.#known.set(each, places);
    }
    return places;
  }

  /** The only op that this one goes along with, where it goes along with one itself. */
  #before(node: ModelNode): ModelNode | undefined {
    const leader = this.#flow.isUpstream(node) ? this.#flow.leaders(node)[0]?.node : undefined;
    return leader !== undefined && this.#flow.isUpstream(leader) ? leader : undefined;
  }

  async #from(node: ModelNode): Promise<readonly Place[]> {
    const places: Place[] = [];
    const seen = new Set<string | ModelNode>([node]);
    const open: [source: Source, scope: string, isMoved: boolean][] = [];
    const follow = (at: ModelNode) => {
      for (const source of this.#flow.leaders(at)) open.push([source, at.function, this.#flow.isAfter(at)]);
    };
    const add = async (beside: ModelNode) => places.push(...(await this.#besides(beside)));
    follow(node);
    // A list hands out what is added on the way, too.
    for (const next of open) {
      if (this.#slices.isOver(0)) await this.#slices.next();
      const [{ node: leader, arg }, scope, isMoved] = next;
      if (leader === undefined) {
        const key = `${arg} ${scope}`;
        if (arg === undefined || seen.has(key)) continue;
        seen.add(key);
        for (const caller of this.#graph.callers(scope)) {
          // An argument is where its function was called, and what is put in the call's place may follow what was given.
          await add(caller);
          if (!isTakenApart(caller) && !this.#graph.functions.has(caller.type)) continue;
          const given = this.#graph.given(caller, scope, arg);
          if (given !== undefined) open.push([given, caller.function, false]);
        }
        continue;
      }
      const isFlow = this.#flow.leaders(leader).length > 0;
      if (isFlow && !seen.has(leader)) {
        seen.add(leader);
        follow(leader);
      }
      // One that moves itself is followed from where it was, or to where it goes.
      if (!isFlow || !isMoved) await add(leader);
    }
    return places;
  }

  /** The places of what goes along with an op that has not moved. */
  async #besides(beside: ModelNode): Promise<Place[]> {
    const isInput = beside.function === '' && this.#mayBeFed(beside);
    const fed = isInput ? [{ device: this.#client, beside, isFed: true }] : [];
    if (isInput && beside.type === 'Placeholder') return fed;
    const own = (await this.#placedOn(beside)).map((device) => ({ device, beside, isFed: false }));
    return [...fed, ...own];
  }

  #mayBeFed({ name, type }: ModelNode): boolean {
    return type === 'Placeholder' || (this.#options.fed?.has(name) ?? type === 'PlaceholderWithDefault');
  }

  /** Where an op is before such ops move. */
  #placedOn(node: ModelNode): Promise<readonly string[]> {
    const known = this.#placed.get(node);
    if (known !== undefined) return known;
    const placed = this.#place(node);
    this.#placed.set(node, placed);
    return placed;
  }

  async #place(node: ModelNode): Promise<readonly string[]> {
    const { devices, isDefault, isTied } = await this.#ties.homes(node);
    const places = new Set(devices.filter((device) => device !== ''));
    if (!isDefault) return [...places];
    if (!hasDataInputs(node)) return this.#besideUsers(node, places, isTied);
    if (METADATA.test(node.type)) {
      const input = this.#graph.inputs(node)[0]?.node;
      if (input !== undefined)
        for (const device of (await this.#ties.homes(input)).devices) places.add(device);
    }
    return [...places];
  }

  /** What has no inputs goes to its users, where they are all on one device and it can be there. */
  async #besideUsers(
    node: ModelNode,
    defaults: ReadonlySet<string>,
    isTied: boolean,
  ): Promise<readonly string[]> {
    const { data, waiting } = this.#flow.users(node);
    let common: readonly string[] | undefined;
    let isCertain = !isTied && node.type === 'Const' && node.function === '';
    for (const user of [...data, ...waiting]) {
      const { devices, isDefault } = await this.#ties.homes(user);
      common = common === undefined ? devices : common.filter((device) => devices.includes(device));
      const isOwn = !isTakenApart(user) && !this.#graph.functions.has(user.type);
      isCertain &&=
        isOwn && devices.length === 1 && (!isDefault || (hasDataInputs(user) && !METADATA.test(user.type)));
    }
    const possible = (common ?? []).filter(
      (device) => this.#options.kernels(node, deviceType(device)) !== 'no',
    );
    if (possible.length === 0) return [...defaults];
    return isCertain ? possible : [...new Set([...defaults, ...possible])];
  }
}

/** One op for each device. */
function distinct(places: readonly Place[]): Place[] {
  const found = new Map<string, Place>();
  for (const place of places) {
    const key = `${place.isFed} ${place.device}`;
    if (!found.has(key)) found.set(key, place);
  }
  return [...found.values()];
}

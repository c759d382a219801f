/** The placement report: for each op of a model where it was asked to run, where it ran, and why. */
import { type ExecutionPlan, planOf } from '../../plan/plan.js';
import type { RunGraph } from '../../plan/run-graph.js';
import type { Recorded } from '../../trace/recorded.js';
import { ControlFlow } from '../control-flow.js';
import { deviceMatches, isSameTask } from '../device.js';
import type { KernelLookup } from '../kernels.js';
import type { ModelGraph, ModelNode } from '../model-graph.js';
import { Slices } from '../slices.js';
import { RunEvents } from './events.js';
import { type Fusion, fusions } from './fusion.js';
import { neededOps } from './needed.js';
import type { PlacedOp, PlacementFacts } from './placed-op.js';
import { Ran } from './ran.js';
import { type Reasons, refusalOf, whyElsewhere } from './reason.js';
import { TensorNames } from './tensor-names.js';
import { transfers } from './transfers.js';

export type { PlacedOp, PlacementFacts } from './placed-op.js';
export type { Transfer } from './transfers.js';

/** What a report is made of. */
export interface ReportInput {
  readonly graph: ModelGraph;
  /** The device asked for, by node; `''` for none. */
  readonly requested: readonly string[];
  /** Ops that only save, restore or initialise: not listed. */
  readonly isHousekeeping: (node: number) => boolean;
  /** The session's. */
  readonly devices: readonly { name: string; type: string }[];
  /** Which devices have kernels for an op. */
  readonly kernels?: KernelLookup | undefined;
  /** A run that was traced, with `outputPartitionGraphs`. */
  readonly recorded: Recorded;
  /** Tensors that were fed. */
  readonly feeds: readonly string[];
  /** Tensors that were fetched, and ops that were run as targets. */
  readonly fetches: readonly string[];
  /** True where the devices saved in the model were forgotten. */
  readonly clearDevices?: boolean | undefined;
}

/** The same, and the execution plan. */
export interface PlacementReport extends PlacementFacts, ExecutionPlan {}

/** A report, and what it was made from. */
export interface Understood {
  readonly report: PlacementReport;
  readonly events: RunEvents;
  readonly ran: Ran;
  readonly run: RunGraph;
  readonly fusions: ReadonlyMap<ModelNode, Fusion>;
  readonly names: TensorNames;
}

/** Puts a traced run and the model it ran side by side; leaves the event loop its turns. */
export async function understand(input: ReportInput): Promise<Understood> {
  const { graph, requested, isHousekeeping } = input;
  const events = await RunEvents.read(input.recorded, input.devices);
  const ran = await Ran.read(graph, events, requested);
  const slices = new Slices();
  const flow = await ControlFlow.find(graph, slices);
  const fused = fusions(graph, ran);
  await slices.next();
  const maker = new OpReports(input, ran, fused, flow);
  await maker.findIdle(events, slices);
  const ops: PlacedOp[] = [];
  let exact = true;
  for (const node of graph.nodes) {
    if (slices.isOver(node.index)) await slices.next();
    if (isHousekeeping(node.index)) continue;
    const { actual, reason } = maker.of(node);
    const asked = requested[node.index]!;
    if (asked !== '' && actual !== null && !deviceMatches(asked, actual)) exact = false;
    const { name, type, saved } = node;
    ops.push({ name, type, function: node.function, requested: asked, saved, actual, reason });
  }
  await slices.next();
  const names = new TensorNames(graph, events, ran);
  const moved = await transfers(names, events, ran);
  const { devices, kernels } = input;
  const { plan, run } = await planOf({
    graph,
    events,
    ran,
    ops,
    transfers: moved,
    devices,
    requested,
    kernels,
    fusions: fused,
    names,
  });
  return { report: { ops, transfers: moved, exact, ...plan }, events, ran, run, fusions: fused, names };
}

class OpReports {
  readonly #requested: readonly string[];
  readonly #ran: Ran;
  readonly #reasons: Reasons;
  readonly #fusions: ReadonlyMap<ModelNode, Fusion>;
  readonly #needed: ReadonlySet<ModelNode>;
  /** Over several tasks of a cluster. */
  readonly #isSpread: boolean;
  /** Ops that TensorFlow had ready, and that the run did not come by: branches not taken. */
  readonly #idle = new Set<ModelNode>();

  constructor(input: ReportInput, ran: Ran, fused: ReadonlyMap<ModelNode, Fusion>, flow: ControlFlow) {
    const { graph, devices, kernels, requested, clearDevices } = input;
    this.#isSpread = devices.some(({ name }) => !isSameTask(name, devices[0]!.name));
    this.#requested = requested;
    this.#ran = ran;
    this.#fusions = fused;
    this.#needed = neededOps(graph, input.fetches, input.feeds);
    const wish = (node: ModelNode) => requested[node.index] || (clearDevices === true ? '' : node.saved);
    this.#reasons = { graph, devices, kernels, flow, wish, devicesOf: (node) => this.#devicesOf(node) };
  }

  async findIdle({ partition }: RunEvents, slices: Slices): Promise<void> {
    for (const [i, { name }] of partition.entries()) {
      if (slices.isOver(i)) await slices.next();
      for (const { node, root } of this.#ran.names.meanings(name)) if (root === '') this.#idle.add(node);
    }
  }

  of(node: ModelNode): Pick<PlacedOp, 'actual' | 'reason'> {
    const devices = this.#devicesOf(node);
    if (devices.length === 0) return { actual: null, reason: this.#whyGone(node) };
    const wish = this.#reasons.wish(node);
    const elsewhere = wish === '' ? undefined : devices.find((device) => !deviceMatches(wish, device));
    const actual = elsewhere ?? devices[0]!;
    const refusal = elsewhere === undefined ? undefined : refusalOf(node, wish, elsewhere, this.#reasons);
    if (refusal !== undefined) return { actual, reason: refusal };
    const fusion = this.#fusions.get(node);
    const host = fusion === undefined ? node : this.#hostOf(fusion);
    if (host !== node) return { actual, reason: `fused into ${host.name}` };
    if (elsewhere !== undefined)
      return { actual, reason: whyElsewhere(node, wish, elsewhere, this.#reasons) };
    return { actual, reason: this.#requested[node.index] === '' ? 'default' : 'as requested' };
  }

  /** The op that the others were fused into: the one whose name is left, unless it went to another's device. */
  #hostOf({ survivor, base, devices }: Fusion): ModelNode {
    const wish = this.#reasons.wish(survivor);
    const isMoved = wish !== '' && devices.some((device) => !deviceMatches(wish, device));
    return isMoved && base !== undefined ? base : survivor;
  }

  #devicesOf(node: ModelNode): readonly string[] {
    const fusion = this.#fusions.get(node);
    if (fusion !== undefined) return fusion.devices;
    return [...new Set(this.#ran.of(node).map(({ event }) => event.kernel.device))];
  }

  #whyGone(node: ModelNode): string {
    if (!this.#needed.has(node) || this.#idle.has(node)) return 'not run';
    if (!this.#ran.hasEntered(node.function)) return 'not run';
    return this.#isUnseen(node) ? 'not recorded' : 'folded';
  }

  /** Whether its function was called on one task of a cluster and it is for another: of what runs there TensorFlow says nothing. */
  #isUnseen(node: ModelNode): boolean {
    const { devices } = this.#reasons;
    const asked = this.#reasons.wish(node);
    if (!this.#isSpread || asked === '') return false;
    const callers = this.#ran.callersOf(node.function);
    const meant = devices.filter(({ name }) => deviceMatches(asked, name));
    const isNear = meant.some(({ name }) => callers.some((caller) => isSameTask(caller, name)));
    return meant.length > 0 && callers.length > 0 && !isNear;
  }
}

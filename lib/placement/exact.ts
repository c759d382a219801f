/** What `exact` checks before anything runs: requests that TensorFlow cannot or will not hold, each with the smallest change that mends it. */
import { TensorFlowError } from '../errors.js';
import { deviceLookup } from './check-devices.js';
import { nodesToUntie, tornGroups } from './colocation.js';
import { deviceMatches, deviceType, listDevices, shortDevice } from './device.js';
import type { KernelLookup } from './kernels.js';
import type { ModelGraph, ModelNode } from './model-graph.js';
import { isTakenApart, ResourceTies, remembered } from './resources.js';

/** What is wrong, in the same way, with the requests of some ops. */
interface Fault {
  readonly nodes: ModelNode[];
  /** The text, given the list of the ops. */
  readonly text: (ops: string) => string;
}

/** Whether a node can ever run. */
type CanRun = (node: ModelNode) => boolean;

/** Faults that an error lists at most, and ops of each. */
const MOST = 20;
const MOST_OPS = 5;

/** What the checks look at. */
export interface ExactCheck {
  graph: ModelGraph;
  /** The device asked for, by node; `''` for none. */
  requested: readonly string[];
  isHousekeeping: (node: number) => boolean;
  devices: readonly { name: string; type: string }[];
  kernels: KernelLookup;
  /** Colocation that a rule contradicts is dropped and no fault. */
  ignoreColocation: boolean;
  /**
   * Whether the devices saved in the model are forgotten. Left out, they count for where variables are, and one that
   * the session lacks is nobody's fault.
   */
  clearDevices?: boolean | undefined;
}

/** @throws TensorFlowError INVALID_ARGUMENT naming every request that cannot be held */
export function checkExact(check: ExactCheck): void {
  const canRun = reachable(check.graph);
  const faults = [
    ...missingFaults(check, canRun),
    ...kernelFaults(check, canRun),
    ...(check.ignoreColocation ? [] : tornFaults(check, canRun)),
    ...resourceFaults(check, canRun),
  ];
  if (faults.length === 0) return;
  const lines = faults.slice(0, MOST).map(({ nodes, text }) => `- ${text(listOps(nodes.map(title)))}`);
  if (faults.length > MOST) lines.push(`- and ${faults.length - MOST} more`);
  throw new TensorFlowError(
    'INVALID_ARGUMENT',
    `The placement cannot be exact:\n${lines.join('\n')}\nWithout exact, TensorFlow moves such ops, and the report says where and why.`,
    { op: faults[0]!.nodes[0]!.name },
  );
}

/** Gathers nodes that have the same fault. */
class Faults {
  readonly #byKey = new Map<string, Fault>();

  add(key: string, node: ModelNode, text: Fault['text']): void {
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, { nodes: [node], text });
    else known.nodes.push(node);
  }

  [Symbol.iterator]() {
    return this.#byKey.values();
  }
}

/** Nodes for which something is asked, and what. */
function* requests({ graph, requested, isHousekeeping }: ExactCheck): Generator<[ModelNode, string]> {
  for (const node of graph.nodes) {
    const device = requested[node.index]!;
    if (device !== '' && !isHousekeeping(node.index)) yield [node, device];
  }
}

/** A test whether a node can ever run: functions that nothing calls, which exports are full of, are never placed. */
function reachable(graph: ModelGraph): (node: ModelNode) => boolean {
  const reached = new Set(['']);
  const visit = (nodes: ReadonlyMap<string, ModelNode>) => {
    const open: string[] = [];
    for (const node of nodes.values()) {
      for (const name of graph.calls(node)) {
        if (reached.has(name)) continue;
        reached.add(name);
        open.push(name);
      }
    }
    return open;
  };
  for (const open = visit(graph.main); open.length > 0; ) {
    open.push(...visit(graph.functions.get(open.pop()!)!.nodes));
  }
  return (node) => reached.has(node.function);
}

/** The device of the model that counts for a node of which nothing is asked. */
function savedDevice({ clearDevices, isHousekeeping }: ExactCheck): (node: ModelNode) => string {
  if (clearDevices !== true) return (node) => node.saved;
  // Restoring and initialising stays on the CPU.
  return ({ index, saved }) => (isHousekeeping(index) && deviceType(saved) === 'CPU' ? saved : '');
}

function missingFaults(check: ExactCheck, canRun: CanRun): Iterable<Fault> {
  const { graph, requested, devices, clearDevices } = check;
  const has = deviceLookup(devices);
  const faults = new Faults();
  const there = `no such device. The session has ${listDevices(devices)}`;
  for (const [node, device] of requests(check)) {
    if (has(device)) continue;
    faults.add(
      device,
      node,
      (ops) => `${ops}: asked onto ${device}: ${there}. Name one of these in the rule.`,
    );
  }
  if (clearDevices !== false) return faults;
  for (const node of graph.nodes) {
    if (requested[node.index] !== '' || has(node.saved) || !canRun(node)) continue;
    const device = shortDevice(node.saved);
    const way = 'Load the model with clearDevices: true, or write a rule for them.';
    faults.add(`saved ${device}`, node, (ops) => `${ops}: saved on ${device}: ${there}. ${way}`);
  }
  return faults;
}

function kernelFaults(check: ExactCheck, canRun: CanRun): Iterable<Fault> {
  const has = deviceLookup(check.devices);
  const faults = new Faults();
  const typeOf = remembered(deviceType);
  for (const [node, device] of requests(check)) {
    const type = typeOf(device);
    if (type === '' || !has(device) || !canRun(node) || check.kernels(node, type) !== 'no') continue;
    const onCpu = type !== 'CPU' && check.kernels(node, 'CPU') !== 'no' ? ', or put it on /CPU:0' : '';
    faults.add(
      `${node.type} ${device} ${onCpu}`,
      node,
      (ops) =>
        `${ops}: asked onto ${device}: ${node.type} has no ${type} kernel for these data types. Leave it out of the rule${onCpu}.`,
    );
  }
  return faults;
}

function* tornFaults(check: ExactCheck, canRun: CanRun): Generator<Fault> {
  const { graph, requested } = check;
  const saved = savedDevice(check);
  for (const group of tornGroups(graph, requested, saved)) {
    if (!canRun(group[0]!)) continue;
    const deviceOf = (node: ModelNode) => requested[node.index] || saved(node);
    const placed = group.filter((node) => deviceOf(node) !== '');
    // One of each device first: the list shows what is at odds.
    const met = new Set<string>();
    const isFirst = placed.map((node) => !met.has(deviceOf(node)) && met.add(deviceOf(node)) === met);
    const nodes = [...placed.filter((_, i) => isFirst[i]), ...placed.filter((_, i) => !isFirst[i])];
    const ops = nodes.map(
      (node) => `${title(node)} ${requested[node.index] ? 'on' : 'saved on'} ${shortDevice(deviceOf(node))}`,
    );
    yield {
      nodes: [nodes.find((node) => requested[node.index] !== '')!],
      text: () =>
        `${listOps(ops)}: the model ties these together (_class), so they can only be on one device. Ask for one device for all of them, or load with ignoreColocation: true.`,
    };
  }
}

/** An op runs where the variable or table is that it works on, always, and TensorFlow does not say so. */
function resourceFaults(check: ExactCheck, canRun: CanRun): Iterable<Fault> {
  const { graph, requested, devices, kernels } = check;
  const has = deviceLookup(devices);
  const faults = new Faults();
  const saved = savedDevice(check);
  // What is dropped ties nothing.
  const untied = check.ignoreColocation ? nodesToUntie(graph, requested) : [];
  const ties = new ResourceTies(graph, new Set(untied));
  const options = {
    deviceOf: (node: ModelNode) => requested[node.index] || saved(node),
    defaultDevice: (group: readonly ModelNode[]) => {
      // TensorFlow prefers the first GPU for what can be there.
      const gpu = devices.find(({ type }) => type === 'GPU');
      const isFit = gpu !== undefined && group.every((node) => kernels(node, gpu.type) !== 'no');
      return (isFit ? gpu : devices.find(({ type }) => type === 'CPU'))?.name ?? '';
    },
  };
  const homes = new Map<ModelNode, string>();
  for (const [node, device] of requests(check)) {
    if (!has(device) || isTakenApart(node) || !canRun(node)) continue;
    for (const origin of ties.of(node)) {
      let home = homes.get(origin);
      if (home === undefined) {
        home = ties.home(origin, options);
        homes.set(origin, home);
      }
      // A device that the session lacks is named already.
      if (!has(home) || mayBeOne(device, home, devices)) continue;
      const of = shortDevice(home);
      const within = origin.function === '' ? '' : `function: ${JSON.stringify(origin.function)}, `;
      const rule = `{ ${within}op: ${JSON.stringify(origin.name)}, device: ${JSON.stringify(device)} }`;
      faults.add(
        `${origin.index} ${device}`,
        node,
        (ops) =>
          `${ops}: asked onto ${device}, but works on ${title(origin)}, which is on ${of}, and runs there. Put both on one device, as by a first rule ${rule}, or leave it out of the rule.`,
      );
      break;
    }
  }
  return faults;
}

/** Whether some device of the session answers to both names. */
function mayBeOne(a: string, b: string, devices: ExactCheck['devices']): boolean {
  return devices.some(({ name }) => deviceMatches(a, name) && deviceMatches(b, name));
}

function title(node: ModelNode): string {
  return node.function === '' ? node.name : `${node.name} (in ${node.function})`;
}

function listOps(ops: readonly string[]): string {
  const shown = ops.slice(0, MOST_OPS).join(', ');
  return ops.length > MOST_OPS ? `${shown} and ${ops.length - MOST_OPS} more` : shown;
}

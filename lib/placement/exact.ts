/** What `exact` checks before anything runs: requests that TensorFlow cannot or will not hold, each with the smallest change that mends it. */
import { TensorFlowError } from '../errors.js';
import { remembered } from '../remember.js';
import { deviceLookup, opTitle } from './check-devices.js';
import { nodesToUntie, savedDevice, tornGroups, type Wishes } from './colocation.js';
import { ControlFlow } from './control-flow.js';
import { deviceMatches, listDevices, shortDevice } from './device.js';
import { FlowDevices, type FlowOptions } from './flow-devices.js';
import type { KernelLookup } from './kernels.js';
import type { ModelGraph, ModelNode } from './model-graph.js';
import { devicesFor, isTakenApart, ResourceTies } from './resources.js';
import { Slices } from './slices.js';
import { devicesOf, type WholeBodies, wholeBodies } from './whole-bodies.js';

/** What is wrong, in the same way, with the requests of some ops. */
interface Fault {
  readonly nodes: ModelNode[];
  /** The text, given the list of the ops. */
  readonly text: (ops: string) => string;
}

/** What each check goes by. */
interface Work extends ExactCheck {
  /** Whether a node can ever run. */
  canRun: (node: ModelNode) => boolean;
  /** The device asked for a node, else the one that counts of the model, else `''`. */
  deviceOf: (node: ModelNode) => string;
  ties: ResourceTies;
  bodies: WholeBodies;
  slices: Slices;
}

/** Faults that an error lists at most, and ops of each. */
const MOST = 20;
const MOST_OPS = 5;

/** What the checks look at. */
export interface ExactCheck extends Wishes, Pick<FlowOptions, 'fed'> {
  graph: ModelGraph;
  kernels: KernelLookup;
  /** Colocation that a rule contradicts is dropped and no fault. */
  ignoreColocation: boolean;
}

/**
 * Leaves the event loop its turns.
 *
 * @throws TensorFlowError INVALID_ARGUMENT naming every request that cannot be held
 */
export async function checkExact(check: ExactCheck): Promise<void> {
  const slices = new Slices();
  const { graph, requested, devices, kernels } = check;
  const saved = savedDevice(check);
  const deviceOf = (node: ModelNode) => requested(node.index) || saved(node);
  // What is dropped ties nothing.
  const untied = check.ignoreColocation ? await nodesToUntie(graph, check, slices) : undefined;
  const work = {
    ...check,
    canRun: await reachable(graph, slices),
    deviceOf,
    ties: await ResourceTies.find(graph, { deviceOf, devices, kernels }, slices, untied),
    bodies: await wholeBodies(graph, slices),
    slices,
  };
  const faults = [
    ...(await missingFaults(work)),
    ...(await kernelFaults(work)),
    ...(check.ignoreColocation ? [] : await tornFaults(work)),
    ...(await resourceFaults(work)),
    ...(await wholeBodyFaults(work)),
    ...(await controlFlowFaults(work)),
  ];
  if (faults.length === 0) return;
  const lines = faults.slice(0, MOST).map(({ nodes, text }) => `- ${text(listOps(nodes, opTitle))}`);
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
async function* requests({
  graph,
  requested,
  isHousekeeping,
  slices,
}: Work): AsyncGenerator<[ModelNode, string]> {
  for (const node of graph.nodes) {
    // What is done with one may take long, as the first look at a list of kernels does: the clock is looked at for each.
    if (slices.isOver(0)) await slices.next();
    const device = requested(node.index);
    if (device !== '' && !isHousekeeping(node.index)) yield [node, device];
  }
}

/** A test whether a node can ever run: functions that nothing calls, which exports are full of, are never placed. */
async function reachable(graph: ModelGraph, slices: Slices): Promise<Work['canRun']> {
  const reached = new Set(['']);
  // A set hands out what is added on the way, too.
  for (const scope of reached) {
    const nodes = scope === '' ? graph.main : graph.functions.get(scope)!.nodes;
    let step = 0;
    for (const node of nodes.values()) {
      if (slices.isOver(step++)) await slices.next();
      for (const name of graph.calls(node)) reached.add(name);
    }
  }
  return (node) => reached.has(node.function);
}

async function missingFaults(work: Work): Promise<Iterable<Fault>> {
  const { graph, requested, devices, clearDevices, canRun, slices } = work;
  const has = deviceLookup(devices);
  const faults = new Faults();
  const there = `no such device. The session has ${listDevices(devices)}`;
  for await (const [node, device] of requests(work)) {
    if (has(device)) continue;
    faults.add(
      device,
      node,
      (ops) => `${ops}: asked onto ${device}: ${there}. Name one of these in the rule.`,
    );
  }
  if (clearDevices !== false) return faults;
  for (const node of graph.nodes) {
    if (slices.isOver(node.index)) await slices.next();
    if (requested(node.index) !== '' || has(node.saved) || !canRun(node)) continue;
    const device = shortDevice(node.saved);
    const way = 'Load the model with clearDevices: true, or write a rule for them.';
    faults.add(`saved ${device}`, node, (ops) => `${ops}: saved on ${device}: ${there}. ${way}`);
  }
  return faults;
}

async function kernelFaults(work: Work): Promise<Iterable<Fault>> {
  const { devices, kernels, canRun } = work;
  const faults = new Faults();
  // `/device:*:1` may be of several.
  const typesOf = remembered((device) => [
    ...new Set(devices.filter(({ name }) => deviceMatches(device, name)).map(({ type }) => type)),
  ]);
  for await (const [node, device] of requests(work)) {
    const types = typesOf(device);
    if (types.length === 0 || !canRun(node) || types.some((type) => kernels(node, type) !== 'no')) continue;
    const onCpu = !types.includes('CPU') && kernels(node, 'CPU') !== 'no' ? ', or put it on /CPU:0' : '';
    faults.add(
      `${node.type} ${device} ${onCpu}`,
      node,
      (ops) =>
        `${ops}: asked onto ${device}: ${node.type} has no ${types.join(' or ')} kernel for these data types. Leave it out of the rule${onCpu}.`,
    );
  }
  return faults;
}

async function tornFaults(work: Work): Promise<Fault[]> {
  const { graph, requested, canRun, deviceOf, slices } = work;
  const faults: Fault[] = [];
  for (const group of await tornGroups(graph, work, slices)) {
    if (!canRun(group[0]!)) continue;
    // One of each device first: the list shows what is at odds.
    const first = new Map<string, ModelNode>();
    const others: ModelNode[] = [];
    for (const [i, node] of group.entries()) {
      if (slices.isOver(i)) await slices.next();
      const device = deviceOf(node);
      if (first.has(device)) others.push(node);
      else if (device !== '') first.set(device, node);
    }
    const nodes = [...first.values(), ...others];
    const ops = listOps(
      nodes,
      (node) =>
        `${opTitle(node)} ${requested(node.index) ? 'on' : 'saved on'} ${shortDevice(deviceOf(node))}`,
    );
    faults.push({
      nodes: [nodes.find((node) => requested(node.index) !== '')!],
      text: () =>
        `${ops}: the model ties these together (_class), so they can only be on one device. Ask for one device for all of them, or load with ignoreColocation: true.`,
    });
  }
  return faults;
}

/** An op runs where the variable or table is that it works on, always, and TensorFlow does not say so. */
async function resourceFaults(work: Work): Promise<Iterable<Fault>> {
  const { devices, canRun, ties } = work;
  const faults = new Faults();
  const has = deviceLookup(devices);
  const means = remembered((device) => remembered((home) => deviceMatches(device, home)));
  const homes = new Map<ModelNode, string>();
  for await (const [node, device] of requests(work)) {
    if (!has(device) || isTakenApart(node) || !canRun(node)) continue;
    for (const origin of ties.of(node)) {
      const home = homes.get(origin) ?? (await ties.home(origin));
      homes.set(origin, home);
      // A device that the session lacks is named already.
      if (home === '' || means(device)(home)) continue;
      const of = shortDevice(home);
      faults.add(
        `${origin.index} ${device}`,
        node,
        (ops) =>
          `${ops}: asked onto ${device}, but works on ${opTitle(origin)}, which is on ${of}, and runs there. Put both on one device, as by a first rule ${ruleFor(origin, device)}, or leave it out of the rule.`,
      );
      break;
    }
  }
  return faults;
}

/** A condition or a loop that TensorFlow does not take apart runs what is in it where it is itself. */
async function wholeBodyFaults(work: Work): Promise<Iterable<Fault>> {
  const { graph, devices, canRun, deviceOf, bodies } = work;
  const faults = new Faults();
  if (bodies.size === 0) return faults;
  const first = devicesFor([], devices)[0]?.name ?? '';
  const has = deviceLookup(devices);
  for await (const [node, device] of requests(work)) {
    const runner = bodies.get(node.function)?.[0];
    if (runner === undefined || !has(device) || !canRun(node)) continue;
    for (const said of devicesOf(node, graph, bodies, deviceOf)) {
      const home = said || first;
      if (devices.some(({ name }) => deviceMatches(device, name) && deviceMatches(home, name))) continue;
      const on = shortDevice(home);
      faults.add(
        `${runner.index} ${device}`,
        node,
        (ops) =>
          `${ops}: asked onto ${device}, but stand in a function that ${opTitle(runner)} (${runner.type}) runs as a whole, on ${on}. Ask for one device for that op and all of its functions, or leave them out of the rule.`,
      );
      break;
    }
  }
  return faults;
}

/** Ops of TensorFlow 1's control flow run beside a neighbour, whatever is asked. */
async function controlFlowFaults(work: Work): Promise<Iterable<Fault>> {
  const { graph, devices, canRun, bodies, ties, slices } = work;
  const faults = new Faults();
  const flow = await ControlFlow.find(graph, slices);
  if (flow.isEmpty) return faults;
  const where = new FlowDevices(graph, flow, ties, work, slices);
  const means = remembered((device) => remembered((home) => deviceMatches(device, home)));
  const has = deviceLookup(devices);
  for await (const [node, device] of requests(work)) {
    const isFree = flow.leaders(node).length > 0 && ties.of(node).length === 0 && !bodies.has(node.function);
    if (!isFree || !has(device) || !canRun(node)) continue;
    const places = (await where.of(node)).filter((place) => !means(device)(place.device));
    if (places.length === 0) continue;
    // Of what is fed there is no more to say.
    const fed = places.filter(({ isFed }) => isFed);
    const shown = (fed.length > 0 ? fed : places).slice(0, MOST_OPS);
    const list = shown
      .map(({ beside, device: on, isFed }) => {
        return `${opTitle(beside)}, which is ${isFed ? 'fed and so ' : ''}on ${shortDevice(on)}`;
      })
      .join(', or ');
    const rules = shown.map(({ beside }) => ruleFor(beside, device));
    const [all, first] = rules.length === 1 ? ['both', 'a first rule'] : ['all', 'first rules'];
    const way = `Put ${all} on one device, as by ${first} ${rules.join(', ')}, or leave`;
    faults.add(
      `${node.type} ${device} ${list}`,
      node,
      (ops) =>
        `${ops}: asked onto ${device}, but goes along with ${list}, as every ${node.type} does. ${fed.length > 0 ? 'Leave' : way} it out of the rule.`,
    );
  }
  return faults;
}

/** The rule that puts one op on a device. */
function ruleFor({ name, function: of }: ModelNode, device: string): string {
  const within = of === '' ? '' : `function: ${JSON.stringify(of)}, `;
  return `{ ${within}op: ${JSON.stringify(name)}, device: ${JSON.stringify(device)} }`;
}

function listOps(nodes: readonly ModelNode[], say: (node: ModelNode) => string): string {
  const shown = nodes.slice(0, MOST_OPS).map(say).join(', ');
  return nodes.length > MOST_OPS ? `${shown} and ${nodes.length - MOST_OPS} more` : shown;
}

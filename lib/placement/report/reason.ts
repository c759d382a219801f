/** Why an op ran elsewhere than it was asked, or than the model says. */
import { colocatedWith } from '../colocation.js';
import type { ControlFlow } from '../control-flow.js';
import { deviceMatches, deviceType } from '../device.js';
import type { KernelLookup } from '../kernels.js';
import type { ModelGraph, ModelNode } from '../model-graph.js';
import { isResource } from '../resources.js';

/** State of TensorFlow 1 of which `exact` cannot say where its users run. */
const OLD_STATE = /^(AutoReloadVariable|Stack|TensorArray(V2)?|\w*(Queue|Barrier|Reader))$/;

/** What decides. */
export interface Reasons {
  readonly graph: ModelGraph;
  readonly devices: readonly { name: string }[];
  readonly kernels: KernelLookup | undefined;
  readonly flow: ControlFlow;
  /** What an op was asked for, by a rule or by the model. */
  readonly wish: (node: ModelNode) => string;
  /** Where it ran. */
  readonly devicesOf: (node: ModelNode) => readonly string[];
}

/** Why an op cannot run on the device that it wishes for, whatever happens to it besides. */
export function refusalOf(
  node: ModelNode,
  wish: string,
  actual: string,
  { devices, kernels }: Reasons,
): string | undefined {
  if (!devices.some(({ name }) => deviceMatches(wish, name))) return 'no such device';
  const type = deviceType(wish);
  const isOther = type !== '' && type !== deviceType(actual);
  return isOther && kernels?.(node, type) === 'no' ? `soft placement: no ${type} kernel` : undefined;
}

/** The reason for an op that wished for a device that it could have had, and ran on another. */
export function whyElsewhere(node: ModelNode, wish: string, actual: string, reasons: Reasons): string {
  const { graph, devicesOf } = reasons;
  // What is given to a function is where the call is.
  const leaders = reasons.flow.leaders(node).flatMap((source) => source.node ?? graph.callers(node.function));
  const leader = leaders.find((each) => devicesOf(each).includes(actual));
  if (leader !== undefined && !isState(leader)) return `colocated with ${leader.name}`;
  const resource = resourceBehind(node, graph, (origin) => devicesOf(origin).includes(actual));
  if (resource !== undefined) return `resource of ${resource.name}`;
  const tied = colocatedWith(node)
    .map((name) => graph.find(name, node.function))
    .find((other) => other !== undefined && other !== node && devicesOf(other).includes(actual));
  if (tied !== undefined) return `colocated with ${tied.name}`;
  // A condition, a loop or a call of the old kind that stays one op runs its function on its own device.
  const caller = graph.callers(node.function).find((each) => {
    return !/PartitionedCall$/.test(each.type) && devicesOf(each).includes(actual);
  });
  if (caller !== undefined) return `colocated with ${caller.name}`;
  // It was followed from where it was asked to be, or was fed and ran nowhere.
  if (leaders.length > 0) {
    return `colocated with ${(leaders.find((each) => deviceMatches(reasons.wish(each), actual)) ?? leaders[0]!).name}`;
  }
  const user = userElsewhere(node, actual, reasons);
  return user === undefined
    ? `soft placement: no ${deviceType(wish) || deviceType(actual)} kernel`
    : `colocated with ${user.name}`;
}

/** The variable or table that an op works on. */
export function resourceBehind(
  node: ModelNode,
  graph: ModelGraph,
  fits: (origin: ModelNode) => boolean = () => true,
): ModelNode | undefined {
  for (let i = 0; i < graph.inputs(node).length; i++) {
    const origin = graph
      .resourceOrigins(node, i)
      .find((each) => each !== node && isState(each) && fits(each));
    if (origin !== undefined) return origin;
  }
  return undefined;
}

/** An op that a variable has to be with, or that is tied to this one, and that had the device its own way. */
function userElsewhere(node: ModelNode, actual: string, { graph, wish }: Reasons): ModelNode | undefined {
  const all = node.function === '' ? graph.main : graph.functions.get(node.function)?.nodes;
  for (const other of all?.values() ?? []) {
    if (other === node || wish(other) === '' || !deviceMatches(wish(other), actual)) continue;
    if (colocatedWith(other).includes(node.name)) return other;
    if (isState(node) && graph.inputs(other).some((source) => source.node === node)) return other;
  }
  return undefined;
}

/** Whether the op makes what lives on a device. */
export function isState(node: ModelNode): boolean {
  return isResource(node) || OLD_STATE.test(node.type);
}

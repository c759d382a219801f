/**
 * Functions that TensorFlow runs whole, on the device of the op that calls them, whatever devices stand in them: those of
 * conditions and loops that it does not take apart first.
 */

import { isBranching } from './calls.js';
import type { ModelGraph, ModelNode } from './model-graph.js';
import { isTakenApart } from './resources.js';
import type { Slices } from './slices.js';

/** By function, the ops that run it whole. */
export type WholeBodies = ReadonlyMap<string, readonly ModelNode[]>;

/** Finds them. */
export async function wholeBodies(graph: ModelGraph, slices: Slices): Promise<WholeBodies> {
  const bodies = new Map<string, ModelNode[]>();
  for (const node of graph.nodes) {
    if (slices.isOver(node.index)) await slices.next();
    if (!isBranching(node) || isTakenApart(node)) continue;
    for (const name of graph.calls(node)) bodies.set(name, [...(bodies.get(name) ?? []), node]);
  }
  return bodies;
}

/**
 * The devices on which an op runs the functions that it runs whole: its own; where nothing is said of it, that of what
 * calls the function around it. `''` is TensorFlow's own choice.
 */
export function devicesOf(
  node: ModelNode,
  graph: ModelGraph,
  bodies: WholeBodies,
  deviceOf: (node: ModelNode) => string,
): Set<string> {
  const devices = new Set<string>();
  const seen = new Set<ModelNode>();
  const follow = (at: ModelNode) => {
    if (seen.has(at)) return;
    seen.add(at);
    const around = bodies.get(at.function);
    const own = around === undefined ? deviceOf(at) : '';
    const callers = around ?? graph.callers(at.function);
    if (own !== '' || at.function === '' || callers.length === 0) devices.add(own);
    else for (const caller of callers) follow(caller);
  };
  follow(node);
  return devices;
}

/**
 * Ops of TensorFlow 1's control flow that go along with a neighbour. Just before TensorFlow cuts a graph, or a function's
 * body, up by devices, it gives each the device of that neighbour, whatever was asked for the op itself.
 */
import { remembered } from '../remember.js';
import type { ModelGraph, ModelNode, Source } from './model-graph.js';
import type { Slices } from './slices.js';

/** They follow what their first input comes from. */
const UPSTREAM = /^((Ref)?(Switch|Exit)|_SwitchN)$/;
/** They follow the first op that uses their output. A `RefEnter` stays. */
const DOWNSTREAM = /^(Enter|(Ref)?NextIteration)$/;

/** Whether ops of a type go along with what their first input comes from. */
export const isUpstream = remembered((type) => UPSTREAM.test(type));
/** Whether they go along with the first op that uses their output. */
export const isDownstream = remembered((type) => DOWNSTREAM.test(type));

/** The ops that use a node. */
export interface Users {
  /** By what it computes. */
  readonly data: ModelNode[];
  /** Those that only wait for it. */
  readonly waiting: ModelNode[];
}

const NOBODY: Users = { data: [], waiting: [] };

export class ControlFlow {
  readonly #graph: ModelGraph;
  /** Of the ops that follow a user, and of sources that are followed. */
  readonly #users = new Map<ModelNode, Users>();
  #isEmpty = true;

  private constructor(graph: ModelGraph) {
    this.#graph = graph;
  }

  /** Takes one look at the types of a graph without such ops. */
  static async find(graph: ModelGraph, slices: Slices): Promise<ControlFlow> {
    const flow = new ControlFlow(graph);
    const scopes = new Set<string>();
    for (const node of graph.nodes) {
      if (slices.isOver(node.index)) await slices.next();
      const used = isDownstream(node.type)
        ? node
        : isUpstream(node.type)
          ? graph.inputs(node)[0]?.node
          : undefined;
      if (isDownstream(node.type) || isUpstream(node.type)) flow.#isEmpty = false;
      if (used === undefined || (used !== node && hasDataInputs(used))) continue;
      flow.#users.set(used, { data: [], waiting: [] });
      scopes.add(node.function);
    }
    for (const scope of scopes) {
      const nodes = scope === '' ? graph.main : graph.functions.get(scope)!.nodes;
      let step = 0;
      for (const node of nodes.values()) {
        if (slices.isOver(step++)) await slices.next();
        for (const input of node.def.input) flow.#addUser(input, node);
      }
    }
    return flow;
  }

  #addUser(input: string, user: ModelNode): void {
    const isControl = input.startsWith('^');
    const end = input.indexOf(':');
    const name = input.slice(isControl ? 1 : 0, end === -1 ? undefined : end);
    const used = this.#graph.find(name, user.function);
    const users = used === undefined ? undefined : this.#users.get(used);
    users?.[isControl ? 'waiting' : 'data'].push(user);
  }

  /** Whether there is no such op. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /**
   * What the op goes along with: nothing for all but these ops. Of several users it is the first in an order that is
   * TensorFlow's own.
   */
  leaders(node: ModelNode): readonly Source[] {
    if (isUpstream(node.type)) return this.#graph.inputs(node).slice(0, 1);
    if (!isDownstream(node.type)) return [];
    return this.users(node).data.map((user) => ({ node: user, output: 0 }));
  }

  /** Whether the op goes along with what its first input comes from. */
  isUpstream({ type }: ModelNode): boolean {
    return isUpstream(type);
  }

  /** Whether the op is looked at after the one that it goes along with, which then has its last device. */
  isAfter(node: ModelNode): boolean {
    // TensorFlow goes along the edges: it comes by the only input first.
    return isUpstream(node.type) && node.def.input.length === 1;
  }

  /** The users of an op that follows one of them, or of a followed one without inputs. */
  users(node: ModelNode): Users {
    return this.#users.get(node) ?? NOBODY;
  }
}

/** Whether any input is data. */
export function hasDataInputs({ def }: ModelNode): boolean {
  return def.input.some((input) => !input.startsWith('^'));
}

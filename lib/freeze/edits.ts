/** Changes of single nodes of a graph, collected until a session is made of it. */
import { create } from '@bufbuild/protobuf';
import { dtypeInfo } from '../dtype.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import type { Slices } from '../placement/slices.js';
import { AttrValueSchema } from '../proto/tensorflow/core/framework/attr_value_pb.js';
import { type NodeDef, NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import { NodePack, type PackedNodes } from './node-pack.js';
import type { Value } from './value.js';

/** How an output is named as an input, in the main graph and in bodies, where the output's own name stands as well. */
export function outputName(node: ModelNode, name: string): string {
  return node.function === '' ? node.name : `${node.name}:${name}:0`;
}

export class Edits {
  readonly #graph: ModelGraph;
  readonly #isUsed: (node: number) => boolean;
  readonly #defs = new Map<ModelNode, NodeDef>();
  readonly #constants = new Map<ModelNode, Value>();
  readonly #factors = new Map<ModelNode, Float64Array>();
  readonly #before = new Map<ModelNode, [NodeDef, Value | undefined][]>();

  /** @param isUsed Whether users' runs reach the node: no other takes anything. */
  constructor(graph: ModelGraph, isUsed: (node: number) => boolean) {
    this.#graph = graph;
    this.#isUsed = isUsed;
  }

  /** The node as it will be; what comes of it may be changed. */
  change(node: ModelNode): NodeDef {
    let def = this.#defs.get(node);
    if (def === undefined) {
      // Its list and its map are new; what is in the map is replaced, never changed.
      const { input, attr } = node.def;
      def = Object.assign(create(NodeDefSchema), node.def, { input: [...input], attr: { ...attr } });
      this.#defs.set(node, def);
    }
    return def;
  }

  /** The node as it will be, to look at. */
  look(node: ModelNode): NodeDef {
    return this.#defs.get(node) ?? node.def;
  }

  /** Makes a constant of a node, under its name; what it waited for it waits for still. */
  makeConstant(node: ModelNode, value: Value): void {
    const def = this.change(node);
    def.op = 'Const';
    def.input = def.input.filter((input) => input.startsWith('^'));
    const { _class } = def.attr;
    def.attr = {
      dtype: typeAttr(dtypeInfo(value.dtype).number),
      ...(_class === undefined ? {} : { _class }),
    };
    this.#constants.set(node, value);
  }

  constant(node: ModelNode): Value | undefined {
    return this.#constants.get(node);
  }

  /** Multiplies a float32 constant along its last dimensions, when the graph is made. */
  scale(node: ModelNode, factors: Float64Array): void {
    this.#factors.set(node, factors);
  }

  isScaled(node: ModelNode): boolean {
    return this.#factors.has(node);
  }

  /** Puts a constant before a node, and returns what it is called as an input. */
  addConstant(node: ModelNode, part: string, value: Value): string {
    const name = `${node.name}/${part}`;
    const { number } = dtypeInfo(value.dtype);
    const def = create(NodeDefSchema, {
      name,
      op: 'Const',
      device: node.def.device,
      attr: { dtype: typeAttr(number) },
    });
    this.#add(node, def, value);
    return node.function === '' ? name : `${name}:output:0`;
  }

  /** Puts a node of the main graph between another and all that take its only output. */
  addAfter(node: ModelNode, def: NodeDef): void {
    for (const user of this.usersOf(node)) {
      const changed = this.change(user);
      const isIt = (input: string) => input === node.name || input === `${node.name}:0`;
      changed.input = changed.input.map((input) => (isIt(input) ? def.name : input));
    }
    this.change(node);
    this.#add(node, def, undefined);
  }

  #add(node: ModelNode, def: NodeDef, value: Value | undefined): void {
    const list = this.#before.get(node) ?? [];
    list.push([def, value]);
    this.#before.set(node, list);
  }

  /** Renames an output of a node where others of its function take it. */
  renameOutput(node: ModelNode, from: string, to: string): void {
    if (node.function === '' || from === to) return;
    const old = outputName(node, from);
    const renamed = outputName(node, to);
    for (const user of this.usersOf(node)) {
      if (!this.look(user).input.includes(old)) continue;
      const def = this.change(user);
      def.input = def.input.map((input) => (input === old ? renamed : input));
    }
  }

  /** The nodes that take an output of a node, in its own graph or function. */
  usersOf(node: ModelNode): readonly ModelNode[] {
    let users = this.#users.get(node.function);
    if (users === undefined) {
      users = new Map();
      const nodes = node.function === '' ? this.#graph.main : this.#graph.functions.get(node.function)!.nodes;
      for (const user of nodes.values()) {
        if (!this.#isUsed(user.index)) continue;
        for (const input of user.def.input) {
          if (input.startsWith('^')) continue;
          const [name] = input.split(':', 1);
          const list = users.get(name!);
          if (list === undefined) users.set(name!, [user]);
          else if (list.at(-1) !== user) list.push(user);
        }
      }
      this.#users.set(node.function, users);
    }
    return users.get(node.name) ?? [];
  }
  readonly #users = new Map<string, Map<string, ModelNode[]>>();

  /** Whether the function around returns an output of the node. */
  isReturned(node: ModelNode): boolean {
    if (node.function === '') return false;
    let returned = this.#returned.get(node.function);
    if (returned === undefined) {
      const { ret } = this.#graph.functions.get(node.function)!;
      returned = new Set(Object.values(ret).map((output) => output.split(':', 1)[0]!));
      this.#returned.set(node.function, returned);
    }
    return returned.has(node.name);
  }
  readonly #returned = new Map<string, Set<string>>();

  /** For the addon. */
  async toNative(slices: Slices): Promise<PackedNodes> {
    const pack = new NodePack();
    for (const [node, def] of this.#defs) {
      if (slices.isOver(0)) await slices.next();
      for (const [before, value] of this.#before.get(node) ?? []) pack.add(node.index, before, value);
      pack.add(node.index, def, this.#constants.get(node), this.#factors.get(node));
    }
    return pack.finish();
  }
}

function typeAttr(type: number) {
  return create(AttrValueSchema, { value: { case: 'type', value: type } });
}

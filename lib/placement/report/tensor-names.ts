/** Names of tensors in the graphs that TensorFlow made of a model, taken back to the model's. */

import type { ModelGraph, ModelNode, Source } from '../model-graph.js';
import type { RunEvent, RunEvents } from './events.js';
import type { Ran } from './ran.js';
import { isState, resourceBehind } from './reason.js';

/** A tensor of the model. */
export interface TensorName {
  readonly tensor: string;
  /** The variable whose value it is. */
  readonly variable?: string;
}

/** What hands a tensor on unchanged. */
const PASSES =
  /^(Identity|Enter|RefEnter|Switch|RefSwitch|Exit|RefExit|NextIteration|RefNextIteration|Merge|_Recv|_HostRecv)$/;
const MOST_STEPS = 64;

/** What brings a fed tensor into the graph; the second on a server. */
const FEED = /^_arg_(.+)_(\d+)_\d+$|^_recv_(.+)_(\d+)$/;

export class TensorNames {
  readonly #graph: ModelGraph;
  readonly #ran: Ran;
  /** The main graph's nodes as they were run. */
  readonly #main = new Map<string, { op: string; inputs: readonly string[] }>();
  /** The same of functions; bodies of the same names share one entry. */
  readonly #inFunctions = new Map<string, { op: string; inputs: readonly string[] }>();

  constructor(graph: ModelGraph, events: RunEvents, ran: Ran) {
    this.#graph = graph;
    this.#ran = ran;
    for (const { name, op, inputs } of events.partition) this.#main.set(name, { op, inputs });
    for (const { kernel } of events.all) if (!kernel.isMain) this.#inFunctions.set(kernel.name, kernel);
  }

  /** What an output of a kernel is called in the model. */
  at(event: RunEvent, output: number): TensorName {
    const { kernel } = event;
    return this.of(kernel.name, output, kernel.isMain ? '' : this.#ran.at(event)?.root);
  }

  /** What a node's output is called in the model. `root` is the function in which the node ran. */
  of(name: string, output: number, root: string | undefined): TensorName {
    const nodes = root === '' ? this.#main : this.#inFunctions;
    let at = { name, output };
    for (let step = 0; step < MOST_STEPS; step++) {
      const feed = root === '' ? FEED.exec(at.name) : null;
      if (feed !== null) return { tensor: `${feed[1] ?? feed[3]}:${feed[2] ?? feed[4]}` };
      const node = this.#meaning(at.name, root);
      if (node !== undefined && isPartOf(at.name, node))
        return { tensor: at.name.slice(at.name.indexOf(node.name)) };
      if (node !== undefined) return this.#named(node, at);
      const { op, inputs } = nodes.get(at.name) ?? { op: '', inputs: [] };
      if (op === '_Arg' && root !== undefined) return this.#argument(at.name, root);
      const input = inputs.find((each) => !each.startsWith('^'));
      if (input === undefined || !PASSES.test(op)) break;
      at = splitTensor(input);
      // What a receive hands on has its source's name.
      if (!nodes.has(at.name)) at.name = at.name.replace(/\/_\d+$/, '');
    }
    return { tensor: `${name}:${output}` };
  }

  #meaning(name: string, root: string | undefined): ModelNode | undefined {
    const meanings = this.#ran.names.meanings(name);
    return (meanings.find((each) => each.root === root) ?? (root === undefined ? meanings[0] : undefined))
      ?.node;
  }

  #named(node: ModelNode, at: { name: string; output: number }): TensorName {
    const tensor = `${node.name}:${at.output}`;
    const variable = this.#main.has(at.name) ? this.#variableAt(at.name) : this.#variableOf(node);
    return variable === undefined ? { tensor } : { tensor, variable };
  }

  /** By the edges of the graph that was run, where each call of a function has its own variables. */
  #variableAt(name: string, hasRead = false, step = 0): string | undefined {
    const node = this.#main.get(name);
    if (node === undefined || step > MOST_STEPS) return undefined;
    const meaning = this.#meaning(name, '');
    if (meaning !== undefined && isState(meaning)) return meaning.name;
    const isRead = node.op === 'ReadVariableOp';
    if ((isRead && hasRead) || !(isRead || PASSES.test(node.op)) || node.inputs[0] === undefined)
      return undefined;
    return this.#variableAt(splitTensor(node.inputs[0]).name, hasRead || isRead, step + 1);
  }

  #variableOf(node: ModelNode): string | undefined {
    if (isState(node)) return node.name;
    return node.type === 'ReadVariableOp' ? resourceBehind(node, this.#graph)?.name : undefined;
  }

  /** A function's argument is the tensor that it was called with, where there is one call. */
  #argument(name: string, scope: string): TensorName {
    let at = this.#graph.functions.get(scope)?.signature.inputArg.findIndex((arg) => arg.name === name) ?? -1;
    for (let step = 0; step < MOST_STEPS && at >= 0; step++) {
      const [caller, ...others] = this.#graph.callers(scope);
      if (caller === undefined || others.length > 0) break;
      const source: Source | undefined = this.#graph.given(caller, scope, at);
      if (source?.node !== undefined) return this.#named(source.node, { name: '', output: source.output });
      at = source?.arg ?? -1;
      scope = caller.function;
    }
    return { tensor: `${name}:0` };
  }
}

/** Whether a name is of what a loop or a condition became: `while/LoopCond/_21`. */
function isPartOf(name: string, node: ModelNode): boolean {
  return /\/(LoopCond|branch_executed|switch_pred)\/_\d+$/.test(name) && !name.endsWith(node.name);
}

/** `a:1` -> `a` and 1. */
export function splitTensor(tensor: string): { name: string; output: number } {
  const found = /^(.*):(\d+)$/.exec(tensor);
  return found === null ? { name: tensor, output: 0 } : { name: found[1]!, output: Number(found[2]) };
}

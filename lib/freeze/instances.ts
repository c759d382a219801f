/**
 * Functions, told apart by the variables that they are called with. A body that reads an argument can hold a constant in its
 * place only where all calls give it the same variable: of others there have to be copies.
 */
import { functionsReturning, isLoop } from '../placement/calls.js';
import type { ModelGraph, ModelNode, Source } from '../placement/model-graph.js';

/** The main graph, or a function with the variables that are known of its arguments. */
export class Instance {
  /** `''` for the main graph. */
  readonly function: string;
  /** What it is called in the graph that is made; another name than the function's for a copy. */
  readonly name: string;
  /** By argument. */
  readonly variables: ReadonlyMap<number, ModelNode>;
  /** Calls that have to name another function than they do. */
  readonly renamed = new Map<ModelNode, Map<string, string>>();

  constructor(name: string, variables: ReadonlyMap<number, ModelNode> = new Map(), of = name) {
    this.function = of;
    this.name = name;
    this.variables = variables;
  }

  get isCopy(): boolean {
    return this.name !== this.function;
  }

  /** The variable in an input; undefined where it is no argument that is known. */
  variable(graph: ModelGraph, node: ModelNode, input: number): ModelNode | undefined {
    const arg = argumentAt(graph, graph.inputs(node)[input]);
    return arg === undefined ? undefined : this.variables.get(arg);
  }
}

/** Copies up to which functions are told apart: calls of calls may multiply. */
const MOST = 1000;

/**
 * Each function once, and those in `torn`, with all that call them, once for each set of variables they are called with.
 *
 * @param isUsed Whether users' runs reach the node.
 * @param torn Functions that read an argument for which calls give different variables.
 * @param isVariable Whether the op is a variable's.
 */
export function findInstances(
  graph: ModelGraph,
  isUsed: (node: number) => boolean,
  torn: ReadonlySet<string>,
  isVariable: (node: ModelNode) => boolean,
): Instance[] {
  if (torn.size === 0) return ['', ...graph.functions.keys()].map((name) => new Instance(name));
  const main = new Instance('');
  const split = withCallers(graph, torn);
  const plain = [...graph.functions.keys()]
    .filter((name) => !split.has(name))
    .map((name) => new Instance(name));
  const byKey = new Map<string, Instance>();
  const open = [main];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    for (const node of nodesOf(graph, from.function)) {
      for (const name of isUsed(node.index) ? graph.calls(node) : []) {
        if (!split.has(name)) continue;
        const variables = given(graph, from, node, name, isVariable);
        const key = `${name}\n${[...variables].map(([arg, { index }]) => `${arg} ${index}`).join()}`;
        let target = byKey.get(key);
        if (target === undefined) {
          if (byKey.size >= MOST) return findInstances(graph, isUsed, new Set(), isVariable);
          const isFirst = ![...byKey.values()].some((other) => other.function === name);
          target = new Instance(isFirst ? name : freeName(graph, name, byKey.size), variables, name);
          byKey.set(key, target);
          open.push(target);
        }
        if (!target.isCopy) continue;
        const renamed = from.renamed.get(node) ?? new Map<string, string>();
        from.renamed.set(node, renamed.set(name, target.name));
      }
    }
  }
  return [main, ...plain, ...byKey.values()];
}

/** The functions, and all from which they are reached. */
function withCallers(graph: ModelGraph, functions: ReadonlySet<string>): Set<string> {
  const all = new Set<string>();
  const open = [...functions];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (all.has(name)) continue;
    all.add(name);
    for (const { function: around } of graph.callers(name)) if (around !== '') open.push(around);
  }
  return all;
}

/** The variables that a call gives the function, as far as they are known. */
function given(
  graph: ModelGraph,
  from: Instance,
  caller: ModelNode,
  name: string,
  isVariable: (node: ModelNode) => boolean,
): Map<number, ModelNode> {
  const variables = new Map<number, ModelNode>();
  const returning = isLoop(caller) ? functionsReturning(caller, graph.calls(caller)) : [];
  const results = returning.map((each) => graph.results(each));
  graph.functions.get(name)!.signature.inputArg.forEach((_, arg) => {
    // A loop's next round is given what its body returns.
    if (results.some((sources) => argumentAt(graph, sources[arg]) !== arg)) return;
    const source = passed(graph, graph.given(caller, name, arg));
    const variable =
      source?.arg === undefined
        ? source?.node && isVariable(source.node)
          ? source.node
          : undefined
        : from.variables.get(source.arg);
    if (variable !== undefined) variables.set(arg, variable);
  });
  return variables;
}

function argumentAt(graph: ModelGraph, source: Source | undefined): number | undefined {
  return passed(graph, source)?.arg;
}

/** Where what an Identity hands on comes from. */
function passed(graph: ModelGraph, source: Source | undefined): Source | undefined {
  let from = source;
  while (from?.node?.type === 'Identity') from = graph.inputs(from.node)[0];
  return from;
}

function nodesOf(graph: ModelGraph, name: string): Iterable<ModelNode> {
  return name === '' ? graph.main.values() : graph.functions.get(name)!.nodes.values();
}

function freeName(graph: ModelGraph, name: string, number: number): string {
  let free = `${name}_tf_session_${number}`;
  while (graph.functions.has(free)) free += '_';
  return free;
}

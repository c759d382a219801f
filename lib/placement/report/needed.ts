/** Which ops a run needs: what its fetches come from, through function calls, up to what is fed. */
import { isBranching, isLoop } from '../calls.js';
import type { ModelGraph, ModelNode, Source } from '../model-graph.js';

/** The ops that fetches and targets depend on. A function's output that nobody asks for is not followed. */
export function neededOps(
  graph: ModelGraph,
  fetches: readonly string[],
  feeds: readonly string[],
): ReadonlySet<ModelNode> {
  return new Needs(graph, new Set(feeds.map(opOf))).from(fetches);
}

class Needs {
  readonly #graph: ModelGraph;
  readonly #fed: ReadonlySet<string>;
  readonly #needed = new Set<ModelNode>();
  readonly #seen = new Set<string>();
  /** Arguments that are used, by function. */
  readonly #args = new Map<string, Set<number>>();
  readonly #work: [source: Source, scope: string][] = [];

  constructor(graph: ModelGraph, fed: ReadonlySet<string>) {
    this.#graph = graph;
    this.#fed = fed;
  }

  from(fetches: readonly string[]): ReadonlySet<ModelNode> {
    for (const fetch of fetches) {
      const node = this.#graph.main.get(opOf(fetch));
      if (node !== undefined)
        this.#work.push([{ node, output: Number(/:(\d+)$/.exec(fetch)?.[1] ?? 0) }, '']);
    }
    for (let next = this.#work.pop(); next !== undefined; next = this.#work.pop()) this.#visit(...next);
    return this.#needed;
  }

  #visit({ node, arg, output }: Source, scope: string): void {
    const key = `${scope}\n${node === undefined ? `<${arg}>` : node.name}\n${output}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (node !== undefined) this.#visitNode(node, output);
    else if (arg !== undefined) {
      const args = this.#args.get(scope);
      if (args === undefined) this.#args.set(scope, new Set([arg]));
      else args.add(arg);
      for (const caller of this.#graph.callers(scope))
        if (this.#needed.has(caller)) this.#follow(caller, scope, arg);
    }
  }

  #visitNode(node: ModelNode, output: number): void {
    if (node.function === '' && this.#fed.has(node.name)) return;
    const isNew = !this.#needed.has(node);
    this.#needed.add(node);
    const called = this.#graph.calls(node);
    for (const name of called) {
      const results = this.#graph.results(name);
      // Each round of a loop may need what is handed to the next.
      const used = isLoop(node) || output >= results.length ? results : [results[output]];
      for (const result of used) if (result !== undefined) this.#work.push([result, name]);
      if (isNew) for (const arg of this.#args.get(name) ?? []) this.#follow(node, name, arg);
    }
    if (!isNew) return;
    for (const control of this.#graph.controlInputs(node))
      this.#work.push([{ node: control, output: 0 }, control.function]);
    const inputs = this.#graph.inputs(node);
    // Of a call those inputs are needed that its body uses, and what a condition decides by.
    const own = called.length === 0 || isLoop(node) ? inputs : inputs.slice(0, conditions(node));
    for (const input of own) this.#work.push([input, node.function]);
  }

  /** A function's argument, at one of its calls. */
  #follow(caller: ModelNode, name: string, arg: number): void {
    const input = this.#graph.given(caller, name, arg);
    if (input !== undefined) this.#work.push([input, caller.function]);
  }
}

/** How many inputs a condition decides by; its arguments stand behind them. */
function conditions(caller: ModelNode): number {
  return isBranching(caller) && !isLoop(caller) ? 1 : 0;
}

/** `op:0` -> `op`. */
export function opOf(tensor: string): string {
  return tensor.replace(/^\^|:\d+$/g, '');
}

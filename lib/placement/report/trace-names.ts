/** TensorFlow inlines functions, and names what it inlines after the calls: such names, taken back to the model's ops. */
import { isBranching } from '../calls.js';
import type { ModelGraph, ModelNode } from '../model-graph.js';

/** What a name in a trace may mean. */
export interface Meaning {
  readonly node: ModelNode;
  /** The function that was run, not inlined, and in which the name stands; `''` for the main graph. */
  readonly root: string;
}

/** `while/body/_8`, `cond/then/_3`, `case/branch1/_4`: a function inlined by a loop or a condition. */
const INLINED = /^(.*)\/(cond|body|then|else|branch\d+)\/_\d+$/;
/** What a loop or a condition that was taken apart leaves for itself. */
const OWN_PART = /^(.*)\/(LoopCond|branch_executed|switch_pred)\/_\d+$/;
/** Nodes that only run where a loop's body or a branch does. */
const ENTRY = /^(.*)\/(loop_body_control|pivot_t|pivot_f|pivot_\d+)\/_\d+$/;
/** What inlining adds around a body. */
const AROUND = /^Func\/(.*)\/(?:input|output|input_control_node|output_control_node)\/_\d+$/;

export class TraceNames {
  readonly #graph: ModelGraph;
  readonly #byName = new Map<string, ModelNode[]>();
  readonly #roots = new Map<string, readonly string[]>();

  constructor(graph: ModelGraph) {
    this.#graph = graph;
    for (const node of graph.nodes) {
      const same = this.#byName.get(node.name);
      if (same === undefined) this.#byName.set(node.name, [node]);
      else same.push(node);
    }
  }

  /** Every op that a name may be. `call/scope/op` is an op `scope/op` of the called function, or one `call/scope/op`. */
  meanings(name: string): Meaning[] {
    const found: Meaning[] = [];
    for (let at = 0; at !== -1; at = nextPart(name, at)) {
      for (const node of this.#byName.get(name.slice(at)) ?? []) {
        const path = at === 0 ? '' : name.slice(0, at - 1);
        for (const root of this.#rootsOf(path, node.function)) found.push({ node, root });
      }
    }
    if (found.length > 0) return found;
    const part = OWN_PART.exec(name);
    return part === null ? [] : this.meanings(part[1]!).filter(({ node }) => isBranching(node));
  }

  /** Functions that ran where a node of this name did. */
  entered(name: string): string[] {
    const around = AROUND.exec(name);
    if (around !== null) return this.#inlinedAt(around[1]!);
    const entry = ENTRY.exec(name);
    if (entry === null) return [];
    const kind = { loop_body_control: 'body', pivot_t: 'then', pivot_f: 'else' }[entry[2]!];
    return this.meanings(entry[1]!).flatMap(({ node }) =>
      isBranching(node) ? (calledAs(node, kind ?? entry[2]!.replace('pivot_', 'branch')) ?? []) : [],
    );
  }

  #inlinedAt(path: string): string[] {
    const inlined = INLINED.exec(path);
    if (inlined !== null) {
      const callers = this.meanings(inlined[1]!).filter(({ node }) => isBranching(node));
      return callers.flatMap(({ node }) => calledAs(node, inlined[2]!) ?? []);
    }
    return this.meanings(path).flatMap(({ node }) => this.#graph.calls(node));
  }

  /** The functions from which a path of calls leads to a function. */
  #rootsOf(path: string, scope: string): readonly string[] {
    if (path === '') return [scope];
    if (scope === '') return [];
    const key = `${scope}\n${path}`;
    let roots = this.#roots.get(key);
    if (roots === undefined) {
      roots = [...new Set(this.#findRoots(path, scope))];
      this.#roots.set(key, roots);
    }
    return roots;
  }

  *#findRoots(path: string, scope: string): Generator<string> {
    const inlined = INLINED.exec(path);
    for (const caller of this.#graph.callers(scope)) {
      let rest = path;
      if (isBranching(caller)) {
        if (inlined === null || calledAs(caller, inlined[2]!) !== scope) continue;
        rest = inlined[1]!;
      }
      if (rest === caller.name) yield caller.function;
      else if (rest.endsWith(`/${caller.name}`)) {
        yield* this.#rootsOf(rest.slice(0, -caller.name.length - 1), caller.function);
      }
    }
  }
}

/** The function that a loop or a condition calls as its `body`, `cond`, `then`, `else`, `branch0`. */
export function calledAs(node: ModelNode, kind: string): string | undefined {
  const { attr } = node.def;
  const branch = /^branch(\d+)$/.exec(kind);
  if (branch !== null) {
    const value = attr.branches?.value;
    return value?.case === 'list' ? value.value.func[Number(branch[1])]?.name : undefined;
  }
  const value = attr[kind === 'then' || kind === 'else' ? `${kind}_branch` : kind]?.value;
  return value?.case === 'func' ? value.value.name : undefined;
}

function nextPart(name: string, from: number): number {
  const slash = name.indexOf('/', from);
  return slash === -1 ? -1 : slash + 1;
}

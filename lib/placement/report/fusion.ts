/** TensorFlow makes one kernel of several ops, and names it after the last: which ops went into which. */
import type { ModelGraph, ModelNode, Source } from '../model-graph.js';
import { isSameOp, type Ran } from './ran.js';

/** A fused kernel. */
export interface Fusion {
  /** The op whose name it has. */
  readonly survivor: ModelNode;
  /** The op whose device it took: the product or convolution that the others were fused to, where there is one. */
  readonly base: ModelNode | undefined;
  readonly devices: readonly string[];
}

const FUSED = /^_.*(Fused|Swish|LayerNorm|PadWith|WithSum|BatchNormEx)/;
/** Not computations: what is gone of these was folded. */
const PASSIVE = /^(Const|Identity|IdentityN|NoOp|Placeholder|ReadVariableOp|VarHandleOp|Shape|StopGradient)$/;
/** Fusions reach over a few ops; layer normalisation is the widest. */
const MOST_STEPS = 24;

/** The fused kernel that an op has become part of, by op; survivors are listed, too. */
export function fusions(graph: ModelGraph, ran: Ran): ReadonlyMap<ModelNode, Fusion> {
  const found = new Map<ModelNode, Fusion>();
  for (const survivor of new Set(ran.runs.map(({ node }) => node))) {
    const fused = ran
      .of(survivor)
      .filter(({ event }) => FUSED.test(event.kernel.op) && !isSameOp(event.kernel.op, survivor.type));
    if (fused.length === 0) continue;
    const walk = new Walk(graph, ran, fused[0]!.event.kernel.op);
    const path = walk.toBase(survivor) ?? walk.gone;
    const fusion = {
      survivor,
      base: walk.base,
      devices: [...new Set(fused.map(({ event }) => event.kernel.device))],
    };
    for (const node of [survivor, ...path]) if (!found.has(node)) found.set(node, fusion);
  }
  return found;
}

/** Back from a fused kernel's last op over ops that have no kernel of their own any more. */
class Walk {
  base: ModelNode | undefined;
  /** All such ops that were met. */
  readonly gone: ModelNode[] = [];
  readonly #seen = new Set<ModelNode>();

  constructor(
    readonly graph: ModelGraph,
    readonly ran: Ran,
    readonly op: string,
  ) {}

  /** The ops on the way to the product or convolution; undefined where there is none. */
  toBase(from: ModelNode): ModelNode[] | undefined {
    for (const node of this.graph.inputs(from).flatMap((source) => this.#ops(source, from.function))) {
      if (this.#seen.has(node) || this.#seen.size > MOST_STEPS || this.ran.of(node).length > 0) continue;
      this.#seen.add(node);
      const isPassive = PASSIVE.test(node.type);
      if (!isPassive) this.gone.push(node);
      if (this.#isBase(node)) {
        this.base = node;
        const pad = /PadWith/.test(this.op) ? this.graph.inputs(node)[0]?.node : undefined;
        return pad !== undefined && this.ran.of(pad).length === 0 ? [node, pad] : [node];
      }
      const path = this.toBase(node);
      if (path !== undefined) return isPassive ? path : [node, ...path];
    }
    return undefined;
  }

  #isBase({ type }: ModelNode): boolean {
    const plain = type.replace(/V\d+$/, '');
    return new RegExp(`(Fused|Native|With|Mkl)${plain}(V\\d+)?(WithSum|Ex)*$`).test(this.op);
  }

  /** Through calls, which inlining has dissolved. */
  #ops({ node, arg, output }: Source, scope: string, depth = 0): ModelNode[] {
    if (depth > MOST_STEPS) return [];
    if (node !== undefined) {
      const called = this.graph.calls(node);
      if (called.length === 0) return [node];
      return called.flatMap((name) => {
        const result = this.graph.results(name)[output];
        return result === undefined ? [] : this.#ops(result, name, depth + 1);
      });
    }
    return this.graph.callers(scope).flatMap((caller) => {
      const input = this.graph.given(caller, scope, arg!);
      return input === undefined ? [] : this.#ops(input, caller.function, depth + 1);
    });
  }
}

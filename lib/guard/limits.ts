/**
 * How large a graph is, as TensorFlow will see it. It follows calls of functions by calling itself, and gives each call
 * a copy of what it calls: a function that reaches itself, or thousands one inside of the other, end the process with a stack
 * that is full; thirty that call the next one twice are 2^30 copies.
 */
import { TensorFlowError } from '../errors.js';
import type { GuardPlan } from './options.js';

/** A graph's nodes by number, and who calls what. */
export interface CallIndex {
  readonly length: number;
  /** The first is `''`, the main graph. */
  readonly functionNames: readonly string[];
  /** The number of the function in whose body the node stands. */
  functionNumber(node: number): number;
  /** In pairs: a node, and the number of a function that it calls. */
  readonly callPairs: Uint32Array;
}

type Limits = GuardPlan['limits'];

/** Names of functions in a message. */
const MOST = 5;

/**
 * @param counts Whether a run, or the load, may reach the node.
 * @throws TensorFlowError RESOURCE_EXHAUSTED naming the limit and the option; INVALID_ARGUMENT where a function calls itself,
 *   directly or by way of others, naming them
 */
export function checkLimits(graph: CallIndex, counts: (node: number) => boolean, limits: Limits): void {
  if (graph.length > limits.nodes) throw tooMuch('nodes', graph.length, limits, 'nodes');
  const { callPairs } = graph;
  if (callPairs.length === 0) return;
  const sizes = new Float64Array(graph.functionNames.length);
  for (let node = 0; node < graph.length; node++) sizes[graph.functionNumber(node)]!++;
  const calls = new Map<number, number[]>();
  for (let at = 0; at < callPairs.length; at += 2) {
    const node = callPairs[at]!;
    if (!counts(node)) continue;
    const caller = graph.functionNumber(node);
    const called = calls.get(caller);
    if (called === undefined) calls.set(caller, [callPairs[at + 1]!]);
    else called.push(callPairs[at + 1]!);
  }
  const { depth, inlined } = measure(graph, calls, sizes);
  if (depth > limits.functionDepth)
    throw tooMuch('functionDepth', depth, limits, 'functions one inside of the other');
  if (inlined > limits.inlinedNodes)
    throw tooMuch('inlinedNodes', inlined, limits, 'nodes once each call has its own copy of its function');
}

interface Open {
  readonly number: number;
  /** The next of its calls to look at. */
  at: number;
  depth: number;
  inlined: number;
}

/** From the main graph down, each function once; with a stack of its own, for the graph decides how deep it gets. */
function measure(
  graph: CallIndex,
  calls: ReadonlyMap<number, readonly number[]>,
  sizes: Float64Array,
): { depth: number; inlined: number } {
  const done = new Map<number, { depth: number; inlined: number }>();
  const isOpen = new Set<number>([0]);
  const stack: Open[] = [{ number: 0, at: 0, depth: 0, inlined: sizes[0]! }];
  for (;;) {
    const top = stack.at(-1)!;
    const callee = calls.get(top.number)?.[top.at];
    if (callee === undefined) {
      stack.pop();
      isOpen.delete(top.number);
      done.set(top.number, top);
      if (stack.length === 0) return top;
      continue;
    }
    const known = done.get(callee);
    if (known !== undefined) {
      top.depth = Math.max(top.depth, known.depth + 1);
      top.inlined += known.inlined;
      top.at++;
    } else if (isOpen.has(callee)) {
      throw recursion(
        graph,
        stack.map(({ number }) => number),
        callee,
      );
    } else {
      isOpen.add(callee);
      stack.push({ number: callee, at: 0, depth: 0, inlined: sizes[callee]! });
    }
  }
}

function recursion(graph: CallIndex, open: readonly number[], again: number): TensorFlowError {
  const names = open.slice(open.indexOf(again)).map((number) => graph.functionNames[number]!);
  const shown = names.slice(0, MOST).join(' -> ');
  const text = names.length > MOST ? `${shown} and ${names.length - MOST} more` : shown;
  return new TensorFlowError(
    'INVALID_ARGUMENT',
    `The model's function ${names[0]} calls itself (${text} -> ${names[0]}). TensorFlow has no recursion: it would end the process.`,
  );
}

function tooMuch(key: keyof Limits, size: number, limits: Limits, what: string): TensorFlowError {
  const count = Number.isFinite(size) ? size.toLocaleString('en') : 'too many';
  return new TensorFlowError(
    'RESOURCE_EXHAUSTED',
    `The model has ${count} ${what}; limits.${key} is ${limits[key].toLocaleString('en')}. Raise it where the model is to be trusted: beyond its limits TensorFlow may end the process.`,
  );
}

/** Throws RESOURCE_EXHAUSTED for a saved_model.pb above the limit. */
export function checkBytes(bytes: number, limits: Limits): void {
  if (bytes > limits.modelBytes) throw tooMuch('modelBytes', bytes, limits, 'bytes');
}

/** Nodes that call functions: which ones, and how inputs become arguments and results outputs. */
import type { NodeDef } from '../proto/tensorflow/core/framework/node_def_pb.js';

interface Caller {
  readonly type: string;
  readonly def: NodeDef;
}

/** Calls whose outputs are what their functions return. */
const RETURNS =
  /^(PartitionedCall|StatefulPartitionedCall|RemoteCall|If|StatelessIf|Case|StatelessCase|While|StatelessWhile)$/;

const BRANCHING = /^(Stateless)?(While|If|Case)$/;

/** Whether the op is a loop or a condition with functions for its bodies. */
export function isBranching({ type }: Pick<Caller, 'type'>): boolean {
  return BRANCHING.test(type);
}

/** Whether the op is a loop, whose functions are a condition and a body. */
export function isLoop({ type }: Caller): boolean {
  return type === 'While' || type === 'StatelessWhile';
}

/** The functions of the model that a node calls, each once: in its attributes, or its own op. */
export function calledBy({ type, def }: Caller, functions: ReadonlyMap<string, unknown>): string[] {
  const called = new Set([type]);
  for (const { value } of Object.values(def.attr)) {
    if (value.case === 'func') called.add(value.value.name);
    else if (value.case === 'list') for (const { name } of value.value.func) called.add(name);
  }
  return [...called].filter((name) => functions.has(name));
}

/** Those of the functions called whose results are the node's outputs: a loop's body and not its condition, none of a data set. */
export function functionsReturning(node: Caller, called: readonly string[]): readonly string[] {
  if (called.length === 0 || called.includes(node.type)) return called;
  if (!RETURNS.test(node.type)) return [];
  if (!isLoop(node)) return called;
  const body = node.def.attr.body?.value;
  return body?.case === 'func' ? called.filter((name) => name === body.value.name) : [];
}

/**
 * The input of a call that becomes an argument of the function; -1 where none does. What stands before the arguments,
 * such as a condition, shifts them; a data set's function is given elements first, then the op's `other_arguments`.
 */
export function argumentInput(caller: Caller, arg: number, args: number, inputs: number): number {
  const fromEnd = args - arg;
  const others = lengthOf(caller, 'Targuments');
  if (others === undefined) return inputs - fromEnd;
  const at = others - fromEnd;
  return at < 0 ? -1 : 1 + (lengthOf(caller, 'Tstate') ?? 0) + at;
}

/** How long an attribute is that is a list of types. */
function lengthOf({ def }: Caller, attribute: string): number | undefined {
  const value = def.attr[attribute]?.value;
  return value?.case === 'list' ? value.value.type.length : undefined;
}

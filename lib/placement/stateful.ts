/** Which ops of a graph change state that outlives a run. */
import type { NodeList } from './node-list.js';

/** Ops whose effect a later run sees. */
const CHANGES_STATE = [
  /^Assign((Add|Sub)?(VariableOp)?)$/,
  /^(Sparse|Resource|ResourceSparse)?Apply[A-Z]\w*$/,
  /^(Resource)?Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max)$/,
  /^(Resource)?(StridedSliceAssign|CountUpTo)$/,
  /^LookupTable(Insert|Import|Remove)(V2)?$/,
  /^InitializeTable/,
  /^Rng(ReadAnd)?Skip$/,
  /^Stateful(Uniform|StandardNormal|TruncatedNormal)/,
  /^Queue(Enqueue|Dequeue)/,
  /^Barrier(InsertMany|TakeMany)$/,
];

/** Whether what an op of this type does is seen by later runs. */
export function changesState(type: string): boolean {
  return CHANGES_STATE.some((pattern) => pattern.test(type));
}

const MOST = 5;

/** The types of such ops among those that users run; empty for a model that only computes. */
export function assigningOps(nodes: NodeList): string[] {
  const types = new Set<string>();
  for (let i = 0; i < nodes.length && types.size < MOST; i++) {
    if (nodes.isUsed(i) && changesState(nodes.type(i))) types.add(nodes.type(i));
  }
  return [...types];
}

/** Which ops of a graph change state that outlives a run. */
import type { NodeList } from './node-list.js';

/** Assignments to variables of both kinds, optimizers' steps, insertions into tables. */
const CHANGES_STATE =
  /^(Assign|AssignAdd|AssignSub|AssignVariableOp|AssignAddVariableOp|AssignSubVariableOp|(Sparse|Resource|ResourceSparse)?Apply[A-Z]\w*|(Resource)?Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max)|ResourceStridedSliceAssign|StridedSliceAssign|CountUpTo|ResourceCountUpTo|LookupTable(Insert|Import|Remove)(V2)?|InitializeTable\w*)$/;

const MOST = 5;

/** The types of such ops among those that users run; empty for a model that only computes. */
export function assigningOps(nodes: NodeList): string[] {
  const types = new Set<string>();
  for (let i = 0; i < nodes.length && types.size < MOST; i++) {
    if (nodes.isUsed(i) && CHANGES_STATE.test(nodes.type(i))) types.add(nodes.type(i));
  }
  return [...types];
}

/** A frozen session: one with variables is made, asked for their values and closed; then one without. */

import type { Parsed } from '../model-sessions.js';
import type { GraphEdits } from '../placed-graph.js';
import { boundTo } from '../prepared-call.js';
import { runCall } from '../run.js';
import { servedOps } from '../saved-model/restore.js';
import { signaturesOf } from '../saved-model/signatures.js';
import type { Session } from '../session.js';
import { byName, makePlan, toInputs } from '../signature-plan.js';
import type { Tensor } from '../tensor.js';
import { freezeChanges, planFreeze, readValues } from './freeze.js';
import { checkOutputs, type FreezeOptions } from './options.js';

/**
 * @param make Makes a session of the graph with these edits, restored or only initialised.
 * @throws TensorFlowError RESOURCE_EXHAUSTED above 2 GiB; FAILED_PRECONDITION where `verify` finds a difference
 */
export async function freezeSession<C extends { session: Session }>(
  options: FreezeOptions,
  { metaGraph, placed }: Parsed,
  make: (edits: GraphEdits | undefined, restores: boolean) => Promise<C>,
): Promise<C> {
  const plan = await planFreeze(placed);
  if (plan.frozen.length === 0) return make(undefined, true);
  const check = async (session: Session): Promise<Record<string, Tensor>> => {
    const call = makePlan(signaturesOf(metaGraph), options.signature, undefined);
    const inputs = toInputs(call, options.verify!);
    return runCall(boundTo(session, call), inputs, {}, true, (tensors) => byName(call, tensors));
  };
  const source = (await make({ added: plan.added }, true)).session;
  let expected: Record<string, Tensor> | undefined;
  let values: Tensor[];
  try {
    values = await readValues(source, plan);
    if (options.verify !== undefined) expected = await check(source);
  } finally {
    await source.close();
  }
  const served = new Set(servedOps(metaGraph));
  const edits = await freezeChanges(
    placed,
    plan,
    values,
    ({ function: scope, name }) => scope === '' && served.has(name),
  );
  values = []; // they are the edits' alone from here on
  const created = await make(edits, plan.kept.length > 0);
  if (expected === undefined) return created;
  try {
    checkOutputs(expected, await check(created.session), options);
    return created;
  } catch (error) {
    await created.session.close();
    throw error;
  }
}

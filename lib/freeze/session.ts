/**
 * A frozen session. The values come out of the checkpoint, or from a session with variables, which is made, asked and closed
 * before the one without is made.
 */

import { join } from 'node:path';
import type { Parsed } from '../model-sessions.js';
import type { GraphEdits } from '../placed-graph.js';
import type { ModelNode } from '../placement/model-graph.js';
import { Slices } from '../placement/slices.js';
import { boundTo } from '../prepared-call.js';
import { runCall } from '../run.js';
import { localPath } from '../saved-model/directory.js';
import { initOp, servedOps } from '../saved-model/restore.js';
import { signaturesOf } from '../saved-model/signatures.js';
import type { Session } from '../session.js';
import { byName, makePlan, toInputs } from '../signature-plan.js';
import type { Tensor } from '../tensor.js';
import { valuesOfCheckpoint } from './checkpoint-values.js';
import { freezeChanges, planFreeze, reading } from './freeze.js';
import { checkOutputs, type FreezeOptions } from './options.js';
import type { Value } from './value.js';
import type { Found } from './variables.js';

/**
 * @param make Makes a session of the graph with these edits, restored or only initialised.
 * @throws TensorFlowError RESOURCE_EXHAUSTED above 2 GiB; FAILED_PRECONDITION where `verify` finds a difference
 */
export async function freezeSession<C extends { session: Session }>(
  options: FreezeOptions,
  directory: string,
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
  let expected: Record<string, Tensor> | undefined;
  let values: readonly Value[] | undefined =
    options.verify === undefined ? await savedValues(directory, metaGraph, placed, plan) : undefined;
  if (values === undefined) {
    const { added, fetches } = reading(plan.frozen);
    const source = (await make({ added }, true)).session;
    try {
      values = await source.run(fetches, {}, { executor: 'pool' });
      if (options.verify !== undefined) expected = await check(source);
    } finally {
      await source.close();
    }
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

/** The values out of the checkpoint; undefined where they cannot all be told from it. */
async function savedValues(
  directory: string,
  metaGraph: Parsed['metaGraph'],
  placed: Parsed['placed'],
  { frozen }: Found,
): Promise<Value[] | undefined> {
  const init = initOp(metaGraph);
  const initialised = init === undefined ? undefined : await placed.reachedFrom([init]);
  const isInitialised = ({ index }: ModelNode) => initialised?.isUsed(index) === true;
  const prefix = join(localPath(directory) ?? directory, 'variables', 'variables');
  return valuesOfCheckpoint(await placed.graph(), frozen, prefix, isInitialised, new Slices());
}

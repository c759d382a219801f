/**
 * A frozen session. The values come out of the checkpoint, or from a session with variables, which is made, asked and closed
 * before the one without is made.
 */

import { isOlder } from '../minor-version.js';
import type { GraphEdits } from '../placed-graph.js';
import { runCall } from '../run.js';
import { tensorflow } from '../runtime/tensorflow.js';
import { checkpointPrefix } from '../saved-model/directory.js';
import { housekeepingOps, initOp, servedOps } from '../saved-model/restore.js';
import { signaturesOf } from '../saved-model/signatures.js';
import type { Session } from '../session.js';
import type { Parsed } from '../session-maker.js';
import { byName, makePlan, toInputs } from '../signature-plan.js';
import type { Tensor } from '../tensor.js';
import { boundTo } from '../version-call.js';
import { withHeld } from './node-pack.js';
import { checkOutputs, type FreezeOptions } from './options.js';
import type { FreezeJob, FreezePlan } from './plan.js';
import { planAside } from './plan-aside.js';
import { type HeldValue, SMALL } from './value.js';

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
  const check = async (session: Session): Promise<Record<string, Tensor>> => {
    const call = makePlan(signaturesOf(metaGraph), options.signature, undefined);
    const inputs = toInputs(call, options.verify!);
    return runCall(boundTo(session, call, inputs), inputs, {}, true, (tensors) => byName(call, tensors));
  };
  let held: readonly Tensor[] = [];
  let expected: Record<string, Tensor> | undefined;
  const planned = await planAside(
    jobOf(directory, metaGraph, placed, options),
    async ({ added, fetches }) => {
      const source = (await make({ added: withHeld(added, []) }, true)).session;
      try {
        held = await source.run(fetches, {}, { executor: 'pool' });
        if (options.verify !== undefined) expected = await check(source);
      } finally {
        await source.close();
      }
      return held.map(heldValue);
    },
  );
  if (planned === undefined) return make(undefined, true);
  const edits = editsOf(planned, held);
  held = []; // they are the edits' alone from here on
  const created = await make(edits, planned.keepsVariables);
  if (expected === undefined) return created;
  try {
    checkOutputs(expected, await check(created.session), options);
    return created;
  } catch (error) {
    await created.session.close();
    throw error;
  }
}

function jobOf(
  directory: string,
  metaGraph: Parsed['metaGraph'],
  { graphDef }: Parsed['placed'],
  { verify }: FreezeOptions,
): FreezeJob {
  return {
    graphDef,
    served: servedOps(metaGraph),
    housekeeping: housekeepingOps(metaGraph),
    init: initOp(metaGraph),
    // A session of the whole model is needed for what should come out: then that is asked for the values, too.
    prefix: verify === undefined ? checkpointPrefix(directory) : undefined,
    hasEnsureShape: !isOlder(tensorflow.version, '1.12'),
  };
}

function editsOf({ changes }: FreezePlan, held: readonly Tensor[]): GraphEdits {
  return {
    replaced: withHeld(changes.replaced, held),
    copies: changes.copies.map(([of, name, nodes]) => [of, name, withHeld(nodes, held)]),
  };
}

/** What the plan has to know of a fetched value. */
function heldValue({ dtype, shape, data }: Tensor, held: number): HeldValue {
  const isSmall = data instanceof Float32Array && data.byteLength <= SMALL;
  return { dtype, shape, held, ...(isSmall && { data: data.slice() }) };
}

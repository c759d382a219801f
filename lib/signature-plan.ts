/** A signature made ready for runs: which tensors to feed and fetch, and what goes under which name. */
import type { Bound } from './bound.js';
import { didYouMean, TensorFlowError } from './errors.js';
import { type TensorLike, toInput } from './inputs.js';
import { invalidOption } from './options.js';
import { findSignature, type Signature, type Signatures, type TensorInfo } from './saved-model/signatures.js';
import type { Session } from './session.js';
import type { Tensor } from './tensor.js';

/** A signature with its chosen outputs. */
export interface Plan {
  inputs: readonly (readonly [key: string, info: TensorInfo, label: string])[];
  outputs: readonly string[];
  feeds: readonly string[];
  fetches: readonly string[];
  /** Looked up in the graph of each session. */
  bound: WeakMap<Session, Bound>;
}

/**
 * @param name Default: `serving_default`, else the only one.
 * @param chosen The outputs to compute. Default: all.
 * @throws TensorFlowError INVALID_ARGUMENT naming a wrong signature or output with what there is
 */
export function makePlan(
  signatures: Signatures,
  name: string | undefined,
  chosen: readonly string[] | undefined,
): Plan {
  const [found, signature] = findSignature(signatures, name);
  const outputs = chooseOutputs(found, signature, chosen);
  const inputs = Object.entries(signature.inputs).map(
    ([input, info]) => [input, info, `input "${input}" of signature "${found}"`] as const,
  );
  return {
    inputs,
    outputs,
    feeds: inputs.map(([, info]) => info.name),
    fetches: outputs.map((output) => signature.outputs[output]!.name),
    bound: new WeakMap(),
  };
}

function chooseOutputs(name: string, signature: Signature, chosen: readonly string[] | undefined): string[] {
  const all = Object.keys(signature.outputs);
  if (chosen === undefined) return all;
  if (chosen.length === 0)
    throw invalidOption('outputs is empty: name at least one output, or leave it out for all.');
  for (const output of chosen) {
    if (all.includes(output)) continue;
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The signature "${name}" has no output "${output}".${didYouMean(output, all)} It has: ${all.join(', ')}.`,
    );
  }
  return [...new Set(chosen)];
}

/** Inputs in the plan's order; a missing or an unknown name is an error that lists the names. */
export function toInputs(plan: Plan, inputs: Readonly<Record<string, TensorLike>>): Tensor[] {
  if (typeof inputs !== 'object' || inputs === null) {
    throw new TensorFlowError('INVALID_ARGUMENT', 'The inputs must be an object of values by input name.');
  }
  const tensors = plan.inputs.map(([name, info, label]) => {
    if (!Object.hasOwn(inputs, name)) {
      checkNames(plan, inputs);
      throw new TensorFlowError('INVALID_ARGUMENT', `The ${label} is missing.${listInputs(plan)}`);
    }
    return toInput(inputs[name]!, info, label);
  });
  if (Object.keys(inputs).length > tensors.length) checkNames(plan, inputs);
  return tensors;
}

/** Throws where a name is none of the signature's. */
function checkNames(plan: Plan, inputs: object): void {
  const known = plan.inputs.map(([name]) => name);
  const unknown = Object.keys(inputs).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TensorFlowError(
    'INVALID_ARGUMENT',
    `There is no input "${unknown}".${didYouMean(unknown, known)}${listInputs(plan)}`,
  );
}

function listInputs(plan: Plan): string {
  if (plan.inputs.length === 0) return ' The signature takes no inputs.';
  return ` The signature takes: ${plan.inputs.map(([name]) => name).join(', ')}.`;
}

/** Outputs by their names in the signature. */
export function byName(plan: Plan, tensors: readonly Tensor[]): Record<string, Tensor> {
  const outputs: Record<string, Tensor> = {};
  for (let i = 0; i < plan.outputs.length; i++) outputs[plan.outputs[i]!] = tensors[i]!;
  return outputs;
}

/** Inputs of a run from the command line: `--input K=VALUE`, and zeros for those left out. */
import { basename } from 'node:path';
import { type DataOf, type DType, dtypeInfo } from '../../dtype.js';
import { didYouMean, TensorFlowError } from '../../errors.js';
import { formatSpec } from '../../inputs.js';
import type { Signature, TensorInfo } from '../../saved-model/signatures.js';
import { Tensor } from '../../tensor.js';
import { valueFromJson } from '../../tensor-json.js';
import { elementCount } from '../../tensor-shape.js';
import { readJsonFile, readOptionFile } from '../arguments/json-file.js';
import { UsageError } from '../arguments/usage-error.js';
import { formatShape } from '../output/text.js';
import { type NpyArray, readNpy } from './npy.js';
import { tensorFromNpy } from './npy-tensor.js';

/** What was given for an input, not yet the tensor that the signature says. */
export type GivenInput = { kind: 'json'; value: unknown } | { kind: 'npy'; array: NpyArray; file: string };

/**
 * Reads the values of `--input`, files included.
 *
 * @throws UsageError for what is no `K=VALUE`, a name given twice, and a value or a file that cannot be read
 */
export async function readInputs(options: readonly string[]): Promise<Map<string, GivenInput>> {
  const inputs = new Map<string, GivenInput>();
  for (const option of options) {
    const at = option.indexOf('=');
    if (at < 1) {
      throw new UsageError(`--input ${JSON.stringify(option)} is not of the form NAME=VALUE.`);
    }
    const name = option.slice(0, at);
    if (inputs.has(name)) throw new UsageError(`--input ${name} is given twice.`);
    inputs.set(name, await readValue(name, option.slice(at + 1)));
  }
  return inputs;
}

async function readValue(name: string, value: string): Promise<GivenInput> {
  const option = `--input ${name}`;
  if (value.endsWith('.json')) return { kind: 'json', value: await readJsonFile(value, option) };
  if (value.endsWith('.npy')) {
    const bytes = await readOptionFile(value, option);
    try {
      return { kind: 'npy', array: readNpy(bytes, value), file: value };
    } catch (error) {
      throw new UsageError(`${option}: ${(error as Error).message}`, { cause: error });
    }
  }
  try {
    return { kind: 'json', value: JSON.parse(value) };
  } catch (error) {
    throw new UsageError(
      `${option}: the value is neither JSON nor a path that ends in .npy or .json ` +
        `(${(error as Error).message}). A string is written '"text"'.`,
      { cause: error },
    );
  }
}

/**
 * A tensor for every input of a signature. `note` is told what was converted and what was filled with zeros.
 *
 * @throws TensorFlowError INVALID_ARGUMENT for a name that the signature does not have and values that do not fit
 */
export function makeInputs(
  given: ReadonlyMap<string, GivenInput>,
  signatureName: string,
  signature: Signature,
  note: (text: string) => void,
): Record<string, Tensor> {
  const names = Object.keys(signature.inputs);
  for (const name of given.keys()) {
    if (names.includes(name)) continue;
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The signature "${signatureName}" has no input "${name}".${didYouMean(name, names)} It has: ` +
        `${names.length === 0 ? 'none' : names.join(', ')}.`,
    );
  }
  const entries = Object.entries(signature.inputs).map(([name, info]) => {
    const value = given.get(name);
    const tensor = value === undefined ? zeros(name, info, note) : toTensor(name, value, info, note);
    return [name, tensor] as const;
  });
  return Object.fromEntries(entries);
}

function toTensor(name: string, given: GivenInput, info: TensorInfo, note: (text: string) => void): Tensor {
  try {
    if (given.kind === 'json') return valueFromJson(given.value, info);
    const { tensor, note: converted } = tensorFromNpy(given.array, info);
    if (converted !== undefined) note(`note: input ${name}: ${basename(given.file)} ${converted}.`);
    return tensor;
  } catch (error) {
    if (!(error instanceof TensorFlowError)) throw error;
    throw new TensorFlowError(
      error.code,
      `The input "${name}" takes ${formatSpec(info.dtype, info.shape)}. ${error.message}`,
      { cause: error },
    );
  }
}

/** Zeros, or empty strings, of the signature's shape, unknown dimensions 1. */
function zeros(name: string, info: TensorInfo, note: (text: string) => void): Tensor {
  const { array, width } = dtypeInfo(info.dtype);
  if (array === undefined && info.dtype !== 'string') {
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The input "${name}" is a ${info.dtype}, a handle that cannot be given from outside.`,
    );
  }
  const shape = (info.shape ?? []).map((size) => (size === -1 ? 1 : size));
  const count = elementCount(shape);
  const data = array === undefined ? new Array<string>(count).fill('') : new array(count * width);
  const what = info.dtype === 'string' ? 'empty strings' : 'zeros';
  note(`note: input ${name} was left out: filled with ${what}, ${info.dtype} ${formatShape(shape)}.`);
  return Tensor.wrap(info.dtype, shape, data as DataOf<DType>);
}

/** What `bench` and `tune` measure: a model, the options it was asked for with, and inputs; nothing is loaded here. */
import type { Candidate, SentTensor } from '../../bench/job.js';
import { checkLoad } from '../../load-options.js';
import { decodeMetaGraph, readMetaGraphBytes } from '../../saved-model/reader.js';
import { findSignature, type Signature, signaturesOf } from '../../saved-model/signatures.js';
import { checkFolder, checkVersion, findModel } from '../../saved-model/versions.js';
import type { Tensor } from '../../tensor.js';
import { makeInputs, readInputs } from '../inputs/inputs.js';
import { randomLike } from '../inputs/random.js';
import type { Output } from '../output/output.js';
import { type ModelFlags, readLoadOptions } from './model-options.js';

/** The candidate that the options describe, and the signature that it runs. `fillsAtRandom`: inputs that are left out, not with zeros. */
export async function prepareCandidate(
  folder: string,
  flags: ModelFlags,
  output: Output,
  fillsAtRandom = false,
): Promise<{ candidate: Candidate; signature: Signature }> {
  const given = await readInputs(flags.input ?? []);
  const { directory, options } = await findCandidate(folder, flags);
  const metaGraph = decodeMetaGraph(await readMetaGraphBytes(directory, options.tags ?? ['serve']));
  const [name, signature] = findSignature(signaturesOf(metaGraph), flags.signature);
  const inputs = makeInputs(given, name, signature, (text) => {
    output.note(fillsAtRandom ? text.replace(/filled with (zeros|empty strings)/, 'filled at random') : text);
  });
  if (fillsAtRandom) {
    for (const [key, tensor] of Object.entries(inputs)) if (!given.has(key)) inputs[key] = randomLike(tensor);
  }
  return {
    candidate: { directory, options, run: { signature: name, device: flags.device }, inputs: sent(inputs) },
    signature,
  };
}

/** The SavedModel that is meant, of a folder with versions one of them; and the options that the flags ask for, checked. */
export async function findCandidate(
  folder: string,
  flags: ModelFlags,
): Promise<Pick<Candidate, 'directory' | 'options'>> {
  const { version, ...options } = await readLoadOptions(folder, flags);
  checkLoad({ version, ...options });
  const found = await findModel(folder, checkVersion(version));
  await checkFolder(found);
  return { directory: found.directory, options };
}

function sent(inputs: Readonly<Record<string, Tensor>>): Record<string, SentTensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data }]),
  );
}

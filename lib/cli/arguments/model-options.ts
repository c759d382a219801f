/** The options with which commands load and run a model. */
import type { Command } from 'commander';
import { type ConfigProtoJson, encodeConfig } from '../../config.js';
import { tensorflow } from '../../runtime/tensorflow.js';
import { checkDirectory } from '../../saved-model/directory.js';
import { readTagSets } from '../../saved-model/reader.js';
import { findSignature } from '../../saved-model/signatures.js';
import { type LoadOptions, SavedModel } from '../../saved-model.js';
import type { Tensor } from '../../tensor.js';
import { makeInputs, readInputs } from '../inputs/inputs.js';
import type { Output } from '../output/output.js';
import { addCommonOptions, type CommonOptions, collect, parseTags } from './common.js';
import { readJsonObject } from './json-file.js';
import { defaultTags } from './tags.js';

export interface ModelFlags extends CommonOptions {
  input?: string[];
  signature?: string;
  tags?: string[];
  config?: string;
  options?: string;
}

/** Help on the options below. */
export const MODEL_HELP = `
VALUE of --input is inline JSON (nested arrays, or what the command itself prints: { "dtype", "shape", "data" }), or a
path ending in .npy or .json. An input that is left out is filled with zeros of the signature's shape, unknown
dimensions 1.`;

export function addModelOptions(command: Command): Command {
  command
    .argument('<DIR>', 'folder of the SavedModel')
    .option('--input <K=VALUE>', 'value of an input of the signature; may be given for each', collect)
    .option('--signature <S>', 'signature to run (default: serving_default, else the only one)')
    .option('--tags <T,…>', 'the MetaGraph with these tags (default: serve, else the only one)', parseTags)
    .option('--config <FILE>', 'ConfigProto as JSON; goes before the `config` of --options')
    .option('--options <FILE>', 'options of SavedModel.load as JSON');
  return addCommonOptions(command);
}

/** A model that is ready to run. */
export interface PreparedModel {
  model: SavedModel;
  signature: string;
  inputs: Record<string, Tensor>;
  /** Milliseconds of the load alone, libtensorflow open already. */
  loadMs: number;
}

/** Reads the options, opens libtensorflow, loads the model, makes its inputs. The caller closes the model. */
export async function prepareModel(
  directory: string,
  flags: ModelFlags,
  output: Output,
): Promise<PreparedModel> {
  const given = await readInputs(flags.input ?? []);
  const options = await readLoadOptions(directory, flags);
  await checkDirectory(directory);
  output.keepStdoutClean();
  await tensorflow.open({ library: flags.library });
  const start = performance.now();
  const model = await SavedModel.load(directory, options);
  const loadMs = performance.now() - start;
  try {
    const [name, signature] = findSignature(model.signatures, flags.signature);
    const inputs = makeInputs(given, name, signature, (text) => output.note(text));
    return { model, signature: name, inputs, loadMs };
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function readLoadOptions(directory: string, flags: ModelFlags): Promise<LoadOptions> {
  const options: LoadOptions =
    flags.options === undefined ? {} : await readJsonObject(flags.options, '--options');
  if (flags.config !== undefined) {
    options.config = (await readJsonObject(flags.config, '--config')) as ConfigProtoJson;
  }
  // Before the library is opened, which takes its time.
  encodeConfig(options.config);
  const tags = flags.tags ?? options.tags ?? (await tagsOf(directory));
  if (tags !== undefined) options.tags = tags;
  return options;
}

/** Undefined where the model cannot be read here; TensorFlow may, and if not its load says why. */
async function tagsOf(directory: string): Promise<readonly string[] | undefined> {
  const metaGraphs = await readTagSets(directory).catch(() => undefined);
  return metaGraphs === undefined ? undefined : defaultTags(metaGraphs);
}

/** The options with which commands load and run a model. */
import type { Command } from 'commander';
import { checkCluster } from '../../cluster/options.js';
import type { ClusterSpec } from '../../cluster/spec.js';
import type { ConfigProtoJson } from '../../config.js';
import { checkExtensions } from '../../extensions/extensions.js';
import type { LoadOptions } from '../../load-options.js';
import { checkPlacement, checkRunDevice } from '../../placed-graph.js';
import { compileRules, type PlacementRule } from '../../placement/rules.js';
import { readTagSets } from '../../saved-model/reader.js';
import { findSignature } from '../../saved-model/signatures.js';
import { checkFolder, checkVersion, findModel } from '../../saved-model/versions.js';
import { SavedModel } from '../../saved-model.js';
import type { Tensor } from '../../tensor.js';
import { makeInputs, readInputs } from '../inputs/inputs.js';
import { openLibrary } from '../open-library.js';
import type { Output } from '../output/output.js';
import { addCommonOptions, type CommonOptions, collect, parseTags } from './common.js';
import { readJsonFile, readJsonObject } from './json-file.js';
import { defaultTags } from './tags.js';

export interface ModelFlags extends CommonOptions {
  input?: string[];
  signature?: string;
  tags?: string[];
  config?: string;
  options?: string;
  rules?: string;
  device?: string;
  exact?: boolean;
  freeze?: boolean;
  clearDevices?: boolean;
  opLibrary?: string[];
  target?: string;
  cluster?: string;
  replica?: string[];
}

/** Help on the options below. */
export const MODEL_HELP = `
VALUE of --input is inline JSON (nested arrays, or what the command itself prints: { "dtype", "shape", "data" }), or a
path ending in .npy or .json. An input that is left out is filled with zeros of the signature's shape, unknown
dimensions 1.

A rule is { "op", "type", "scope", "function", "device", "optional" }, with at least one of the first four; the first
rule that matches decides. Names are exact, globs (* within a scope, ** across scopes) or { "regex": "…" }.`;

export function addModelOptions(command: Command): Command {
  command
    .argument(
      '<DIR>',
      'folder of the SavedModel, or of versions of it (1/, 2/, …), of which the newest is taken',
    )
    .option('--input <K=VALUE>', 'value of an input of the signature; may be given for each', collect)
    .option('--signature <S>', 'signature to run (default: serving_default, else the only one)')
    .option('--tags <T,…>', 'the MetaGraph with these tags (default: serve, else the only one)', parseTags)
    .option('--config <FILE>', 'ConfigProto as JSON; goes before the `config` of --options')
    .option('--options <FILE>', 'options of SavedModel.load as JSON')
    .option(
      '--rules <FILE>',
      'array of rules that place ops, as JSON; goes before the `placement` of --options',
    )
    .option('--device <D>', 'where ops run that have neither a rule nor a saved device: /CPU:0, /GPU:1')
    .option('--exact', 'each op where it was asked to run, or an error before the run')
    .option('--freeze', 'variables that no signature assigns become constants: a longer load, faster runs')
    .option('--clear-devices', 'forget the devices saved in the model first')
    .option(
      '--op-library <PATH>',
      'shared object with ops that TensorFlow does not have; may be given for each',
      collect,
    )
    .option('--target <URL>', 'task of a cluster to run on: grpc://host:port, or with --cluster its name')
    .option('--cluster <FILE>', 'addresses of the cluster, as JSON: the file that its workers were given')
    .option(
      '--replica <TASK>',
      'task that gets a copy of the model: /job:worker/task:0; may be given for each',
      collect,
    );
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
  await checkFolder(await findModel(directory, checkVersion(options.version)));
  output.keepStdoutClean();
  await openLibrary(flags.library, output);
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

/** What `load` is to be given. Reads files, opens no libtensorflow. */
export async function readLoadOptions(directory: string, flags: ModelFlags): Promise<LoadOptions> {
  const options: LoadOptions =
    flags.options === undefined ? {} : await readJsonObject(flags.options, '--options');
  if (flags.config !== undefined) {
    options.config = (await readJsonObject(flags.config, '--config')) as ConfigProtoJson;
  }
  if (flags.rules !== undefined) options.placement = await readRules(flags.rules);
  if (flags.exact === true) options.exact = true;
  if (flags.freeze === true) options.freeze ||= true;
  if (flags.clearDevices === true) options.clearDevices = true;
  if (flags.target !== undefined) options.target = flags.target;
  if (flags.cluster !== undefined)
    options.cluster = (await readJsonFile(flags.cluster, '--cluster')) as ClusterSpec;
  if (flags.replica !== undefined) options.replicas = flags.replica;
  // Before the library is opened, which takes its time.
  checkCluster(options, checkPlacement(options));
  checkExtensions(options);
  if (flags.opLibrary !== undefined) {
    options.opLibraries = [...(options.opLibraries ?? []), ...flags.opLibrary];
  }
  const device = checkRunDevice(flags.device);
  const devices = options.devices ?? [];
  // Prepared by the load, so that the run is timed alone. What is no array the load refuses.
  if (device !== undefined && Array.isArray(devices)) options.devices = [...new Set([...devices, device])];
  const tags = flags.tags ?? options.tags ?? (await tagsOf(directory, options.version));
  if (tags !== undefined) options.tags = tags;
  return options;
}

async function readRules(path: string): Promise<readonly PlacementRule[]> {
  const rules = await readJsonFile(path, '--rules');
  // Their errors should name the file's option, not the one of load that it becomes.
  compileRules(rules, '--rules');
  return rules as readonly PlacementRule[];
}

/** Undefined where the model cannot be read here; TensorFlow may, and if not its load says why. */
async function tagsOf(
  folder: string,
  version: LoadOptions['version'],
): Promise<readonly string[] | undefined> {
  const { directory } = await findModel(folder, checkVersion(version));
  const metaGraphs = await readTagSets(directory).catch(() => undefined);
  return metaGraphs === undefined ? undefined : defaultTags(metaGraphs);
}

/** `tf-session show`: what is in a SavedModel. Needs neither libtensorflow nor the addon. */

import type { Command } from 'commander';
import { didYouMean, TensorFlowError } from '../errors.js';
import { counted } from '../format.js';
import { deviceMatches, parseDevice } from '../placement/device.js';
import { compileGlob, isGlob } from '../placement/glob.js';
import { decodeMetaGraph, graphDefOf, readMetaGraphBytes, readTagSets } from '../saved-model/reader.js';
import { signaturesOf } from '../saved-model/signatures.js';
import { findModel } from '../saved-model/versions.js';
import { addCommonOptions, type CommonOptions, parseTags } from './arguments/common.js';
import { defaultTags } from './arguments/tags.js';
import { Output } from './output/output.js';
import { type GraphListing, type GraphOp, listGraph } from './show/graph-ops.js';
import { dotText, opLines } from './show/graph-text.js';
import { assetsOf, type ModelListing } from './show/show-model.js';
import { describeModel } from './show/show-text.js';
import { changesOf, resourcesOf, variablesOf } from './show/variables.js';

interface ShowFlags extends CommonOptions {
  tags?: string[];
  ops?: boolean;
  function?: string;
  device?: string;
  graph?: boolean;
}

const HELP = `
Nothing is loaded or run, and no libtensorflow is needed.

Examples:
  $ tf-session show path/to/saved_model
  $ tf-session show path/to/saved_model --tags serve,gpu --json
  $ tf-session show path/to/saved_model --ops --function '**encoder**' --device /GPU:0
  $ tf-session show path/to/saved_model --graph --function __inference_dense_26 | dot -Tsvg > dense.svg

--function and --device choose ops: by the function in whose body they stand (a name or a glob, "" for the main graph), and by
the device that they are saved with ("" for none). Ops that read or write files, call Python or change what later runs see are marked.

With --json: { metaGraphs: [[TAG…]…], tags, signatures: { S: { inputs: { K: { name, dtype, shape } }, outputs } },
ops: [{ name, type, function, device }], variables: [{ name, dtype, shape, bytes }], changes: { S: [TYPE…] } }, with --graph also
{ dot: TEXT }; ops are those chosen, changes what of each signature changes what later runs see; -1 is a dimension of any size, a shape of null any rank, and a function of
"" the main graph.`;

export function addShow(program: Command): void {
  const command = program
    .command('show')
    .description('Show what is in a SavedModel: tags, signatures, assets, functions, ops.')
    .argument(
      '<DIR>',
      'folder of the SavedModel, or of versions of it (1/, 2/, …), of which the newest is taken',
    )
    .option('--tags <T,…>', 'the MetaGraph with these tags (default: serve, else the only one)', parseTags)
    .option('--ops', 'list the ops one by one')
    .option('--function <F>', 'only ops of this function: a name, a glob, or "" for the main graph')
    .option('--device <D>', 'only ops that are saved with this device; "" for none')
    .option('--graph', 'print the graph in DOT, for Graphviz')
    .addHelpText('after', HELP)
    .action(runShow);
  addCommonOptions(command);
}

async function runShow(folder: string, flags: ShowFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const { directory } = await findModel(folder);
  const metaGraphs = await readTagSets(directory);
  const tags = flags.tags ?? defaultTags(metaGraphs);
  const bytes = await readMetaGraphBytes(directory, tags);
  const metaGraph = decodeMetaGraph(bytes);
  const listing = listGraph(bytes);
  const signatures = signaturesOf(metaGraph);
  const isChosen = choose(flags, listing);
  const ops = listing.ops.filter(isChosen);
  const model: ModelListing = {
    directory,
    metaGraphs,
    tags: [...(metaGraph.metaInfoDef?.tags ?? tags)],
    tensorflowVersion: metaGraph.metaInfoDef?.tensorflowVersion ?? '',
    signatures,
    assets: assetsOf(metaGraph),
    variables: variablesOf(listing),
    resources: resourcesOf(listing),
    changes: await changesOf(listing, graphDefOf(bytes), signatures),
    ...listing,
  };
  const dot = flags.graph === true ? dotText(listing, isChosen) : undefined;
  const isList = flags.ops === true || flags.function !== undefined || flags.device !== undefined;
  if (dot !== undefined) output.lines(dot);
  else if (isList) output.lines(...opLines(ops), '', counted(ops.length, 'op'));
  else output.lines(...describeModel(model));
  output.json({
    metaGraphs,
    tags: model.tags,
    signatures: Object.fromEntries(
      Object.entries(signatures).map(([name, { inputs, outputs }]) => [name, { inputs, outputs }]),
    ),
    ops,
    variables: model.variables,
    changes: model.changes,
    ...(dot === undefined ? {} : { dot }),
  });
}

/** Which ops are meant. Names that mean none are an error. */
function choose(
  { function: name, device }: ShowFlags,
  { ops, functions }: GraphListing,
): (op: GraphOp) => boolean {
  const wanted = name === undefined ? undefined : isGlob(name) ? compileGlob(name) : undefined;
  const inFunction = (own: string) => (name === undefined ? true : (wanted?.(own) ?? own === name));
  if (name !== undefined && name !== '' && !functions.some((each) => inFunction(each.name))) {
    const names = functions.map((each) => each.name);
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `--function: the model has no function ${JSON.stringify(name)}.${didYouMean(name, names)}`,
    );
  }
  if (device !== undefined && device !== '') parseDevice(device, '--device');
  const onDevice = (saved: string) =>
    device === undefined || (device === '' ? saved === '' : saved !== '' && deviceMatches(device, saved));
  const isChosen = (op: GraphOp) => inFunction(op.function) && onDevice(op.device);
  if (device !== undefined && !ops.some(isChosen)) {
    const saved = [...new Set(ops.map((op) => op.device))].map((each) => (each === '' ? 'none' : each));
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `--device: no such op is saved with ${device === '' ? 'no device' : device}. There are: ${saved.join(', ')}.`,
    );
  }
  return isChosen;
}

/** `tf-session show`: what is in a SavedModel. Needs neither libtensorflow nor the addon. */
import type { Command } from 'commander';
import { decodeMetaGraph, readMetaGraphBytes, readTagSets } from '../saved-model/reader.js';
import { signaturesOf } from '../saved-model/signatures.js';
import { addCommonOptions, type CommonOptions, parseTags } from './arguments/common.js';
import { defaultTags } from './arguments/tags.js';
import { Output } from './output/output.js';
import { listGraph } from './show/graph-ops.js';
import { assetsOf, type ModelListing } from './show/show-model.js';
import { describeModel } from './show/show-text.js';

interface ShowFlags extends CommonOptions {
  tags?: string[];
}

const HELP = `
Nothing is loaded or run, and no libtensorflow is needed.

Examples:
  $ tf-session show path/to/saved_model
  $ tf-session show path/to/saved_model --tags serve,gpu --json

With --json: { metaGraphs: [[TAG…]…], tags, signatures: { S: { inputs: { K: { name, dtype, shape } }, outputs } },
ops: [{ name, type, function, device }] }; -1 is a dimension of any size, a shape of null any rank, and a function of
"" the main graph.`;

export function addShow(program: Command): void {
  const command = program
    .command('show')
    .description('Show what is in a SavedModel: tags, signatures, assets, functions, ops.')
    .argument('<DIR>', 'folder of the SavedModel')
    .option('--tags <T,…>', 'the MetaGraph with these tags (default: serve, else the only one)', parseTags)
    .addHelpText('after', HELP)
    .action(runShow);
  addCommonOptions(command);
}

async function runShow(directory: string, flags: ShowFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const metaGraphs = await readTagSets(directory);
  const tags = flags.tags ?? defaultTags(metaGraphs);
  const bytes = await readMetaGraphBytes(directory, tags);
  const metaGraph = decodeMetaGraph(bytes);
  const model: ModelListing = {
    directory,
    metaGraphs,
    tags: [...(metaGraph.metaInfoDef?.tags ?? tags)],
    tensorflowVersion: metaGraph.metaInfoDef?.tensorflowVersion ?? '',
    signatures: signaturesOf(metaGraph),
    assets: assetsOf(metaGraph),
    ...listGraph(bytes),
  };
  output.lines(...describeModel(model));
  output.json({
    metaGraphs,
    tags: model.tags,
    signatures: Object.fromEntries(
      Object.entries(model.signatures).map(([name, { inputs, outputs }]) => [name, { inputs, outputs }]),
    ),
    ops: model.ops,
  });
}

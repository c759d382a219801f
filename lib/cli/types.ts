/** `tf-session types`: TypeScript types of a model's signatures. Needs neither libtensorflow nor the addon. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { decodeMetaGraph, readMetaGraphBytes, readTagSets } from '../saved-model/reader.js';
import { signatureSource } from '../saved-model/signature-source.js';
import { signaturesOf } from '../saved-model/signatures.js';
import { findModel } from '../saved-model/versions.js';
import { addCommonOptions, type CommonOptions, parseTags } from './arguments/common.js';
import { defaultTags } from './arguments/tags.js';
import { UsageError } from './arguments/usage-error.js';
import { Output } from './output/output.js';
import { formatTags } from './output/text.js';

interface TypesFlags extends CommonOptions {
  tags?: string[];
  out?: string;
  check?: string;
}

const HELP = `
In a program: import type { Signatures } from './signatures.js', and SavedModel.load<Signatures>(dir): names, data types and ranks
of inputs and outputs are then checked when the program is compiled. Nothing is loaded or run.

Examples:
  $ tf-session types path/to/saved_model --out src/signatures.ts
  $ tf-session types path/to/saved_model --check src/signatures.ts

With --json: { source: TEXT, out: PATH or null }`;

export function addTypes(program: Command): void {
  const command = program
    .command('types')
    .description("Write TypeScript types of a SavedModel's signatures.")
    .argument(
      '<DIR>',
      'folder of the SavedModel, or of versions of it (1/, 2/, …), of which the newest is taken',
    )
    .option('--tags <T,…>', 'the MetaGraph with these tags (default: serve, else the only one)', parseTags)
    .option('--out <FILE>', 'where to write them (default: stdout)')
    .option('--check <FILE>', 'write nothing; exit with status 1 where the file is not what would be written')
    .addHelpText('after', HELP)
    .action(types);
  addCommonOptions(command);
}

async function types(folder: string, flags: TypesFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const { out, check } = flags;
  if (out !== undefined && check !== undefined) throw new UsageError('--out and --check exclude each other.');
  const { directory } = await findModel(folder);
  const tags = flags.tags ?? defaultTags(await readTagSets(directory));
  const metaGraph = decodeMetaGraph(await readMetaGraphBytes(directory, tags));
  const comment = `The signatures of ${basename(folder)} ${formatTags(tags)}.`;
  const source = signatureSource(signaturesOf(metaGraph), comment);
  if (check !== undefined && (await readFile(check, 'utf8')) !== source) {
    throw new Error(
      `${check} is not what the model's signatures are: tf-session types ${folder} --out ${check}`,
    );
  }
  if (out !== undefined) await writeFile(out, source);
  if (out === undefined && check === undefined) output.lines(source.trimEnd());
  output.json({ source, out: out ?? null });
}

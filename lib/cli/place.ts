/** `tf-session place`: runs a signature once, traced, and reports where its ops ran. */
import type { Command } from 'commander';
import { addModelOptions, MODEL_HELP, type ModelFlags, prepareModel } from './arguments/model-options.js';
import { Output } from './output/output.js';
import { formatTags } from './output/text.js';
import { reportText } from './place/report-text.js';
import { refusalText } from './place/requests.js';

interface PlaceFlags extends ModelFlags {
  check?: boolean;
  all?: boolean;
}

const HELP = `${MODEL_HELP}

Examples:
  $ tf-session place path/to/saved_model
  $ tf-session place path/to/saved_model --device /GPU:0 --check
  $ tf-session place path/to/saved_model --rules rules.json --input image=image.npy --json

rules.json, say: [{ "scope": "encoder", "device": "/GPU:0" }, { "type": "MatMul", "device": "/CPU:0" }]

Reasons: as requested; default (nothing was asked); soft placement: no GPU kernel; no such device; colocated with …;
resource of … (ops run where their variable is); fused into …; folded (TensorFlow needs it no more); not run.

With --json: { ops: [{ name, type, function, requested, saved, actual, reason }], transfers: [{ tensor, from, to, bytes }],
exact }; a function of "" is the main graph, an actual of null an op that did not run, and exact says whether every
request that ran, ran where it was asked. Ops that only save, restore or initialise are not listed.`;

export function addPlace(program: Command): void {
  const command = program
    .command('place')
    .description('Run a signature once, and report on which device each op ran, and why.');
  addModelOptions(command)
    .option('--check', 'exit with status 1 where an op ran elsewhere than it was asked to')
    .option('--all', 'every row of the report, not some 40 of each table')
    .addHelpText('after', HELP)
    .action(place);
}

async function place(directory: string, flags: PlaceFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const { model, signature, inputs } = await prepareModel(directory, flags, output);
  try {
    const report = await model.explain(inputs, { signature, device: flags.device });
    const width = process.stdout.isTTY ? process.stdout.columns : undefined;
    output.lines(
      `${directory} ${formatTags(model.tags)}, signature ${signature}`,
      '',
      ...reportText(report, { all: flags.all, width }),
    );
    output.json(report);
    if (flags.check !== true) return;
    if (report.ops.every(({ requested }) => requested === '')) {
      output.note(
        'note: no op was asked onto a device, so there was nothing to check: see --rules and --device.',
      );
    }
    if (!report.exact) throw new Error(refusalText(report));
  } finally {
    await model.close();
  }
}

/** `tf-session place`: runs a signature once, traced, and reports where its ops ran. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { aboutMachine } from '../page/about.js';
import type { PageData } from '../page/data.js';
import { pageHtml } from '../page/page.js';
import { placementData } from '../page/placement-data.js';
import type { PlacementReport } from '../placement/report/report.js';
import type { Trace } from '../trace/trace.js';
import { addModelOptions, MODEL_HELP, type ModelFlags, prepareModel } from './arguments/model-options.js';
import { UsageError } from './arguments/usage-error.js';
import { Output } from './output/output.js';
import { formatTags } from './output/text.js';
import { planText } from './place/plan-text.js';
import { reportText } from './place/report-text.js';
import { refusalText } from './place/requests.js';
import { triedLines, tryFirst } from './place/try.js';

interface PlaceFlags extends ModelFlags {
  check?: boolean;
  all?: boolean;
  html?: string;
  try?: boolean;
  tryRules?: string;
}

const HELP = `${MODEL_HELP}

Examples:
  $ tf-session place path/to/saved_model
  $ tf-session place path/to/saved_model --device /GPU:0 --check
  $ tf-session place path/to/saved_model --rules rules.json --input image=image.npy --json

rules.json, say: [{ "scope": "encoder", "device": "/GPU:0" }, { "type": "MatMul", "device": "/CPU:0" }]

Reasons: as requested; default (nothing was asked); soft placement: no GPU kernel; no such device; colocated with …;
resource of … (ops run where their variable is); fused into …; folded (TensorFlow needs it no more); not run.

What crosses in vain is found by moving ops in thought: each finding has rules that would end its crossings, and says what
would be left. --try loads the model once more with the rules of the first finding before yours, runs it, and says what really crosses.

With --json: { ops: [{ name, type, function, requested, saved, actual, reason }], transfers: [{ tensor, from, to, bytes }],
exact, partitions, criticalPath, lint: [{ message, from, to, tensors, bytes, predictedBytes, rules }], tried }; a function of "" is the main graph, an actual of null an op that did not run, and exact says whether every
request that ran, ran where it was asked. Ops that only save, restore or initialise are not listed.`;

export function addPlace(program: Command): void {
  const command = program
    .command('place')
    .description('Run a signature once, and report on which device each op ran, and why.');
  addModelOptions(command)
    .option('--check', 'exit with status 1 where an op ran elsewhere than it was asked to')
    .option('--html <FILE>', 'write a page with placement, transfers, plan and timeline')
    .option('--try', 'run once more with the rules of the first finding, and say what crosses then')
    .option('--try-rules <FILE>', 'with --try: write those rules, and yours behind them, for --rules')
    .option('--all', 'every row of the report, not some 40 of each table')
    .addHelpText('after', HELP)
    .action(place);
}

async function place(directory: string, flags: PlaceFlags): Promise<void> {
  const output = new Output(flags.json === true);
  if (flags.tryRules !== undefined && flags.try !== true) throw new UsageError('--try-rules needs --try.');
  const prepared = await prepareModel(directory, flags, output);
  const { model, signature, inputs } = prepared;
  const run = { signature, device: flags.device };
  let report: PlacementReport;
  let trace: Trace | undefined;
  try {
    if (flags.html === undefined) report = await model.explain(inputs, run);
    else {
      trace = await model.trace(inputs, { ...run, traceLevel: 'SOFTWARE_TRACE' });
      report = trace.report;
    }
  } finally {
    await model.close();
  }
  const tried = flags.try === true ? await tryFirst(directory, flags, prepared, report, output) : undefined;
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  const title = `${model.directory} ${formatTags(model.tags)}, signature ${signature}`;
  const text = reportText(report, { all: flags.all, width });
  output.lines(title, '', ...text, '', ...planText(report), ...triedLines(tried));
  output.json(tried === undefined ? report : { ...report, tried });
  if (flags.html !== undefined) {
    const about: PageData['about'] = [['Asked', askedText(flags)], ...aboutMachine()];
    const found = tried === undefined ? {} : { tried: new Map([[0, tried.bytes]]) };
    const data = placementData({ report, timeline: trace!, ...found });
    await writeFile(flags.html, await pageHtml({ title: 'Placement', subtitle: title, about, ...data }));
  }
  if (flags.check !== true) return;
  if (report.ops.every(({ requested }) => requested === '')) {
    output.note(
      'note: no op was asked onto a device, so there was nothing to check: see --rules and --device.',
    );
  }
  if (!report.exact) throw new Error(refusalText(report));
}

/** What was asked, as it was typed. */
function askedText({ rules, config, options, device, exact, freeze }: PlaceFlags): string {
  const files = Object.entries({ rules, config, options, device }).filter(([, value]) => value !== undefined);
  const texts = files.map(([name, value]) => `--${name} ${value}`);
  if (exact === true) texts.push('--exact');
  if (freeze === true) texts.push('--freeze');
  return texts.length === 0 ? 'nothing' : texts.join(' ');
}

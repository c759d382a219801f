/** `tf-session trace`: one run as a trace for Perfetto and chrome://tracing, and as a log for TensorBoard. */
import type { Command } from 'commander';
import type { TraceLevel } from '../explain.js';
import { counted, formatBytes } from '../format.js';
import { shortDevice } from '../placement/device.js';
import { countOption } from './arguments/count-option.js';
import { addModelOptions, MODEL_HELP, type ModelFlags, prepareModel } from './arguments/model-options.js';
import { UsageError } from './arguments/usage-error.js';
import { Output } from './output/output.js';
import { formatTags, table } from './output/text.js';
import { planText } from './place/plan-text.js';

interface TraceFlags extends ModelFlags {
  out: string;
  tensorboard?: string;
  warmUp?: string;
  level?: string;
}

const LEVELS: Readonly<Record<string, TraceLevel>> = {
  software: 'SOFTWARE_TRACE',
  hardware: 'HARDWARE_TRACE',
  full: 'FULL_TRACE',
};

const HELP = `${MODEL_HELP}

The file opens in Perfetto's viewer and in chrome://tracing: a process for each device, a row for each of its streams, arrows
for what crosses from device to device. The log opens in TensorBoard (tensorboard --logdir DIR), under Graphs: the run
"executed" with the times and memory of the trace, the run "model" with the model as it was saved; colour by device.

Examples:
  $ tf-session trace path/to/saved_model --out trace.json
  $ tf-session trace path/to/saved_model --rules rules.json --out trace.json --tensorboard logs

With --json: { events: COUNT, devices: [NAME…], transfers: COUNT, durationUs, files: [PATH…] }; events are the node executions
that TensorFlow recorded, each of them one in the file.`;

export function addTrace(program: Command): void {
  const command = program
    .command('trace')
    .description('Run a signature once, and write when each op ran, on which device, and what crossed.');
  addModelOptions(command)
    .requiredOption('--out <FILE>', "where to write the trace: JSON in Chrome's format")
    .option('--tensorboard <DIR>', 'write a log for TensorBoard into this folder as well')
    .option(
      '--warm-up <N>',
      'runs before the traced one, in which TensorFlow prepares the graph (default: 1)',
    )
    .option(
      '--level <L>',
      'what is recorded: software, hardware (the streams of GPUs) or full (default: full)',
    )
    .addHelpText('after', HELP)
    .action(trace);
}

async function trace(directory: string, flags: TraceFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const warmUp = countOption(flags.warmUp, '--warm-up', { least: 0 }) ?? 1;
  const traceLevel = levelOf(flags.level ?? 'full');
  const { model, signature, inputs } = await prepareModel(directory, flags, output);
  try {
    const found = await model.trace(inputs, { signature, device: flags.device, traceLevel, warmUp });
    await found.writeChromeTrace(flags.out);
    const logs = flags.tensorboard === undefined ? [] : await found.writeTensorBoard(flags.tensorboard);
    const { events, devices, transfers, durationUs, report } = found;
    const bytes = transfers.reduce((sum, each) => sum + each.bytes, 0);
    output.lines(
      `${model.directory} ${formatTags(model.tags)}, signature ${signature}`,
      '',
      ...table([
        ['events', `${events.length} on ${devices.map(shortDevice).join(', ')}`],
        [
          'crossed',
          transfers.length === 0
            ? 'nothing'
            : `${counted(transfers.length, 'tensor')}, ${formatBytes(bytes)}`,
        ],
        ['trace', flags.out],
        ...logs.map((file) => ['TensorBoard', file]),
      ]),
      '',
      ...planText(report),
    );
    output.json({
      events: events.length,
      devices,
      transfers: transfers.length,
      durationUs,
      files: [flags.out, ...logs],
    });
  } finally {
    await model.close();
  }
}

function levelOf(text: string): TraceLevel {
  if (Object.hasOwn(LEVELS, text)) return LEVELS[text]!;
  throw new UsageError(`--level must be software, hardware or full, not ${JSON.stringify(text)}.`);
}

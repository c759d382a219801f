/** `tf-session tune`: finds the options with which a model runs fastest on this machine, by trying them. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { checkBatchable } from '../batcher/shapes.js';
import type { Candidate } from '../bench/job.js';
import { formatUs, perSecond } from '../format.js';
import { tensorflow } from '../runtime/tensorflow.js';
import { makePlan } from '../signature-plan.js';
import { makeMeasure } from '../tune/measure.js';
import { groupsOfMoves } from '../tune/moves.js';
import { type Goal, search, type Trial } from '../tune/search.js';
import { addModelOptions, MODEL_HELP, type ModelFlags } from './arguments/model-options.js';
import { prepareCandidate } from './arguments/prepare-candidate.js';
import { UsageError } from './arguments/usage-error.js';
import { openLibrary } from './open-library.js';
import { onInterrupt } from './output/interrupt.js';
import { Output } from './output/output.js';
import { stepReporter } from './output/steps.js';
import { table } from './output/text.js';

interface TuneFlags extends ModelFlags {
  for?: string;
  tolerance?: string;
  budget?: string;
  rounds?: string;
  roundMs?: string;
  out?: string;
}

const HELP = `${MODEL_HELP} For tune the filling is random, by a fixed seed: zeros would
hide what an option does to the outputs.

Tried, each group side by side with the best so far: freezing, compute threads, the executor, bfloat16 and XLA; where there
is a GPU, devices and float16; for throughput runs in flight, copies and batches. Differences are of the first run's outputs
from those with the options as given: the largest one of an output as a share of that output's largest value.

Ctrl-C, or the end of the budget, gives the best so far.

Examples:
  $ tf-session tune path/to/saved_model --out tuned.json
  $ tf-session run path/to/saved_model --options tuned.json
  $ tf-session tune path/to/saved_model --for throughput --tolerance 1e-2 --budget 120

With --json: { for, candidates: [{ name, options, concurrency, medianUs, p99Us, perSecond, peakMemoryBytes, maxDifference,
dropped, error }], best: { name, options, medianUs, perSecond, gain } }; the first candidate is the model as it was given.`;

export function addTune(program: Command): void {
  const command = program
    .command('tune')
    .description('Find the options with which a model runs fastest on this machine, by measuring.');
  addModelOptions(command)
    .option('--for <GOAL>', 'latency or throughput (default: latency)')
    .option(
      '--tolerance <X>',
      'largest difference of an output that is allowed, as a share of its largest value (default: 1e-3)',
    )
    .option('--budget <SECONDS>', 'begin nothing new after so long (default: 600)')
    .option('--rounds <N>', 'rounds of each group (default: 5)')
    .option('--round-ms <MS>', 'length of a round (default: 500)')
    .option('--out <FILE>', 'write the best options to this file, as JSON for --options')
    .addHelpText('after', HELP)
    .action(tune);
}

async function tune(directory: string, flags: TuneFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const goal = goalOf(flags.for);
  const tolerance = positive(flags.tolerance, '--tolerance', 1e-3);
  const budget = positive(flags.budget, '--budget', 600);
  const { candidate, signature } = await prepareCandidate(directory, flags, output, true);
  if (candidate.options.target !== undefined || candidate.options.replicas !== undefined) {
    throw new UsageError(
      'tune is for this machine: leave target and replicas out, and run it where the workers are.',
    );
  }
  output.keepStdoutClean();
  await openLibrary(flags.library, output);
  const gpus = (await tensorflow.devices()).filter(({ type }) => type === 'GPU').length;
  const interrupt = onInterrupt();
  const end = performance.now() + budget * 1000;
  const steps = stepReporter('tuning');
  const groups = groupsOfMoves({ goal, gpus, isBatchable: isBatchable(candidate, signature) });
  const total = 1 + groups.reduce((sum, group) => sum + group.length, 0);
  let done = 0;
  try {
    const { best, trials, gain } = await search(candidate, groups, {
      goal,
      tolerance,
      measure: makeMeasure({
        rounds: positive(flags.rounds, '--rounds', 5),
        roundMs: positive(flags.roundMs, '--round-ms', 500),
        library: tensorflow.path,
        signal: interrupt.signal,
      }),
      isOver: () => interrupt.signal.aborted || performance.now() > end,
      onTrial: () => steps.report(++done, total),
    });
    steps.end();
    const [untuned] = trials;
    if (untuned!.outcome.result === undefined) throw untuned!.outcome.error;
    if (done < total) output.note('note: stopped before all was tried; this is the best so far.');
    const text = JSON.stringify(best.candidate.options, null, 2);
    if (flags.out !== undefined) await writeFile(flags.out, `${text}\n`);
    output.lines(
      ...table([
        ['options', 'median', 'p99', 'rows/s', 'memory', 'difference', ''],
        ...trials.map((trial) => row(trial, trial === best)),
      ]),
      '',
      `best for ${goal}: ${best.name}${gain > 1 ? `, ${gain.toFixed(2)} times as fast as the model as given` : ''}`,
      ...(best.candidate.batches ? ['run it by model.batcher(), with single rows'] : []),
      ...(flags.out === undefined
        ? [text]
        : [`written to ${flags.out}: load it with --options ${flags.out}`]),
    );
    output.json({
      for: goal,
      candidates: trials.map(toJson),
      best: { ...toJson(best), gain: Number.isNaN(gain) ? null : gain },
    });
  } finally {
    steps.end();
    interrupt.stop();
  }
}

function row(
  { name, outcome: { result, error }, maxDifference, dropped }: Trial,
  isBest: boolean,
): (string | number)[] {
  if (result === undefined) return [name, 'failed', '', '', '', '', error!.message.split('\n')[0]!];
  return [
    name,
    formatUs(result.medianUs),
    formatUs(result.p99Us),
    perSecond(result.perSecond),
    `${Math.round(result.peakMemoryBytes / 2 ** 20)} MB`,
    maxDifference === undefined ? '' : maxDifference === 0 ? '0' : maxDifference.toExponential(1),
    isBest ? 'best' : dropped === undefined ? '' : 'dropped',
  ];
}

function toJson({ name, candidate, outcome: { result, error }, maxDifference, dropped }: Trial): object {
  return {
    name,
    options: candidate.options,
    concurrency: candidate.concurrency ?? 1,
    ...result,
    maxDifference: maxDifference !== undefined && Number.isFinite(maxDifference) ? maxDifference : null,
    dropped,
    error: error?.message,
  };
}

function isBatchable({ run }: Candidate, signature: Parameters<typeof checkBatchable>[1]): boolean {
  try {
    checkBatchable(makePlan({ [run.signature!]: signature }, run.signature, undefined), signature);
    return true;
  } catch {
    return false;
  }
}

function goalOf(text = 'latency'): Goal {
  if (text === 'latency' || text === 'throughput') return text;
  throw new UsageError(`--for must be latency or throughput, not ${JSON.stringify(text)}.`);
}

function positive(text: string | undefined, option: string, byDefault: number): number {
  const value = text === undefined ? byDefault : Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UsageError(`${option} must be a number above 0, not ${JSON.stringify(text)}.`);
}

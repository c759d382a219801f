/** `tf-session bench`: CPU against GPU, or any devices, batches and numbers of runs in flight, side by side. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { compare, type Outcome } from '../bench/compare.js';
import type { Candidate } from '../bench/job.js';
import { TensorFlowError } from '../errors.js';
import { tensorflow } from '../runtime/tensorflow.js';
import { collect } from './arguments/common.js';
import { countOption } from './arguments/count-option.js';
import { addModelOptions, MODEL_HELP, type ModelFlags } from './arguments/model-options.js';
import { prepareCandidate } from './arguments/prepare-candidate.js';
import { benchPage } from './bench/page.js';
import { type BenchRow, benchTable } from './bench/table.js';
import { openLibrary } from './open-library.js';
import { onInterrupt } from './output/interrupt.js';
import { Output } from './output/output.js';
import { stepReporter } from './output/steps.js';

interface BenchFlags extends Omit<ModelFlags, 'device'> {
  batch?: string[];
  concurrency?: string[];
  device?: string[];
  rounds?: string;
  roundMs?: string;
  html?: string;
}

const HELP = `${MODEL_HELP}

Each combination has a process of its own, warmed up first; they take turns in rounds, one at work at a time.

Examples:
  $ tf-session bench path/to/saved_model
  $ tf-session bench path/to/saved_model --batch 1 --batch 32 --concurrency 1 --concurrency 8
  $ tf-session bench path/to/saved_model --device /CPU:0 --device /GPU:0 --html bench.html --json

With --json: { results: [{ device, batch, concurrency, medianUs, p99Us, perSecond, spreadUs, loadMs, firstRunUs,
peakMemoryBytes, cpuPerWall, runs }] }, times in microseconds but loadMs, perSecond in rows (runs times batch), spreadUs
the least and the largest median of a round; one that failed has { device, batch, concurrency, error } instead.`;

export function addBench(program: Command): void {
  const command = program
    .command('bench')
    .description('Measure a signature: CPU against GPU or any devices, batches, runs in flight.');
  addModelOptions(command)
    .option('--batch <N>', 'rows of a run; may be given for each (default: as the inputs are)', collect)
    .option('--concurrency <N>', 'runs in flight; may be given for each (default: 1)', collect)
    .option('--rounds <N>', 'rounds of each combination (default: 5)')
    .option('--round-ms <MS>', 'length of a round (default: 500)')
    .option('--html <FILE>', 'write a page with charts')
    .addHelpText('after', HELP)
    .action(bench);
  const device = command.options.find(({ long }) => long === '--device')!;
  device.description += '; may be given for each (default: the CPU, and each GPU there is)';
  device.argParser(collect);
}

async function bench(directory: string, flags: BenchFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const batches = counts(flags.batch, '--batch');
  const concurrencies = counts(flags.concurrency, '--concurrency');
  const rounds = countOption(flags.rounds, '--rounds');
  const roundMs = countOption(flags.roundMs, '--round-ms');
  const { device: wanted, ...rest } = flags;
  const { candidate } = await prepareCandidate(directory, rest, output);
  output.keepStdoutClean();
  await openLibrary(flags.library, output);
  const devices = wanted ?? (await devicesOf(candidate));
  const rows = devices.flatMap((device) =>
    batches.flatMap((batch) => concurrencies.map((concurrency) => ({ device, batch, concurrency }))),
  );
  const candidates = rows.map(
    ({ device, batch, concurrency }): Candidate => ({
      ...candidate,
      options: { ...candidate.options, devices: device === '' ? [] : [device] },
      run: { ...candidate.run, device: device === '' ? undefined : device },
      batch,
      concurrency,
    }),
  );
  const interrupt = onInterrupt();
  const steps = stepReporter('measuring');
  let outcomes: Outcome[];
  try {
    outcomes = await compare(candidates, {
      rounds,
      roundMs,
      library: tensorflow.path,
      signal: interrupt.signal,
      onProgress: steps.report,
    });
  } finally {
    steps.end();
    interrupt.stop();
  }
  const results: BenchRow[] = rows.map((row, i) => ({
    device: row.device,
    batch: row.batch ?? rowsOf(candidate),
    concurrency: row.concurrency ?? 1,
    ...outcomes[i]!,
  }));
  if (results.every(({ result }) => result === undefined)) {
    const { error } = results[0]!;
    throw error instanceof TensorFlowError ? error : new Error(error!.message);
  }
  output.lines(
    `${directory}, signature ${candidate.run.signature}, TensorFlow ${tensorflow.version}`,
    '',
    ...benchTable(results),
  );
  output.json({
    results: results.map(({ result, error, ...row }) =>
      result === undefined ? { ...row, error: error!.message } : { ...row, ...result },
    ),
  });
  if (flags.html !== undefined) await writeFile(flags.html, benchPage(directory, results));
}

/** Rows of a run as the inputs are. */
function rowsOf({ inputs }: Candidate): number {
  return Object.values(inputs).find(({ shape }) => shape.length > 0)?.shape[0] ?? 1;
}

function counts(texts: readonly string[] | undefined, option: string): (number | undefined)[] {
  return texts === undefined ? [undefined] : texts.map((text) => countOption(text, option));
}

/** Where TensorFlow puts the ops, and each GPU beside the CPU where there are some. */
async function devicesOf({ options }: Candidate): Promise<string[]> {
  const devices = await tensorflow.devices();
  const gpus = devices.filter(({ type }) => type === 'GPU').map((_, i) => `/GPU:${i}`);
  return gpus.length === 0 || options.placement !== undefined ? [''] : ['/CPU:0', ...gpus];
}

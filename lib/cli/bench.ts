/** `tf-session bench`: CPU against GPU, or any devices, batches and numbers of runs in flight, side by side. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { compare, type Outcome } from '../bench/compare.js';
import type { Candidate } from '../bench/job.js';
import { TensorFlowError } from '../errors.js';
import { aboutMachine } from '../page/about.js';
import { pageHtml } from '../page/page.js';
import { tensorflow } from '../runtime/tensorflow.js';
import { collect } from './arguments/common.js';
import { countOption } from './arguments/count-option.js';
import { addModelOptions, MODEL_HELP, type ModelFlags } from './arguments/model-options.js';
import { findCandidate, prepareCandidate } from './arguments/prepare-candidate.js';
import { benchData } from './bench/page.js';
import { placementOf } from './bench/placement.js';
import { type BenchRow, benchTable } from './bench/table.js';
import { openLibrary } from './open-library.js';
import { onInterrupt } from './output/interrupt.js';
import { Output } from './output/output.js';
import { stepReporter } from './output/steps.js';

interface BenchFlags extends Omit<ModelFlags, 'device' | 'rules' | 'library'> {
  batch?: string[];
  concurrency?: string[];
  device?: string[];
  rules?: string[];
  library?: string[];
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
  $ tf-session bench path/to/saved_model --rules one.json --rules other.json
  $ tf-session bench path/to/saved_model --library old/lib --library new/lib

--device, --rules and --library may be given more than once: each is measured with each of the others. A rules file that
holds [] is the model as it is.

With --json: { results: [{ device, batch, concurrency, medianUs, p99Us, perSecond, spreadUs, loadMs, firstRunUs,
peakMemoryBytes, cpuPerWall, runs }] }, times in microseconds but loadMs, perSecond in rows (runs times batch), spreadUs
the least and the largest median of a round; with several rules or libraries also { rules, library }; one that failed has { device, batch, concurrency, error } instead.`;

export function addBench(program: Command): void {
  const command = program
    .command('bench')
    .description('Measure a signature: CPU against GPU or any devices, batches, runs in flight.');
  addModelOptions(command)
    .option('--batch <N>', 'rows of a run; may be given for each (default: as the inputs are)', collect)
    .option('--concurrency <N>', 'runs in flight; may be given for each (default: 1)', collect)
    .option('--rounds <N>', 'rounds of each combination (default: 5)')
    .option('--round-ms <MS>', 'length of a round (default: 500)')
    .option(
      '--html <FILE>',
      'write a page: charts, the numbers, machine and versions, and where the ops of the first ran',
    )
    .addHelpText('after', HELP)
    .action(bench);
  for (const option of command.options) {
    if (!['--device', '--rules', '--library'].includes(option.long!)) continue;
    option.argParser(collect);
    option.description +=
      option.long === '--device'
        ? '; may be given for each (default: the CPU, and each GPU there is)'
        : '; may be given for each';
  }
}

async function bench(directory: string, flags: BenchFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const batches = counts(flags.batch, '--batch');
  const concurrencies = counts(flags.concurrency, '--concurrency');
  const rounds = countOption(flags.rounds, '--rounds');
  const roundMs = countOption(flags.roundMs, '--round-ms');
  const { device: wanted, rules = [undefined], library = [undefined], ...rest } = flags;
  const first = rules[0] === undefined ? rest : { ...rest, rules: rules[0] };
  const { candidate } = await prepareCandidate(directory, first, output);
  const placements = [candidate];
  for (const file of rules.slice(1)) {
    const { options } = await findCandidate(directory, { ...rest, rules: file! });
    placements.push({ ...candidate, options });
  }
  output.keepStdoutClean();
  await openLibrary(library[0], output);
  const devices = wanted ?? (await devicesOf(candidate));
  const cases = devices.flatMap((device) =>
    placements.flatMap((placed, i) =>
      library.flatMap((path) =>
        batches.flatMap((batch) =>
          concurrencies.map((concurrency) => ({
            placed,
            row: {
              device,
              batch: batch ?? rowsOf(candidate),
              concurrency: concurrency ?? 1,
              ...(rules.length > 1 ? { rules: rules[i] } : {}),
              ...(library.length > 1 ? { library: path } : {}),
            },
            batch,
            path,
          })),
        ),
      ),
    ),
  );
  const candidates = cases.map(
    ({ placed, row: { device, concurrency }, batch, path }): Candidate => ({
      ...placed,
      options: { ...placed.options, devices: device === '' ? [] : [device] },
      run: { ...placed.run, device: device === '' ? undefined : device },
      library: library.length > 1 ? path : undefined,
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
  const results: BenchRow[] = cases.map(({ row }, i) => ({ ...row, ...outcomes[i]! }));
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
  if (flags.html !== undefined) {
    const first = results.findIndex(({ result }) => result !== undefined);
    const subtitle = `${directory}, signature ${candidate.run.signature}`;
    const measured = benchData(results);
    // Not worth the figures, if it fails.
    const placed = await placementOf(candidates[first]!).catch((error: Error) => error);
    const about: [string, string][] = [
      ['Command', process.argv.slice(2).join(' ')],
      [
        'Placement',
        placed instanceof Error
          ? `not shown: ${placed.message}`
          : `as of ${measured.results[first]!.label}, a run of its own`,
      ],
      ...aboutMachine(),
    ];
    const shown = placed instanceof Error ? {} : placed;
    await writeFile(
      flags.html,
      await pageHtml({ title: 'Measured', subtitle, about, devices: [], bench: measured, ...shown }),
    );
  }
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

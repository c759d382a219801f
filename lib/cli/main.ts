#!/usr/bin/env node
/** The command `tf-session`: reads the command line, and turns what goes wrong into one message and an exit status. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { TensorFlowError } from '../errors.js';
import { UsageError } from './arguments/usage-error.js';
import { addBench } from './bench.js';
import { addInfo } from './info.js';
import { addInstall } from './install.js';
import { watchStreams } from './output/output.js';
import { printable } from './output/text.js';
import { addPlace } from './place.js';
import { addRun } from './run.js';
import { addShow } from './show.js';
import { addTrace } from './trace.js';
import { addTune } from './tune.js';
import { addTypes } from './types.js';
import { addWorker } from './worker.js';

const FAILURE = 1;
const WRONG_USAGE = 2;
/** What shells give a command that was interrupted. */
const INTERRUPTED = 130;

function makeProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const program = new Command('tf-session')
    .description('TensorFlow for Node.js: install libtensorflow, look at SavedModels, run and place them.')
    .version(version, '-V, --version', 'print the version of tf-session')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError('Try `tf-session --help`, or `tf-session COMMAND --help`.')
    .configureOutput({
      outputError: (text, write) => write(printable(text.replace(/^error: /, 'tf-session: '))),
    })
    .exitOverride()
    .addHelpText(
      'after',
      [
        '',
        'Exit status: 0; 1 for a failure; 2 for wrong usage.',
        '',
        'Example:',
        '  $ tf-session install',
        '  $ tf-session show path/to/saved_model',
        "  $ tf-session run path/to/saved_model --input 'x=[[1, 2, 3]]'",
        '  $ tf-session place path/to/saved_model --device /GPU:0 --check',
      ].join('\n'),
    );
  for (const add of [
    addInstall,
    addInfo,
    addShow,
    addRun,
    addPlace,
    addTrace,
    addBench,
    addTune,
    addTypes,
    addWorker,
  ])
    add(program);
  return program;
}

/** Tells what went wrong, and returns the exit status for it. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    const isAsked = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    return isAsked || (error.code === 'commander.help' && error.exitCode === 0) ? 0 : WRONG_USAGE;
  }
  const isError = error instanceof Error;
  const message = isError ? error.message : String(error);
  const code = error instanceof TensorFlowError ? `${error.code}: ` : '';
  process.stderr.write(`tf-session: ${printable(code + message)}\n`);
  if (isError && error.name === 'AbortError') return INTERRUPTED;
  if (error instanceof UsageError) return WRONG_USAGE;
  return error instanceof TensorFlowError && error.code === 'INVALID_OPTION' ? WRONG_USAGE : FAILURE;
}

watchStreams();
try {
  await makeProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** `tf-session install`: fetches a libtensorflow, or takes one over, into the user's cache. */
import type { Command } from 'commander';
import { DEFAULT_VERSION, install } from '../runtime/install/install.js';
import { addCommonOptions, type CommonOptions } from './arguments/common.js';
import { Output } from './output/output.js';
import { progressReporter } from './output/progress.js';

interface InstallFlags extends CommonOptions {
  tensorflow?: string;
  from?: string;
  force?: boolean;
}

const HELP = `
Without --from it is fetched with Python's pip, which honours your index, proxy and certificates; Python itself is not
used at run time. It goes to $XDG_CACHE_HOME/tf-session, else ~/.cache/tf-session, and a checksum is compared.

Examples:
  $ tf-session install
  $ tf-session install --tensorflow 2.18.0
  $ tf-session install --from libtensorflow-cpu-linux-x86_64.tar.gz

With --json: { version, path, variant }`;

export function addInstall(program: Command): void {
  const command = program
    .command('install')
    .description('Fetch a libtensorflow, or take one over, into the cache where tf-session finds it.')
    .option('--tensorflow <X.Y.Z>', `version of TensorFlow (default: ${DEFAULT_VERSION})`)
    .option(
      '--from <FILE_OR_DIR>',
      'take this instead of fetching: a wheel, an official C archive, a folder that holds either, a library',
    )
    .option('--force', 'install again over what is there')
    .addHelpText('after', HELP)
    .action(runInstall);
  addCommonOptions(command);
}

async function runInstall(flags: InstallFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const progress = progressReporter();
  const interrupt = new AbortController();
  const onInterrupt = () =>
    interrupt.abort(new DOMException('Interrupted; nothing is left behind.', 'AbortError'));
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt);
  try {
    const installed = await install({
      ...(flags.tensorflow === undefined ? {} : { version: flags.tensorflow }),
      ...(flags.from === undefined ? {} : { from: flags.from }),
      force: flags.force === true,
      signal: interrupt.signal,
      onProgress: progress.report,
      onNote: (text) => {
        progress.end();
        output.note(`note: ${text}`);
      },
    });
    progress.end();
    const { version, path, variant } = installed;
    output.lines(`TensorFlow ${version} (${variant}) is installed:`, path);
    output.json({ version, path, variant });
  } catch (error) {
    // What was aborted rejects with a reason of its own.
    throw interrupt.signal.aborted ? interrupt.signal.reason : error;
  } finally {
    progress.end();
    process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt);
  }
}

/** `tf-session install`: fetches a libtensorflow, or takes one over, into the user's cache. */
import type { Command } from 'commander';
import { DEFAULT_VERSION, type InstallOptions } from '../runtime/install/install.js';
import { addCommonOptions, type CommonOptions } from './arguments/common.js';
import { installShown } from './install-shown.js';
import { Output } from './output/output.js';

interface InstallFlags extends CommonOptions {
  tensorflow?: string;
  gpu?: boolean;
  from?: string;
  force?: boolean;
}

const HELP = `
Without --from it is fetched with Python's pip, which honours your index, proxy and certificates; Python itself is not
used at run time. It goes to $XDG_CACHE_HOME/tf-session, else ~/.cache/tf-session, and a checksum is compared.

--gpu takes the GPU build, for Linux x64, and the CUDA libraries that it names: 3.4 GB to fetch, 5.4 GB on the disk. Of
NVIDIA's software the driver alone has to be on the system. Where there is no driver it runs on the CPU, and
\`tf-session info\` says why. With --from WHEEL the CUDA libraries are fetched for that wheel; with --from DIR they are
taken from there, if it holds their wheels too, or linked, if pip has installed them beside TensorFlow.

pip has versions from 2.12 on. Older ones come as official C archives (libtensorflow-cpu-linux-x86_64-2.11.0.tar.gz), and
so may later ones: --from takes these.

Examples:
  $ tf-session install
  $ tf-session install --gpu
  $ tf-session install --tensorflow 2.18.0
  $ tf-session install --from libtensorflow-cpu-linux-x86_64.tar.gz

With --json: { version, path, variant }, variant "cpu" or "gpu".`;

export function addInstall(program: Command): void {
  const command = program
    .command('install')
    .description('Fetch a libtensorflow, or take one over, into the cache where tf-session finds it.')
    .option('--gpu', 'the GPU build, with the CUDA libraries that it needs (Linux x64)')
    .option('--tensorflow <X.Y.Z>', `version of TensorFlow (default: ${DEFAULT_VERSION})`)
    .option(
      '--from <FILE_OR_DIR>',
      'take this instead of fetching: a wheel, an official C archive, a folder that holds either, a folder of wheels, ' +
        'a library',
    )
    .option('--force', 'install again over what is there')
    .addHelpText('after', HELP)
    .action(runInstall);
  addCommonOptions(command);
}

async function runInstall(flags: InstallFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const options: InstallOptions = { force: flags.force === true };
  if (flags.tensorflow !== undefined) options.version = flags.tensorflow;
  if (flags.gpu === true) options.variant = 'gpu';
  if (flags.from !== undefined) options.from = flags.from;
  const { version, path, variant } = await installShown(options, output);
  output.lines(`TensorFlow ${version} (${variant}) is installed:`, path);
  output.json({ version, path, variant });
}

/** `tf-session run`: runs a signature once. */
import type { Command } from 'commander';
import { tensorToJson } from '../tensor-json.js';
import { collect } from './arguments/common.js';
import { addModelOptions, MODEL_HELP, type ModelFlags, prepareModel } from './arguments/model-options.js';
import { Output } from './output/output.js';
import { TENSOR_TITLES, tensorRow } from './output/tensor-text.js';
import { formatTags, table } from './output/text.js';

interface RunFlags extends ModelFlags {
  output?: string[];
}

const HELP = `${MODEL_HELP}

Examples:
  $ tf-session run path/to/saved_model
  $ tf-session run path/to/saved_model --input 'x=[[1, 2, 3]]' --output y
  $ tf-session run path/to/saved_model --input image=image.npy --config config.json --json
  $ tf-session run path/to/saved_model --device /GPU:1 --exact
  $ tf-session run path/to/saved_model --op-library tensorflow_text/python/ops/_wordpiece_tokenizer.so

With --json: { outputs: { K: { dtype, shape, data } } }, data flat and row-major. NaN and infinities are strings, as are
64-bit integers beyond 2^53; complex numbers are [re, im]; strings that are not UTF-8 are { "base64": … }.`;

export function addRun(program: Command): void {
  const command = program.command('run').description('Run a signature of a SavedModel once.');
  addModelOptions(command)
    .option(
      '--output <K>',
      'output of the signature to compute; may be given for each (default: all)',
      collect,
    )
    .addHelpText('after', HELP)
    .action(runOnce);
}

async function runOnce(directory: string, flags: RunFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const { model, signature, inputs, loadMs } = await prepareModel(directory, flags, output);
  try {
    const start = performance.now();
    const outputs = await model.run(inputs, { signature, outputs: flags.output, device: flags.device });
    const runMs = performance.now() - start;
    const entries = Object.entries(outputs);
    output.lines(
      `${model.directory} ${formatTags(model.tags)}, signature ${signature}`,
      `loaded in ${loadMs.toFixed(1)} ms, ran in ${runMs.toFixed(1)} ms`,
      '',
      ...table([TENSOR_TITLES, ...entries.map(([name, tensor]) => tensorRow(name, tensor))]),
    );
    if (output.isJson) {
      output.json({
        outputs: Object.fromEntries(entries.map(([name, tensor]) => [name, tensorToJson(tensor)])),
      });
    }
  } finally {
    await model.close();
  }
}

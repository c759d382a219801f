/** `tf-session info`: what this package works with on this machine. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type ConfigProtoJson, encodeConfig } from '../config.js';
import type { Device } from '../device.js';
import { addon, addonPath } from '../runtime/addon.js';
import { type Place, searchPlaces } from '../runtime/finder.js';
import { explainNoGpu, gatherGpuEvidence } from '../runtime/gpu-absence.js';
import { lacks } from '../runtime/lacks.js';
import { tensorflow } from '../runtime/tensorflow.js';
import { addCommonOptions, type CommonOptions } from './arguments/common.js';
import { readJsonObject } from './arguments/json-file.js';
import { openLibrary } from './open-library.js';
import { Output } from './output/output.js';
import { table } from './output/text.js';

interface InfoFlags extends CommonOptions {
  config?: string;
}

const HELP = `
Examples:
  $ tf-session info
  $ tf-session info --library /opt/tensorflow/lib

With --json: { addon: PATH, library: { path, version }, devices: [{ name, type, memoryBytes }] }`;

export function addInfo(program: Command): void {
  const command = program
    .command('info')
    .description(
      'Show the native addon, the libtensorflow that is used and where it was looked for, and the devices.',
    )
    .option('--config <FILE>', 'show the devices of a session with this ConfigProto (JSON)')
    .addHelpText('after', HELP)
    .action(runInfo);
  addCommonOptions(command);
}

async function runInfo(flags: InfoFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const given = flags.config === undefined ? undefined : await readJsonObject(flags.config, '--config');
  const config = encodeConfig(given as ConfigProtoJson | undefined);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const node = `${process.version}, Node-API ${process.versions.napi}, ${process.platform} ${process.arch}`;
  output.lines(
    ...table([
      ['tf-session', version],
      ['Node.js', node],
    ]),
  );
  // Before what may fail: it tells why.
  const linked = linkedLibrary();
  if (linked === null) {
    output.lines('', 'Looked for libtensorflow at (the first one found is used):');
    output.lines(...placeLines(await searchPlaces(flags.library)), '');
  } else {
    output.lines('', 'The addon is linked with a libtensorflow and opens no other:', `  ${linked}`, '');
  }
  const path = addonPath();
  output.lines(...table([['addon     ', path]]));
  output.keepStdoutClean();
  await openLibrary(flags.library, output);
  const library = { path: tensorflow.path, version: tensorflow.version };
  output.lines(
    ...table([
      ['TensorFlow', library.version],
      ['library', library.path],
    ]),
  );
  const lacking = lacks(tensorflow.version, tensorflow.missing);
  if (lacking.length > 0)
    output.lines('', 'This TensorFlow is too old for:', ...lacking.map((clause) => `  ${clause}`));
  const devices = await tensorflow.devices(config);
  output.lines('', 'Devices:', ...deviceLines(devices));
  if (!devices.some(({ type }) => type === 'GPU')) await tellNoGpu(given, output);
  output.json({
    addon: path,
    library,
    devices: devices.map(({ name, type, memoryBytes }) => ({ name, type, memoryBytes })),
  });
}

/** Why there is no GPU. A program that asks with `--json` is told, on stderr, where somebody chose a GPU build. */
async function tellNoGpu(config: Record<string, unknown> | undefined, output: Output): Promise<void> {
  const counts = (config?.deviceCount ?? config?.device_count) as Record<string, unknown> | undefined;
  const evidence = await gatherGpuEvidence(tensorflow.path, counts?.GPU === 0);
  const sentences = explainNoGpu(evidence);
  output.lines('', 'No GPU device:', ...sentences.map((sentence) => `  ${sentence}`));
  if (output.isJson && evidence.isGpuBuild) output.note(`note: no GPU device. ${sentences.join(' ')}`);
}

/** What the addon is linked with; `null` where it is with none. That there is no addon is told by what needs one. */
function linkedLibrary(): string | null {
  try {
    return addon().linked();
  } catch {
    return null;
  }
}

function placeLines(places: readonly Place[]): string[] {
  const used = places.find((place) => place.found);
  return table(
    places.map((place) => {
      const state = place === used ? 'used' : place.found ? 'found' : '-';
      return [state, place.source, place.path, place.note ?? ''];
    }),
    '  ',
  );
}

function deviceLines(devices: readonly Device[]): string[] {
  return table(
    devices.map(({ name, type, memoryBytes }) => [name, type, `${(memoryBytes / 1e6).toFixed(0)} MB`]),
    '  ',
  );
}

/** Shared objects with further ops or devices, which TensorFlow loads for the whole process. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkConfigAge } from '../config.js';
import { TensorFlowError } from '../errors.js';
import { invalidOption, readStrings } from '../options.js';
import { addon } from '../runtime/addon.js';
import { inspectLibrary } from '../runtime/shared-library.js';
import { openLibrary, tensorflow } from '../runtime/tensorflow.js';
import { explainExtensionFailure, faultyExtension } from './extension-failure.js';

/** What a load takes: options of `SavedModel.load` and `Session.fromGraphDef`. */
export interface ExtensionOptions {
  /**
   * Op libraries: shared objects with ops that TensorFlow itself does not have, such as tensorflow-text's
   * `_wordpiece_tokenizer.so`, built for the TensorFlow that is opened. Every session of the process sees their ops from
   * then on, and they are never unloaded; naming one again is free. Paths start at the working directory. Default: none.
   */
  opLibraries?: readonly string[] | undefined;
  /**
   * Plug-ins with devices, by TensorFlow's PluggableDevice interface: the same holds. Sessions that were made before do
   * not have the devices. A plug-in that fails to start ends the process: that is TensorFlow's doing. Default: none.
   */
  pluggableDevices?: readonly string[] | undefined;
}

export const EXTENSION_KEYS = ['opLibraries', 'pluggableDevices'] as const;

/** One file that is to be loaded. */
export interface Extension {
  option: (typeof EXTENSION_KEYS)[number];
  /** Absolute, links resolved: TensorFlow knows by the path what it has loaded. */
  path: string;
  /** Libraries that it names as needed. */
  needed: readonly string[];
}

/** What the options name, plug-ins first. Throws INVALID_OPTION naming the option. */
export function checkExtensions(options: ExtensionOptions): Pick<Extension, 'option' | 'path'>[] {
  return (['pluggableDevices', 'opLibraries'] as const).flatMap((option) => {
    const paths = readStrings(options[option] ?? [], option);
    if (paths.includes('')) throw invalidOption(`${option} must not contain an empty path.`);
    return paths.map((path) => ({ option, path }));
  });
}

/**
 * Opens the library unless it is open, for sessions with this ConfigProto, and loads the extensions into it.
 *
 * @throws TensorFlowError what the two below and `tensorflow.open` do; LIBRARY_TOO_OLD for what the ConfigProto says
 */
export async function openExtended(
  named: readonly Pick<Extension, 'option' | 'path'>[],
  config: Uint8Array | undefined,
): Promise<void> {
  const extensions = await findExtensions(named);
  await openLibrary();
  checkConfigAge(config, tensorflow.version);
  await loadExtensions(extensions);
}

/**
 * Looks at the files, which needs no libtensorflow: opening one that is cut off would end the process.
 *
 * @throws TensorFlowError NOT_FOUND, DATA_LOSS for one that is cut off, INVALID_ARGUMENT for what is no shared library,
 *   FAILED_PRECONDITION for one of another platform
 */
function findExtensions(named: readonly Pick<Extension, 'option' | 'path'>[]): Promise<Extension[]> {
  return Promise.all(
    named.map(async ({ option, path: given }) => {
      const inspection = await inspectLibrary(resolve(given));
      if (inspection.fault !== undefined) throw faultyExtension(option, given, inspection);
      return { option, path: await realpath(given), needed: inspection.needed };
    }),
  );
}

/**
 * Loads them in order, off the event loop; libtensorflow is open.
 *
 * @throws TensorFlowError FAILED_PRECONDITION for one that was built for another TensorFlow; NOT_FOUND for one that needs
 *   a library which is not there; INVALID_ARGUMENT for one with neither ops nor a device; LIBRARY_TOO_OLD
 */
async function loadExtensions(extensions: readonly Extension[]): Promise<void> {
  for (const extension of extensions) await load(extension);
}

/** Kernels for TensorFlow's own ops may come alone, but not without TensorFlow. Where the format is not read, who knows. */
function isForeign(needed: readonly string[]): boolean {
  return process.platform === 'linux' && !needed.some((name) => name.includes('tensorflow'));
}

function noOps(path: string): TensorFlowError {
  return new TensorFlowError('INVALID_ARGUMENT', `${path} holds no ops for TensorFlow.`);
}

async function load(extension: Extension): Promise<void> {
  const native = addon();
  const { option, path, needed } = extension;
  try {
    if (option === 'pluggableDevices') await native.loadPluggableDevice(path, needed);
    else if (!(await native.loadOpLibrary(path, needed)) && isForeign(needed)) throw noOps(path);
  } catch (error) {
    throw await explainExtensionFailure(extension, error, native.library()!);
  }
}

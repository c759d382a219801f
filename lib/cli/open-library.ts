/** Opens libtensorflow for a command; a person at a terminal who has none is offered to fetch it. */
import { createInterface } from 'node:readline/promises';
import { TensorFlowError } from '../errors.js';
import { searchPlaces } from '../runtime/finder.js';
import { expectedBytes } from '../runtime/install/known.js';
import { size } from '../runtime/install/space.js';
import { wantedWheel } from '../runtime/install/wanted-wheel.js';
import { tensorflow } from '../runtime/tensorflow.js';
import { DEFAULT_VERSION } from '../runtime/version.js';
import { installShown } from './install-shown.js';
import type { Output } from './output/output.js';

/** Throws what `tensorflow.open` does, where there is nobody to ask or the answer is no. */
export async function openLibrary(library: string | undefined, output: Output): Promise<void> {
  try {
    await tensorflow.open({ library });
  } catch (error) {
    const isUnusable = error instanceof TensorFlowError && error.code === 'LIBRARY_NOT_FOUND';
    if (!isUnusable || (await isThere(library)) || !(await wantsInstall())) throw error;
    const { version, path } = await installShown({}, output);
    output.note(`TensorFlow ${version} is installed: ${path}\n`);
    await tensorflow.open();
  }
}

/** Whether a library was named or found: that it can't be used is to be told of, not to be worked around. */
async function isThere(library: string | undefined): Promise<boolean> {
  const isNamed = library !== undefined || (process.env.TF_SESSION_LIBRARY ?? '') !== '';
  return isNamed || (await searchPlaces()).some(({ found }) => found);
}

/** Asks on stderr, as stdout is for results. False without a terminal, and where there is nothing to fetch. */
async function wantsInstall(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const question = offer();
  if (question === undefined) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // The end of the input, and Ctrl-C, are a no: readline's promise would stay open.
    const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('no')));
    const answer = await Promise.race([terminal.question(question), ended]);
    return /^\s*(?:y(?:es)?)?\s*$/i.test(answer);
  } finally {
    terminal.close();
  }
}

function offer(): string | undefined {
  try {
    const { project, machine } = wantedWheel(DEFAULT_VERSION, 'cpu');
    const bytes = expectedBytes(project, DEFAULT_VERSION, machine);
    const much = bytes === undefined ? '' : ` (${size(bytes)})`;
    return `No libtensorflow was found. Fetch TensorFlow ${DEFAULT_VERSION}${much} now? [Y/n] `;
  } catch {
    return undefined;
  }
}

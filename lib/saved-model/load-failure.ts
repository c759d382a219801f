/**
 * Why a SavedModel did not load, said better than TensorFlow does where the directory itself tells.
 */

import { access } from 'node:fs/promises';
import { TensorFlowError } from '../errors.js';
import { isOlder } from '../minor-version.js';
import type { MetaGraphDef } from '../proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { checkCheckpoint } from './checkpoint.js';
import { checkDirectory, checkpointPrefix, codeOf, localPath } from './directory.js';
import { readMetaGraph } from './reader.js';

/** TensorFlow's errors that variables which were not (wholly) restored lead to. */
const ABOUT_VARIABLES = /restore|variable|uninitiali[sz]ed|sstable|TensorBundle|checkpoint|Read less bytes/i;

/** What TensorFlow says of a graph that is ahead of it; a missing op type has an explanation of its own. */
const ABOUT_AGE = /NodeDef mentions attr|GraphDef-generating binary|forward compatibility guarantee/;

/** Codes with which a check only says that it doesn't know. */
const NO_ANSWER: ReadonlySet<string> = new Set(['UNKNOWN', 'UNIMPLEMENTED']);

/**
 * A better error for a failed load: the directory is missing or no SavedModel, its saved_model.pb is damaged, no
 * MetaGraph has these tags, files of its variables are missing or cut off. Else `error` itself.
 *
 * Never rejects; TensorFlow's own error is the `cause` of a better one.
 *
 * @param version the opened library's
 */
export async function explainLoadFailure(
  directory: string,
  tags: readonly string[],
  error: unknown,
  version: string,
): Promise<unknown> {
  if (!(error instanceof TensorFlowError)) return error;
  try {
    if (localPath(directory) === undefined) return error;
    await checkDirectory(directory);
    const metaGraph = await readMetaGraph(directory, tags);
    if (ABOUT_VARIABLES.test(error.message)) await checkVariables(directory, metaGraph);
    if (/[[\\]/.test(directory) && /matching files/i.test(error.message)) throw patternInPath(directory);
    const savedBy = metaGraph.metaInfoDef?.tensorflowVersion;
    if (savedBy && ABOUT_AGE.test(error.message) && isOlder(version, savedBy))
      throw tooNew(error, savedBy, version);
    return error;
  } catch (better) {
    if (!(better instanceof TensorFlowError) || NO_ANSWER.has(better.code)) return error;
    return new TensorFlowError(better.code, better.message, { cause: error });
  }
}

/**
 * Resolves if the variables that a loaded MetaGraph restores were there. TensorFlow loads a model without
 * `variables/variables.index` and fails later, at the first read of a variable; all else it has noticed itself.
 *
 * @throws TensorFlowError NOT_FOUND or PERMISSION_DENIED, naming the file
 */
export async function requireVariables(directory: string, metaGraph: MetaGraphDef): Promise<void> {
  if (localPath(directory) === undefined || !metaGraph.saverDef?.restoreOpName) return;
  try {
    await access(`${checkpointPrefix(directory)}.index`);
  } catch {
    await checkVariables(directory, metaGraph);
  }
}

/**
 * Resolves if the variables that the MetaGraph restores are all there, and whole.
 *
 * @throws TensorFlowError NOT_FOUND, PERMISSION_DENIED or DATA_LOSS, naming the file
 */
export async function checkVariables(directory: string, metaGraph: MetaGraphDef): Promise<void> {
  if (localPath(directory) === undefined || !metaGraph.saverDef?.restoreOpName) return;
  try {
    await checkCheckpoint(checkpointPrefix(directory));
  } catch (error) {
    if (!(error instanceof TensorFlowError) || error.code === 'UNIMPLEMENTED') return;
    const missing =
      codeOf(error.cause) === 'ENOENT' ? ' Was the model copied without its variables folder?' : '';
    throw new TensorFlowError(
      error.code,
      `The model's variables cannot be restored: ${error.message}${missing}`,
      {
        cause: error,
      },
    );
  }
}

function tooNew({ code, message }: TensorFlowError, savedBy: string, version: string): TensorFlowError {
  return new TensorFlowError(
    code,
    `The model was saved by TensorFlow ${savedBy}, which is newer than the opened ${version} and writes what that does ` +
      `not know. Open a library of that version or later: tensorflow.open({ library }), --library.\n${message}`,
  );
}

/** TensorFlow looks for the files of a checkpoint by a pattern, which a folder's name becomes part of. */
function patternInPath(directory: string): TensorFlowError {
  return new TensorFlowError(
    'INVALID_ARGUMENT',
    `TensorFlow cannot restore variables from ${directory}: it takes [ and \\ in a path for a pattern. Rename the folder, or link to it.`,
  );
}

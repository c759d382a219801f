/** What an error says of ops that the opened libtensorflow does not have: who uses them, and where they come from. */
import { basename } from 'node:path';
import { TensorFlowError } from '../errors.js';
import { isOlder, minorOf } from '../minor-version.js';
import { registeredKernels } from '../placed-graph.js';
import type { GraphIndex } from '../placement/graph-index.js';
import { Slices } from '../placement/slices.js';
import { addon } from '../runtime/addon.js';
import { CONTRIB, type OpSource, sourceOfOp } from './op-packages.js';

/** A graph in which an op is looked for. */
export interface SearchedGraph {
  index: GraphIndex;
  /** The version of TensorFlow that saved the model, where it says so. */
  savedBy?: string | undefined;
}

/** Reads the graph of a session once more, or for the first time. */
export type GraphReader = () => Promise<SearchedGraph>;

/** Nodes that an error names. */
const MOST_NODES = 3;

/**
 * A better error where TensorFlow says that an op type is not registered; else `error` itself. It says so when it imports
 * a graph; of the bodies of branches and loops, at their first run.
 *
 * @param read Called for such errors alone. Where it fails, nothing is said of nodes.
 */
export async function explainMissingOp(error: unknown, read: GraphReader): Promise<unknown> {
  const type = missingType(error);
  if (type === undefined) return error;
  const graph = await read().catch(() => undefined);
  const users = graph === undefined ? undefined : await findUsers(graph.index, type);
  return missingOp(type, error, users, graph?.savedBy);
}

/** The same at once, without a look at the graph. */
export function explainMissingOpSync(error: unknown): unknown {
  const type = missingType(error);
  return type === undefined ? error : missingOp(type, error);
}

function missingType(error: unknown): string | undefined {
  if (!(error instanceof TensorFlowError)) return undefined;
  return /Op type not registered '([^']+)'/.exec(error.message)?.[1];
}

function missingOp(type: string, cause: unknown, users?: Users, savedBy?: string): TensorFlowError {
  const { version, path } = addon().library()!;
  const lines = [
    `TensorFlow ${version} (${path}) has no op of the type ${type}${users === undefined ? '' : `, which the model uses: ${users.text}`}.`,
    wayOut(type, version),
    ...versions(savedBy, version),
    ...others(users?.others ?? [], version),
  ];
  const op = users?.op;
  return new TensorFlowError('NOT_FOUND', lines.join('\n'), { cause, ...(op !== undefined && { op }) });
}

interface Users {
  /** `3 ops: "a" in the function "f", "b" and 1 more` */
  text: string;
  op: string | undefined;
  /** Further types that the library lacks, as far as they can be told from its own. */
  others: string[];
}

async function findUsers(index: GraphIndex, type: string): Promise<Users> {
  const slices = new Slices();
  const found: string[] = [];
  const types = new Set<string>();
  let op: string | undefined;
  let count = 0;
  for (let i = 0; i < index.length; i++) {
    if (slices.isOver(i)) await slices.next();
    types.add(index.type(i));
    if (index.type(i) !== type) continue;
    if (count++ >= MOST_NODES) continue;
    op ??= index.name(i);
    const body = index.function(i);
    found.push(
      `${JSON.stringify(index.name(i))}${body === '' ? '' : ` in the function ${JSON.stringify(body)}`}`,
    );
  }
  types.delete(type);
  const more = count > found.length ? ` and ${count - found.length} more` : '';
  return {
    text: `${count === 1 ? 'the op' : `${count} ops:`} ${found.join(', ')}${more}`,
    op,
    others: [...types].filter(
      (each) => sourceOfOp(each) !== undefined && registeredKernels(each)?.length === 0,
    ),
  };
}

function wayOut(type: string, version: string): string {
  const source = sourceOfOp(type);
  const file = source?.file === undefined ? 'ops.so' : basename(source.file);
  const way = `opLibraries: ['…/${file}'] (--op-library …/${file} on the command line)`;
  if (source === undefined)
    return `Where a package brings it, load the package's op library: ${way}. Where a TensorFlow later than ${version} does, open that one: tensorflow.open({ library }), --library.`;
  if (source.package === CONTRIB) {
    return `It was part of tf.contrib in TensorFlow 1 (${source.file} in ${CONTRIB}), which no TensorFlow 2 has: ${isOlder(version, '2.0') ? '' : 'open TensorFlow 1.15 and '}load that file, ${way}; or export the model without it.`;
  }
  return `The Python package ${source.package} brings it${source.file === undefined ? '' : `, in ${source.file}`}. Take it from the release that is for TensorFlow ${minorOf(version)}, and load it: ${way}.`;
}

function versions(savedBy: string | undefined, version: string): string[] {
  if (savedBy === undefined || savedBy === '' || savedBy === version) return [];
  const isNewer = isOlder(version, savedBy);
  return [
    `The model was saved by TensorFlow ${savedBy}${isNewer ? `, which is newer than the opened ${version} and may have brought the op: then open a library of that version (tensorflow.open({ library }), --library)` : ''}.`,
  ];
}

function others(types: readonly string[], version: string): string[] {
  if (types.length === 0) return [];
  const named = types.map((type) => {
    const { package: name, file } = sourceOfOp(type) as OpSource;
    return `${type} (${name}${file === undefined ? '' : `, ${file}`})`;
  });
  return [`TensorFlow ${version} lacks as well: ${named.join(', ')}.`];
}

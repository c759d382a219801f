/**
 * Reads `saved_model.pb` without libtensorflow: which MetaGraphs there are, and what one of them says.
 *
 * Graphs are stepped over unless they are asked for: reading tags and signatures takes about as long as reading the
 * file. Damaged files give a TensorFlowError of code DATA_LOSS, whatever the damage.
 */

import { fromBinary } from '@bufbuild/protobuf';
import { TensorFlowError } from '../errors.js';
import {
  type MetaGraphDef,
  MetaGraphDef_MetaInfoDefSchema,
  MetaGraphDefSchema,
} from '../proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { SavedModelSchema } from '../proto/tensorflow/core/protobuf/saved_model_pb.js';
import { readModelFile } from './directory.js';
import { payloads, withoutFields } from './wire.js';

const META_GRAPHS = SavedModelSchema.field.metaGraphs.number;
const META_INFO = MetaGraphDefSchema.field.metaInfoDef.number;
const TAGS = MetaGraphDef_MetaInfoDefSchema.field.tags.number;
/** What makes a MetaGraph large. */
const GRAPHS = new Set([
  MetaGraphDefSchema.field.graphDef.number,
  MetaGraphDefSchema.field.objectGraphDef.number,
]);

/**
 * The tags of every MetaGraph in the model, in the file's order.
 *
 * @throws TensorFlowError NOT_FOUND (no such directory, no saved_model.pb), DATA_LOSS (damaged), PERMISSION_DENIED
 */
export async function readTagSets(directory: string): Promise<string[][]> {
  const bytes = await readModelFile(directory);
  return parsing(directory, bytes, () => metaGraphsOf(bytes).map((graph) => graph.tags));
}

/**
 * The MetaGraph whose tags are `tags` (as a set, as in TensorFlow) without its graph and its object graph: tags,
 * TensorFlow's version, signatures, assets, saver, collections.
 *
 * @throws TensorFlowError as `readTagSets`; NOT_FOUND with the tag sets there are, where none equals `tags`
 */
export async function readMetaGraph(directory: string, tags: readonly string[]): Promise<MetaGraphDef> {
  const bytes = await readModelFile(directory);
  return parsing(directory, bytes, () => decodeWithoutGraphs(select(directory, bytes, tags)));
}

/** The whole MetaGraph, graph and functions included: some 26 MB/s, so for listings and not for loading. */
export async function readFullMetaGraph(directory: string, tags: readonly string[]): Promise<MetaGraphDef> {
  const bytes = await readModelFile(directory);
  return parsing(directory, bytes, () => fromBinary(MetaGraphDefSchema, select(directory, bytes, tags)));
}

/** The serialized MetaGraphDef, for those who walk its graph themselves. A view of the file's bytes. */
export async function readMetaGraphBytes(directory: string, tags: readonly string[]): Promise<Uint8Array> {
  const bytes = await readModelFile(directory);
  return parsing(directory, bytes, () => select(directory, bytes, tags));
}

/**
 * A MetaGraphDef from its bytes, graph and object graph left out.
 *
 * @throws TensorFlowError DATA_LOSS where the bytes are none
 */
export function decodeMetaGraph(bytes: Uint8Array): MetaGraphDef {
  try {
    return decodeWithoutGraphs(bytes);
  } catch (error) {
    throw new TensorFlowError(
      'DATA_LOSS',
      `The MetaGraph (${bytes.length} bytes) is damaged: ${String(error)}.`,
      {
        cause: error,
      },
    );
  }
}

/** `[serve], [serve, gpu]` */
export function formatTagSets(sets: readonly (readonly string[])[]): string {
  return sets.map((tags) => `[${tags.join(', ')}]`).join(', ');
}

function decodeWithoutGraphs(bytes: Uint8Array): MetaGraphDef {
  return fromBinary(MetaGraphDefSchema, withoutFields(bytes, GRAPHS));
}

interface FoundMetaGraph {
  tags: string[];
  bytes: Uint8Array;
}

function metaGraphsOf(bytes: Uint8Array): FoundMetaGraph[] {
  const found = payloads(bytes, META_GRAPHS).map((graph) => ({ tags: tagsOf(graph), bytes: graph }));
  if (found.length === 0) throw new Error('it holds no MetaGraph');
  return found;
}

function tagsOf(metaGraph: Uint8Array): string[] {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return payloads(metaGraph, META_INFO).flatMap((info) =>
    payloads(info, TAGS).map((tag) => utf8.decode(tag)),
  );
}

function select(directory: string, bytes: Uint8Array, tags: readonly string[]): Uint8Array {
  const graphs = metaGraphsOf(bytes);
  const wanted = new Set(tags);
  const match = graphs.find((graph) => {
    const has = new Set(graph.tags);
    return has.size === wanted.size && [...has].every((tag) => wanted.has(tag));
  });
  if (match) return match.bytes;
  throw new TensorFlowError(
    'NOT_FOUND',
    `${directory} has no MetaGraph with tags ${formatTagSets([tags])}; the model has: ${formatTagSets(graphs.map((graph) => graph.tags))}.`,
  );
}

/** Runs a step that parses `bytes`; whatever it throws that is not classified yet means damage. */
function parsing<T>(directory: string, bytes: Uint8Array, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof TensorFlowError) throw error;
    const file = `saved_model.pb in ${directory}`;
    const why = error instanceof Error ? error.message : String(error);
    throw new TensorFlowError('DATA_LOSS', damage(file, bytes, why), { cause: error });
  }
}

function damage(file: string, bytes: Uint8Array, why: string): string {
  if (bytes.length === 0) return `${file} is empty.`;
  const start = new TextDecoder().decode(bytes.subarray(0, 40));
  if (start.startsWith('version https://git-lfs')) {
    return `${file} is a pointer of Git LFS, not the model itself: run \`git lfs pull\`.`;
  }
  return `${file} (${bytes.length} bytes) is damaged or no SavedModel: ${why}.`;
}

/** The serialised GraphDef of a serialised MetaGraph: a view, where it stands in one piece. */
export function graphDefOf(metaGraph: Uint8Array): Uint8Array {
  const graphs = payloads(metaGraph, MetaGraphDefSchema.field.graphDef.number);
  // A message that comes in several parts is their concatenation.
  return graphs.length === 1 ? graphs[0]! : Buffer.concat(graphs);
}

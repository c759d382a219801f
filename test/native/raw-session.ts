/** Sessions made by the addon alone, with none of this library's own checks: what TensorFlow itself does with a graph. */
import { fromBinary } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import {
  type ConfigProtoJson,
  encodeConfig,
  type RunMetadata,
  type RunOptionsJson,
} from '../../lib/config.js';
import { decodeRunMetadata, Session, type TensorLike } from '../../lib/index.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import type { NodeDef } from '../../lib/proto/tensorflow/core/framework/node_def_pb.js';
import {
  type MetaGraphDef,
  MetaGraphDefSchema,
} from '../../lib/proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { addon } from '../../lib/runtime/addon.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { decodeMetaGraph, readMetaGraphBytes } from '../../lib/saved-model/reader.js';
import { restoreSteps } from '../../lib/saved-model/restore.js';
import { payloads } from '../../lib/saved-model/wire.js';
import { fixture } from '../saved-model/models.js';

/** A node of the main graph, where `function` is `''`, or of a function's body. */
export interface RawNode {
  def: NodeDef;
  function: string;
}

export interface RawOptions {
  /** The device to write to a node; undefined leaves it. */
  device?: ((node: RawNode) => string | undefined) | undefined;
  config?: ConfigProtoJson | undefined;
  /** Merged into the `config_proto` of each call. */
  callConfig?: Uint8Array | undefined;
}

/** Four CPU devices, and no GPU on any machine; placement is hard, as far as TensorFlow holds to it. */
export const FOUR: ConfigProtoJson = { deviceCount: { CPU: 4, GPU: 0 } };
export const SOFT: ConfigProtoJson = { allowSoftPlacement: true };
/** Without Grappler. */
export const UNOPTIMIZED: ConfigProtoJson = {
  graphOptions: { rewriteOptions: { disableMetaOptimizer: true } },
};
/** What `exact` gives the session, and each call of a function. */
export const EXACT: RawOptions = {
  config: { ...FOUR, ...UNOPTIMIZED },
  callConfig: encodeConfig(UNOPTIMIZED)!,
};

/** The nodes in the order in which the addon numbers them. */
export function nodesOf(graphDef: Uint8Array): RawNode[] {
  const { node, library } = fromBinary(GraphDefSchema, graphDef);
  return [
    ...node.map((def) => ({ def, function: '' })),
    ...(library?.function ?? []).flatMap(({ nodeDef, signature }) =>
      nodeDef.map((def) => ({ def, function: signature!.name })),
    ),
  ];
}

/** A session on a graph; closed at the end of the test. Its variables have no values. */
export async function rawSession(graphDef: Uint8Array, options: RawOptions = {}): Promise<Session> {
  await openLibrary();
  const table: string[] = [];
  const codes = Uint32Array.from(nodesOf(graphDef), (node) => {
    const device = options.device?.(node);
    if (device === undefined) return 0;
    if (!table.includes(device)) table.push(device);
    return table.indexOf(device) + 1;
  });
  const source = await addon().readGraph(graphDef, [], []);
  const config = encodeConfig(options.config ?? FOUR);
  const native = await source.createSession({ codes, table, callConfig: options.callConfig }, config);
  const session = new Session(native, { outputs: 'copy', config: undefined });
  onTestFinished(() => session.close({ cancel: true }));
  return session;
}

/** A fixture's model, taken apart. */
export interface RawModel {
  directory: string;
  metaGraph: MetaGraphDef;
  graphDef: Uint8Array;
  nodes: RawNode[];
}

export async function rawModel(name: string): Promise<RawModel> {
  const directory = fixture(name);
  const bytes = await readMetaGraphBytes(directory, ['serve']);
  const graphDef = Buffer.concat(payloads(bytes, MetaGraphDefSchema.field.graphDef.number));
  return { directory, metaGraph: decodeMetaGraph(bytes), graphDef, nodes: nodesOf(graphDef) };
}

/** A session on a model's graph, with variables and tables filled. */
export async function restoredSession(model: RawModel, options: RawOptions = {}): Promise<Session> {
  const session = await rawSession(model.graphDef, options);
  for (const { target, feeds } of await restoreSteps(model.directory, model.metaGraph)) {
    await session.run([], feeds, { targets: [target] });
  }
  return session;
}

/** Feeds and fetches of `serving_default`. */
export function served(
  { metaGraph }: RawModel,
  inputs: Readonly<Record<string, TensorLike>>,
): [fetches: string[], feeds: Record<string, TensorLike>] {
  const { inputs: given, outputs } = metaGraph.signatureDef.serving_default!;
  const name = (info: (typeof given)[string] | undefined) => String(info?.encoding.value);
  const feeds = Object.entries(inputs).map(([key, value]) => [name(given[key]), value]);
  return [Object.values(outputs).map(name), Object.fromEntries(feeds)];
}

/** A kernel that ran, or a node of a graph as TensorFlow cut it for a device. */
export interface Placed {
  /** As `CPU:1`. */
  device: string;
  name: string;
  op: string;
}

/** What the metadata of a run says. */
export interface Trace {
  /** From step_stats, in the order of each device's list. */
  ran: Placed[];
  /** From output_partition_graphs: the main graph's nodes, none of those of functions. */
  partitions: Placed[];
  /** The data of the first fetch. */
  data: unknown;
}

/** What `explain` asks for. */
const SOFTWARE: RunOptionsJson = { traceLevel: 'SOFTWARE_TRACE', outputPartitionGraphs: true };

export async function trace(
  session: Session,
  fetches: readonly string[],
  feeds: Readonly<Record<string, TensorLike>>,
  { runOptions = SOFTWARE, targets = [] }: { runOptions?: RunOptionsJson; targets?: string[] } = {},
): Promise<Trace> {
  let metadata: RunMetadata | undefined;
  const onRunMetadata = (bytes: Uint8Array) => {
    metadata = decodeRunMetadata(bytes);
  };
  const [first] = await session.run(fetches, feeds, { runOptions, targets, onRunMetadata });
  if (metadata === undefined) throw new Error('TensorFlow gave no metadata of a run that succeeded.');
  const ran = (metadata.stepStats?.devStats ?? []).flatMap(({ device, nodeStats }) =>
    nodeStats.map(({ nodeName, timelineLabel }) => {
      // `name = Op(inputs)`
      const op = / = (\w+)\(/.exec(timelineLabel)?.[1] ?? '';
      return { device: short(device), name: nodeName, op };
    }),
  );
  const partitions = metadata.partitionGraphs.flatMap(({ node }) =>
    node.map(({ device, name, op }) => ({ device: short(device), name, op })),
  );
  return { ran, partitions, data: first?.data };
}

function short(device: string): string {
  return device.replace(/^.*device:/, '');
}

/** The devices of what has this name, with whatever calls lead to it, each once. */
export function where(list: readonly Placed[], name: string): string[] {
  const found = list.filter((each) => each.name === name || each.name.endsWith(`/${name}`));
  return [...new Set(found.map(({ device }) => device))].sort();
}

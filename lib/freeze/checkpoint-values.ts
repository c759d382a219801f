/**
 * Values of variables out of the checkpoint itself, where the graph says which key is whose: a session that restores them
 * would hold them all in memory of TensorFlow's own, which it never gives back.
 */
import { dtypeByNumber, dtypeInfo } from '../dtype.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import type { Slices } from '../placement/slices.js';
import { addon } from '../runtime/addon.js';
import { dataFile, readCheckpointIndex } from '../saved-model/checkpoint.js';
import { type SavedValue, SMALL, type Value } from './value.js';
import { dtypeOf, type Frozen } from './variables.js';

/**
 * The values, one a variable; undefined where that of any cannot be told from the checkpoint alone.
 *
 * @param prefix of the checkpoint
 * @param isInitialised whether the model's init op reaches the node: what that assigns, no checkpoint knows
 * @throws TensorFlowError DATA_LOSS where a value is not what its checksum says
 */
export async function valuesOfCheckpoint(
  graph: ModelGraph,
  frozen: readonly Frozen[],
  prefix: string,
  isInitialised: (node: ModelNode) => boolean,
  slices: Slices,
): Promise<Value[] | undefined> {
  const keys = await keysOf(graph, isInitialised, slices);
  const index = await readCheckpointIndex(prefix).catch(() => undefined);
  if (keys === undefined || index === undefined) return undefined;
  const saved: SavedValue[] = [];
  for (const { variable } of frozen) {
    const entry = index.entries.get(keys.get(variable) ?? '');
    if (entry === undefined || entry.slices.length > 0 || entry.dtype !== dtypeOf(variable)) return undefined;
    const shape = (entry.shape?.dim ?? []).map(({ size }) => Number(size));
    const { name, bytes, array } = dtypeByNumber(entry.dtype);
    const elements = shape.reduce((product, size) => product * size, 1);
    if (array === undefined || BigInt(elements * bytes) !== entry.size) return undefined;
    const path = dataFile(prefix, entry.shardId, index.shards);
    saved.push({ dtype: name, shape, part: [path, Number(entry.offset), Number(entry.size), entry.crc32c] });
  }
  return withSmallRead(saved);
}

/** The key in the checkpoint of each variable that is restored from one; undefined where the init op assigns some. */
async function keysOf(
  graph: ModelGraph,
  isInitialised: (node: ModelNode) => boolean,
  slices: Slices,
): Promise<Map<ModelNode, string> | undefined> {
  const keys = new Map<ModelNode, string>();
  for (const node of graph.nodes) {
    if (node.type !== 'AssignVariableOp' && node.type !== 'Assign') continue;
    if (slices.isOver(0)) await slices.next();
    if (isInitialised(node)) return undefined;
    const key = restoredKey(graph, node);
    if (key === undefined) continue;
    for (const variable of graph.resourceOrigins(node, 0)) keys.set(variable, key);
  }
  return keys;
}

/** The key under which the value that is assigned was saved as a whole. */
function restoredKey(graph: ModelGraph, assign: ModelNode): string | undefined {
  let source = graph.inputs(assign)[1];
  while (source?.node?.type === 'Identity') source = graph.inputs(source.node)[0];
  if (source?.node?.type !== 'RestoreV2') return undefined;
  const [, names, slices] = graph.inputs(source.node).map(({ node }) => node);
  return textOf(slices, source.output) === '' ? textOf(names, source.output) : undefined;
}

const utf8 = new TextDecoder();

/** One string of a constant; of those that protobuf left out, the last one that is there. */
function textOf(node: ModelNode | undefined, at: number): string | undefined {
  const value = node?.type === 'Const' ? node.def.attr.value?.value : undefined;
  if (value?.case !== 'tensor') return undefined;
  const bytes = value.value.stringVal[at] ?? value.value.stringVal.at(-1);
  return bytes && utf8.decode(bytes);
}

/** What folding needs to know, and is small, is read. */
async function withSmallRead(saved: readonly SavedValue[]): Promise<Value[]> {
  const small = saved.filter(({ part: [, , size] }) => size <= SMALL);
  const read = await addon().readCheckpoint(small.map(({ part }) => part));
  const bytes = new Map(small.map((tensor, i) => [tensor, read[i]!]));
  return saved.map((tensor) => {
    const { dtype, shape } = tensor;
    const own = bytes.get(tensor);
    return own === undefined ? tensor : { dtype, shape, data: new (dtypeInfo(dtype).array!)(own.buffer) };
  });
}

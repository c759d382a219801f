/** What of a model lives from run to run, and which signatures change it. */
import { fromBinary } from '@bufbuild/protobuf';
import { DTYPES } from '../../dtype.js';
import { ModelGraph } from '../../placement/model-graph.js';
import { neededOps } from '../../placement/report/needed.js';
import { changesState } from '../../placement/stateful.js';
import { NodeDefSchema } from '../../proto/tensorflow/core/framework/node_def_pb.js';
import type { Signatures } from '../../saved-model/signatures.js';
import type { GraphListing } from './graph-ops.js';

/** A variable, as the graph declares it. */
export interface VariableInfo {
  name: string;
  /** `''` for a type that is not known. */
  dtype: string;
  /** Null where the graph does not say. */
  shape: number[] | null;
  /** Null where shape or size of an element are not fixed. */
  bytes: number | null;
}

const VARIABLE = /^(VarHandleOp|Variable(V2)?|AutoReloadVariable)$/;
/** What else lives from run to run. */
const RESOURCE =
  /^(MutableHashTable\w*|HashTable(V2)?|MutableDenseHashTable\w*|AnonymousHashTable|\w*Queue(V2)?|Barrier|\w*Reader(V2)?|StackV2|TensorArrayV3|IteratorV2|OneShotIterator|ConditionalAccumulator)$/;

/** Largest first. */
export function variablesOf({ ops, nodes }: GraphListing): VariableInfo[] {
  const found = ops.flatMap(({ name, type }, i): VariableInfo[] => {
    if (!VARIABLE.test(type)) return [];
    const { attr } = fromBinary(NodeDefSchema, nodes[i]!);
    const [dtype, shape] = [attr.dtype?.value, attr.shape?.value];
    const info = DTYPES.find(({ number }) => dtype?.case === 'type' && number === dtype.value);
    const dims =
      shape?.case === 'shape' && !shape.value.unknownRank
        ? shape.value.dim.map(({ size }) => Number(size))
        : null;
    const bytes = bytesOf(dims, info?.bytes ?? 0);
    return [{ name, dtype: info?.name ?? '', shape: dims, bytes }];
  });
  return found.sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0) || a.name.localeCompare(b.name));
}

function bytesOf(shape: readonly number[] | null, each: number): number | null {
  if (shape === null || each === 0 || shape.some((size) => size < 0)) return null;
  return shape.reduce((product, size) => product * size, each);
}

/** Types of ops that hold what lives from run to run, variables apart, with their number. */
export function resourcesOf({ ops }: GraphListing): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { type } of ops) if (RESOURCE.test(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

/** Of each signature that changes what later runs see: the types of the ops that do. */
export async function changesOf(
  { ops }: GraphListing,
  graphDef: Uint8Array,
  signatures: Signatures,
): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = Object.create(null);
  // A look at the whole graph, which most models need not.
  if (!ops.some(({ type }) => changesState(type))) return found;
  const graph = await ModelGraph.decode(graphDef);
  for (const [name, { inputs, outputs }] of Object.entries(signatures)) {
    const names = (all: typeof inputs) => Object.values(all).map((each) => each.name);
    const needed = neededOps(graph, names(outputs), names(inputs));
    const types = new Set([...needed].map(({ type }) => type).filter(changesState));
    if (types.size > 0) found[name] = [...types].sort();
  }
  return found;
}

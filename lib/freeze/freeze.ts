/** Variables that never change, made into constants: what Grappler can fold and fuse then, it does. */
import { create } from '@bufbuild/protobuf';
import { dtypeByNumber } from '../dtype.js';
import { TensorFlowError } from '../errors.js';
import type { NativeGraphChanges, NativeNewNode } from '../native.js';
import type { PlacedGraph } from '../placed-graph.js';
import type { ModelNode } from '../placement/model-graph.js';
import { Slices } from '../placement/slices.js';
import { NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import type { Session } from '../session.js';
import type { Tensor } from '../tensor.js';
import { Edits } from './edits.js';
import { foldIntoFilters } from './fold.js';
import { newNode, type Value } from './value.js';
import { dtypeOf, type Frozen, findFrozen } from './variables.js';

/** Protobuf's limit for a message, which a graph is. */
const MOST_BYTES = 2 ** 31 - 1;

/** What is to be frozen of a graph; the values are not read yet. */
export interface FreezePlan {
  /** What the session that the values are read from has in addition. */
  added: readonly NativeNewNode[];
  /** The tensors to fetch from it, one a variable. */
  fetches: readonly string[];
  /** Variables that stay variables, by name: something that users run assigns them, or nobody can tell. */
  kept: readonly string[];
  frozen: readonly Frozen[];
}

/**
 * Finds what can be frozen.
 *
 * @throws TensorFlowError RESOURCE_EXHAUSTED where the constants would be more than a graph can hold
 */
export async function planFreeze(placed: PlacedGraph): Promise<FreezePlan> {
  const graph = await placed.graph();
  const { frozen, kept } = await findFrozen(graph, (node) => placed.index.isUsed(node), new Slices());
  checkSize(frozen);
  const added: NativeNewNode[] = [];
  const fetches = frozen.map(({ variable }, i) => {
    if (variable.type !== 'VarHandleOp') return `${variable.name}:0`;
    const name = `tf_session_freeze/value_${i}`;
    const { dtype } = variable.def.attr;
    const read = create(NodeDefSchema, {
      name,
      op: 'ReadVariableOp',
      input: [variable.name],
      attr: { dtype: dtype! },
    });
    added.push(newNode(read));
    return `${name}:0`;
  });
  return { added, fetches, kept, frozen };
}

/** @internal Throws where constants of this many bytes would not fit into a graph. */
export function checkBytes(bytes: number, values: number): void {
  if (bytes <= MOST_BYTES) return;
  throw new TensorFlowError(
    'RESOURCE_EXHAUSTED',
    `freeze: the model's ${values} variables are ${(bytes / 2 ** 30).toFixed(1)} GiB as constants, and a graph holds less than 2 ` +
      'GiB in all: that is protobuf’s limit for a message. Load the model without freeze.',
  );
}

function checkSize(frozen: readonly Frozen[]): void {
  let bytes = 0;
  for (const { variable, reads, gathers } of frozen) {
    const shape = variable.def.attr.shape?.value;
    if (shape?.case !== 'shape') continue;
    const elements = shape.value.dim.reduce((product, { size }) => product * Math.max(0, Number(size)), 1);
    // Each read is a constant of its own.
    bytes += elements * dtypeByNumber(dtypeOf(variable)!).bytes * (reads.length + gathers.length);
  }
  checkBytes(bytes, frozen.length);
}

/**
 * The changes that freeze.
 *
 * @param values one a variable, as fetched
 * @param isKept whether users may fetch or feed the op by its name
 */
export async function freezeChanges(
  placed: PlacedGraph,
  { frozen }: FreezePlan,
  values: readonly Value[],
  isKept: (node: ModelNode) => boolean,
): Promise<Pick<NativeGraphChanges, 'replaced'>> {
  const graph = await placed.graph();
  const slices = new Slices();
  const edits = new Edits(graph, (node) => placed.index.isUsed(node));
  for (const [i, { reads, gathers }] of frozen.entries()) {
    if (slices.isOver(0)) await slices.next();
    const value = values[i]!;
    for (const node of reads) {
      edits.makeConstant(node, value);
      if (node.type === 'ReadVariableOp') edits.renameOutput(node, 'value', 'output');
    }
    for (const node of gathers) {
      const def = edits.change(node);
      const params = edits.addConstant(node, 'params', value);
      def.op = 'Gather';
      def.input = [params, ...def.input.slice(1)];
      const { dtype, Tindices, validate_indices } = def.attr;
      def.attr = { Tparams: dtype!, Tindices: Tindices!, ...(validate_indices && { validate_indices }) };
    }
  }
  await foldIntoFilters(graph, edits, isKept, slices);
  return { replaced: await edits.toNative(slices) };
}

/** Runs what reads the values. */
export function readValues(session: Session, { fetches }: FreezePlan): Promise<Tensor[]> {
  return fetches.length === 0 ? Promise.resolve([]) : session.run(fetches, {}, { executor: 'pool' });
}

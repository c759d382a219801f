/** Variables that never change, made into constants: what Grappler can fold and fuse then, it does. */
import { create } from '@bufbuild/protobuf';
import { dtypeByNumber } from '../dtype.js';
import { TensorFlowError } from '../errors.js';
import type { ModelGraph, ModelNode } from '../placement/model-graph.js';
import { Slices } from '../placement/slices.js';
import { AttrValueSchema, type NameAttrList } from '../proto/tensorflow/core/framework/attr_value_pb.js';
import { NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import { Edits } from './edits.js';
import { ensureShapes } from './feeds.js';
import { foldIntoFilters } from './fold.js';
import type { Instance } from './instances.js';
import { NodePack, type PackedNodes } from './node-pack.js';
import type { Value } from './value.js';
import { dtypeOf, type Found, type Frozen, findFrozen } from './variables.js';

/** Protobuf's limit for a message, which a graph is. */
const MOST_BYTES = 2 ** 31 - 1;

/** A session that values are read from has these nodes in addition, and gives them as these fetches, one a variable. */
export interface Reading {
  readonly added: PackedNodes;
  readonly fetches: readonly string[];
}

/** The nodes that stand in place of others, in the graph and in copies of its functions. */
export interface FreezeChanges {
  readonly replaced: PackedNodes;
  readonly copies: readonly (readonly [of: string, name: string, replaced: PackedNodes])[];
}

/**
 * Finds what can be frozen; the values are not read yet.
 *
 * @throws TensorFlowError RESOURCE_EXHAUSTED where the constants would be more than a graph can hold
 */
export async function findFreezable(graph: ModelGraph, isUsed: (node: number) => boolean): Promise<Found> {
  const found = await findFrozen(graph, isUsed, new Slices());
  checkSize(found.frozen);
  return found;
}

export function reading(frozen: readonly Frozen[]): Reading {
  const added = new NodePack();
  const fetches = frozen.map(({ variable }, i) => {
    if (variable.type !== 'VarHandleOp') return `${variable.name}:0`;
    const name = `tf_session_freeze/value_${i}`;
    const dtype = variable.def.attr.dtype!;
    added.add(
      0,
      create(NodeDefSchema, { name, op: 'ReadVariableOp', input: [variable.name], attr: { dtype } }),
    );
    return `${name}:0`;
  });
  return { added: added.finish(), fetches };
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
 * @param isUsed whether users' runs reach the node
 * @param values one a variable
 * @param isKept whether users may fetch or feed the op by its name
 * @param hasEnsureShape whether the library has that op
 */
export async function freezeChanges(
  graph: ModelGraph,
  isUsed: (node: number) => boolean,
  { frozen, instances }: Found,
  values: readonly Value[],
  isKept: (node: ModelNode) => boolean,
  hasEnsureShape: boolean,
): Promise<FreezeChanges> {
  const slices = new Slices();
  // What is in the graph once has its edits in common; a copy of a function has its own.
  const common = new Edits(graph, isUsed);
  const own = new Map(
    instances.filter(({ isCopy }) => isCopy).map((instance) => [instance, new Edits(graph, isUsed)]),
  );
  const editsOf = (instance: Instance) => own.get(instance) ?? common;
  for (const [i, { reads, gathers }] of frozen.entries()) {
    if (slices.isOver(0)) await slices.next();
    for (const { instance, node } of reads) makeConstant(editsOf(instance), node, values[i]!);
    for (const { instance, node } of gathers) makeGather(editsOf(instance), node, values[i]!);
  }
  for (const instance of instances) renameCalls(editsOf(instance), instance);
  await foldIntoFilters(graph.nodes, graph, common, isKept, slices);
  if (hasEnsureShape) ensureShapes(graph, common, isUsed, isKept);
  const copies: [string, string, PackedNodes][] = [];
  for (const [{ function: of, name }, edits] of own) {
    await foldIntoFilters(graph.functions.get(of)!.nodes.values(), graph, edits, isKept, slices);
    copies.push([of, name, await edits.toNative(slices)]);
  }
  return { replaced: await common.toNative(slices), copies };
}

function makeConstant(edits: Edits, node: ModelNode, value: Value): void {
  edits.makeConstant(node, value);
  if (node.type === 'ReadVariableOp') edits.renameOutput(node, 'value', 'output');
}

function makeGather(edits: Edits, node: ModelNode, value: Value): void {
  const def = edits.change(node);
  const params = edits.addConstant(node, 'params', value);
  def.op = 'Gather';
  def.input = [params, ...def.input.slice(1)];
  const { dtype, Tindices, validate_indices } = def.attr;
  def.attr = { Tparams: dtype!, Tindices: Tindices!, ...(validate_indices && { validate_indices }) };
}

/** Calls of an instance that are to call copies: by an attribute, one of a list, or the op that the function itself is. */
function renameCalls(edits: Edits, { renamed }: Instance): void {
  for (const [node, names] of renamed) {
    const def = edits.change(node);
    def.op = names.get(def.op) ?? def.op;
    for (const [key, { value }] of Object.entries(def.attr)) {
      const rename = (func: NameAttrList) => ({ ...func, name: names.get(func.name) ?? func.name });
      if (value.case === 'func') {
        def.attr[key] = create(AttrValueSchema, { value: { case: 'func', value: rename(value.value) } });
      } else if (value.case === 'list' && value.value.func.length > 0) {
        const list = { ...value.value, func: value.value.func.map(rename) };
        def.attr[key] = create(AttrValueSchema, { value: { case: 'list', value: list } });
      }
    }
  }
}

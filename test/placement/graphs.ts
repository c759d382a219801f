/** Small graphs for tests of placement, written as a GraphDef is. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ModelGraph, type ModelNode } from '../../lib/placement/model-graph.js';
import type { AttrValueSchema } from '../../lib/proto/tensorflow/core/framework/attr_value_pb.js';
import type { FunctionDefSchema } from '../../lib/proto/tensorflow/core/framework/function_pb.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import type { NodeDefSchema } from '../../lib/proto/tensorflow/core/framework/node_def_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';

export type Node = MessageInitShape<typeof NodeDefSchema>;
export type Function = MessageInitShape<typeof FunctionDefSchema>;
type Attr = MessageInitShape<typeof AttrValueSchema>;

export const { DT_FLOAT: FLOAT, DT_BOOL: BOOL, DT_INT64: INT64, DT_RESOURCE: RESOURCE } = DataType;

const text = (value: string): Attr => ({ value: { case: 's', value: Buffer.from(value) } });
const func = (name: string): Attr => ({ value: { case: 'func', value: { name } } });
export const type = (value: DataType): Attr => ({ value: { case: 'type', value } });
export const types = (...list: DataType[]): Attr => ({
  value: { case: 'list', value: { type: list } },
});
export const flag = (value: boolean): Attr => ({ value: { case: 'b', value } });

/** `_class` */
export const tied = (...names: string[]): Record<string, Attr> => ({
  _class: { value: { case: 'list', value: { s: names.map((name) => Buffer.from(`loc:@${name}`)) } } },
});

export function constant(name: string, device = ''): Node {
  const tensor = { dtype: FLOAT, tensorShape: {}, floatVal: [3] };
  return {
    name,
    op: 'Const',
    device,
    attr: { dtype: type(FLOAT), value: { value: { case: 'tensor', value: tensor } } },
  };
}

export function condition(name: string): Node {
  const tensor = { dtype: BOOL, tensorShape: {}, boolVal: [true] };
  return {
    name,
    op: 'Const',
    attr: { dtype: type(BOOL), value: { value: { case: 'tensor', value: tensor } } },
  };
}

export function variable(name: string, device = ''): Node {
  const attr = { dtype: type(FLOAT), shape: { value: { case: 'shape', value: {} } } as Attr };
  return { name, op: 'VarHandleOp', device, attr: { ...attr, shared_name: text(name), container: text('') } };
}

export function refVariable(name: string, device = ''): Node {
  return { ...variable(name, device), op: 'VariableV2' };
}

export function table(name: string, device = ''): Node {
  const attr = { key_dtype: type(INT64), value_dtype: type(INT64), use_node_name_sharing: flag(false) };
  return { name, op: 'HashTableV2', device, attr: { ...attr, shared_name: text(''), container: text('') } };
}

export function tableSize(name: string, from: string, device = ''): Node {
  return { name, op: 'LookupTableSizeV2', device, input: [from] };
}

export function read(name: string, from: string, device = ''): Node {
  return { name, op: 'ReadVariableOp', device, input: [from], attr: { dtype: type(FLOAT) } };
}

export function assign(name: string, to: string, value: string, device = ''): Node {
  return { name, op: 'AssignVariableOp', device, input: [to, value], attr: { dtype: type(FLOAT) } };
}

export function refAssign(name: string, to: string, value: string, device = ''): Node {
  const attr = { T: type(FLOAT), use_locking: flag(true), validate_shape: flag(true) };
  return { name, op: 'Assign', device, input: [to, value], attr };
}

export function identity(
  name: string,
  from: string,
  device = '',
  attr: Record<string, Attr> = {},
  of: DataType = FLOAT,
): Node {
  return { name, op: 'Identity', device, input: [from], attr: { T: type(of), ...attr } };
}

/** `a` and `b` are of the same type. */
export function binary(op: string, name: string, a: string, b: string, device = ''): Node {
  return { name, op, device, input: [a, b], attr: { T: type(FLOAT) } };
}

/** What is fed. */
export function placeholder(name: string, device = ''): Node {
  return { name, op: 'Placeholder', device, attr: { dtype: type(FLOAT) } };
}

/** An op of TensorFlow 1's control flow: all of them hand their first input on. */
export function flow(op: string, name: string, input: string[], device = '', of: DataType = FLOAT): Node {
  const attr: Record<string, Attr> = op === 'LoopCond' ? {} : { T: type(of) };
  if (op === 'Merge') attr.N = { value: { case: 'i', value: BigInt(input.length) } };
  return { name, op, device, input, attr };
}

/** Into a loop; a constant stays through all rounds. */
export function enter(name: string, from: string, isConstant = false): Node {
  const frame = {
    frame_name: text('frame'),
    parallel_iterations: { value: { case: 'i', value: 1n } } as Attr,
  };
  return {
    name,
    op: 'Enter',
    input: [from],
    attr: { T: type(FLOAT), ...frame, is_constant: flag(isConstant) },
  };
}

/** A call of a function with handles for arguments and one float for a result. */
export function call(
  name: string,
  callee: string,
  input: string[],
  device = '',
  result: DataType = FLOAT,
): Node {
  const attr = { Tin: types(...input.map(() => RESOURCE)), Tout: types(result), f: func(callee) };
  const config = { config: text(''), config_proto: text(''), executor_type: text('') };
  return { name, op: 'StatefulPartitionedCall', device, input, attr: { ...attr, ...config } };
}

export function branch(name: string, callee: string, input: string[], device = '', isLowered = false): Node {
  const attr: Record<string, Attr> = { Tin: types(RESOURCE), Tout: types(FLOAT), Tcond: type(BOOL) };
  const branches = { then_branch: func(callee), else_branch: func(callee) };
  if (isLowered) attr._lower_using_switch_merge = flag(true);
  return { name, op: 'If', device, input, attr: { ...attr, ...branches } };
}

export function loop(name: string, cond: string, body: string, input: string[], of: DataType[]): Node {
  return { name, op: 'While', input, attr: { T: types(...of), cond: func(cond), body: func(body) } };
}

export function fn(
  name: string,
  nodeDef: Node[],
  ret: Record<string, string>,
  args: Record<string, DataType> = { a: RESOURCE },
  results: Record<string, DataType> = { out: FLOAT },
): Function {
  const list = (of: Record<string, DataType>) =>
    Object.entries(of).map(([key, value]) => ({ name: key, type: value }));
  return {
    signature: { name, inputArg: list(args), outputArg: list(results), isStateful: true },
    nodeDef,
    ret,
  };
}

export function graphBytes(node: Node[], ...functions: Function[]): Uint8Array {
  const library = { function: functions };
  return toBinary(GraphDefSchema, create(GraphDefSchema, { node, library, versions: { producer: 1882 } }));
}

export function decode(node: Node[], ...functions: Function[]): Promise<ModelGraph> {
  return ModelGraph.decode(graphBytes(node, ...functions));
}

/** `name`, or `function/name`. */
export function names(nodes: Iterable<ModelNode>): string[] {
  return [...nodes].map((node) => (node.function === '' ? node.name : `${node.function}/${node.name}`));
}

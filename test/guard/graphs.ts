/** SavedModels that no exporter writes: one float in, one out, whatever stands between. */

import { create, fromBinary } from '@bufbuild/protobuf';
import { type AttrValue, AttrValueSchema } from '../../lib/proto/tensorflow/core/framework/attr_value_pb.js';
import {
  type FunctionDef,
  FunctionDefSchema,
  GradientDefSchema,
} from '../../lib/proto/tensorflow/core/framework/function_pb.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import {
  FLOAT,
  type Function as Fn,
  fn,
  graphBytes,
  type Node,
  placeholder,
  type,
  types,
} from '../placement/graphs.js';
import { type MetaGraphInit, modelBytes, modelDirectory } from '../saved-model/models.js';

const info = (name: string) => ({
  encoding: { case: 'name' as const, value: name },
  dtype: FLOAT,
  tensorShape: {},
});

/** The folder of a model with the input x, and `out` as its output. */
export function saved(
  node: Node[],
  functions: Fn[] = [],
  { gradient, ...more }: MetaGraphInit & { gradient?: { functionName: string; gradientFunc: string }[] } = {},
  out = 'out:0',
): Promise<string> {
  const graphDef = fromBinary(GraphDefSchema, graphBytes([placeholder('x'), ...node], ...functions));
  for (const each of gradient ?? []) graphDef.library!.gradient.push(create(GradientDefSchema, each));
  return modelDirectory(
    modelBytes({
      metaInfoDef: { tags: ['serve'] },
      graphDef,
      signatureDef: {
        serving_default: { inputs: { x: info('x:0') }, outputs: { y: info(out) } },
        ...(more.signatureDef as object),
      },
      ...(more.assetFileDef && { assetFileDef: more.assetFileDef }),
      ...(more.saverDef && { saverDef: more.saverDef }),
    }),
  );
}

export const initSignature = (op: string): NonNullable<MetaGraphInit['signatureDef']> => ({
  __saved_model_init_op: { outputs: { __saved_model_init_op: info(`${op}:0`) } },
});

export function call(name: string, from: string, f: string, op = 'StatefulPartitionedCall'): Node {
  const func = { value: { case: 'func' as const, value: { name: f } } };
  return { name, op, input: [from], attr: { Tin: types(FLOAT), Tout: types(FLOAT), f: func } };
}

export const relu = (name: string, from: string): Node => ({
  name,
  op: 'Relu',
  input: [from],
  attr: { T: type(FLOAT) },
});

/** A function of one float, `x`. */
export const body = (name: string, nodes: Node[], result: string): Fn =>
  fn(name, nodes, { y: result }, { x: FLOAT }, { y: FLOAT });

/** Functions f0 to f(n-1), each of which calls the next one so often, one call behind the other. */
export function nested(depth: number, calls = 1): Fn[] {
  return Array.from({ length: depth }, (_, i) => {
    if (i === depth - 1) return body(`f${i}`, [relu('c', 'x')], 'c:activations:0');
    const nodes = Array.from({ length: calls }, (_, k) =>
      call(`c${k}`, k === 0 ? 'x' : `c${k - 1}:output:0`, `f${i + 1}`),
    );
    return body(`f${i}`, nodes, `c${calls - 1}:output:0`);
  });
}

export function textConstant(name: string, value: string): Node {
  const tensor = { dtype: DataType.DT_STRING, tensorShape: {}, stringVal: [Buffer.from(value)] };
  const attr = {
    dtype: type(DataType.DT_STRING),
    value: { value: { case: 'tensor' as const, value: tensor } },
  };
  return { name, op: 'Const', attr };
}

/** Writes "was here" into the file. */
export const write = (name: string, file: string, output = ''): Node[] => [
  textConstant(`${name}/file`, file),
  textConstant(`${name}/text`, 'was here'),
  { name, op: 'WriteFile', input: [`${name}/file${output}`, `${name}/text${output}`] },
];

export const func = (name: string, attr: Record<string, AttrValue> = {}): AttrValue =>
  create(AttrValueSchema, { value: { case: 'func', value: { name, attr } } });
export const text = (value: string): AttrValue =>
  create(AttrValueSchema, { value: { case: 's', value: Buffer.from(value) } });
export const number = (value: number): AttrValue =>
  create(AttrValueSchema, { value: { case: 'i', value: BigInt(value) } });
/** What the caller of the function around says. */
export const given = (name: string): AttrValue =>
  create(AttrValueSchema, { value: { case: 'placeholder', value: name } });

export function changed(one: Fn, change: (made: FunctionDef) => void): Fn {
  const made = create(FunctionDefSchema, one);
  change(made);
  return made;
}

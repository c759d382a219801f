/** Real SavedModels, made of graphs here: one input x, one output y, variables that the model's init op assigns. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import { largestDifference } from '../../lib/freeze/options.js';
import {
  type ConfigProtoJson,
  decodeRunMetadata,
  type LoadOptions,
  SavedModel,
  type TensorLike,
} from '../../lib/index.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { SavedModelSchema } from '../../lib/proto/tensorflow/core/protobuf/saved_model_pb.js';

export const FLOAT = 1;
export const attr = {
  type: { value: { case: 'type', value: FLOAT } },
  shape: (...dims: number[]) => ({
    value: { case: 'shape', value: { dim: dims.map((size) => ({ size: BigInt(size) })) } },
  }),
  text: (text: string) => ({ value: { case: 's', value: new TextEncoder().encode(text) } }),
  float: (value: number) => ({ value: { case: 'f', value } }),
  no: { value: { case: 'b', value: false } },
  ints: (...i: number[]) => ({ value: { case: 'list', value: { i: i.map(BigInt) } } }),
  tensor: (shape: number[], values: number[]) => ({
    value: {
      case: 'tensor',
      value: {
        dtype: FLOAT,
        tensorShape: { dim: shape.map((size) => ({ size: BigInt(size) })) },
        floatVal: values,
      },
    },
  }),
};

export interface Node {
  name: string;
  op: string;
  input?: string[];
  device?: string;
  attr?: object;
}

let seed = 1;
const random = () => {
  seed = (seed * 16807) % 2147483647;
  return 0.5 + seed / 2147483647;
};

/** A variable of TensorFlow 2 with random values of 0.5 to 1.5, assigned by the model's init op. */
export function variable(name: string, ...shape: number[]): Node[] {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random);
  const type = { dtype: attr.type };
  return [
    { name, op: 'VarHandleOp', attr: { ...type, shape: attr.shape(...shape), shared_name: attr.text(name) } },
    { name: `${name}/initial`, op: 'Const', attr: { ...type, value: attr.tensor(shape, values) } },
    { name: `${name}/assign`, op: 'AssignVariableOp', input: [name, `${name}/initial`], attr: type },
    { name: `${name}/read`, op: 'ReadVariableOp', input: [name], attr: type },
  ];
}

/** The folder of a SavedModel of this graph, for one test. */
export function save(
  node: Node[],
  inputShape: number[],
  outputShape: number[],
  functions: object[] = [],
): string {
  const folder = mkdtempSync(join(tmpdir(), 'tf-session-freeze-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const info = (name: string) => ({ encoding: { case: 'name', value: `${name}:0` }, dtype: FLOAT });
  const open = (dims: number[]) => ({ dim: dims.map((size) => ({ size: BigInt(size) })) });
  const assigns = node.filter(({ op }) => op === 'AssignVariableOp').map(({ name }) => `^${name}`);
  const graph = {
    node: [...node, { name: 'init', op: 'NoOp', input: assigns }],
    library: { function: functions },
    versions: { producer: 1200 },
  };
  const model = {
    savedModelSchemaVersion: 1n,
    metaGraphs: [
      {
        metaInfoDef: { tags: ['serve'] },
        graphDef: create(GraphDefSchema, graph as never),
        signatureDef: {
          serving_default: {
            inputs: { x: { ...info('x'), tensorShape: open(inputShape) } },
            outputs: { y: { ...info('y'), tensorShape: open(outputShape) } },
          },
          __saved_model_init_op: { outputs: { __saved_model_init_op: info('init') } },
        },
      },
    ],
  };
  writeFileSync(
    join(folder, 'saved_model.pb'),
    toBinary(SavedModelSchema, create(SavedModelSchema, model as never)),
  );
  mkdirSync(join(folder, 'variables'));
  return folder;
}

/** Without Grappler, which folds and fuses what is left. */
export const config = {
  deviceCount: { CPU: 2 },
  graphOptions: { rewriteOptions: { disableMetaOptimizer: true } },
};

/** With what puts bodies in the place of calls, and nothing else of Grappler. */
export const inlining: { config: ConfigProtoJson } = {
  config: {
    deviceCount: { CPU: 2 },
    graphOptions: {
      rewriteOptions: {
        minGraphNodes: -1,
        constantFolding: 'OFF',
        arithmeticOptimization: 'OFF',
        remapping: 'OFF',
        layoutOptimizer: 'OFF',
        dependencyOptimization: 'OFF',
        shapeOptimization: 'OFF',
        loopOptimization: 'OFF',
      },
    },
  },
};

/** Outputs as saved and frozen, and the types of the ops that ran frozen; `model` is the class of the package as built, too. */
export async function both(
  folder: string,
  x: TensorLike,
  options: LoadOptions = { config },
  model = SavedModel,
) {
  await using plain = await model.load(folder, options);
  await using frozen = await model.load(folder, { ...options, freeze: true });
  const types: string[] = [];
  const runOptions = { outputPartitionGraphs: true, traceLevel: 'SOFTWARE_TRACE' } as const;
  const expected = (await plain.run({ x })).y!;
  const actual = await frozen.run(
    { x },
    {
      runOptions,
      onRunMetadata: (bytes) => {
        const { partitionGraphs, stepStats } = decodeRunMetadata(bytes);
        types.push(...partitionGraphs.flatMap(({ node }) => node.map(({ op }) => op)));
        // What ran in a body that is still one, by its label: `name = Type(inputs)`.
        const known = new Set(partitionGraphs.flatMap(({ node }) => node.map(({ name }) => name)));
        for (const { nodeName, timelineLabel } of stepStats?.devStats.flatMap((each) => each.nodeStats) ??
          []) {
          const type = /= (\w+)\(/.exec(timelineLabel)?.[1];
          if (type !== undefined && !known.has(nodeName)) types.push(type);
        }
      },
    },
  );
  return { difference: largestDifference(expected, actual.y!), types };
}

/** Batch normalization goes into the filter before it, in real SavedModels that are made of graphs here. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it, onTestFinished } from 'vitest';
import { largestDifference } from '../../lib/freeze/options.js';
import { decodeRunMetadata, SavedModel, Tensor } from '../../lib/index.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { SavedModelSchema } from '../../lib/proto/tensorflow/core/protobuf/saved_model_pb.js';

const FLOAT = 1;
const attr = {
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

interface Node {
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
function variable(name: string, ...shape: number[]): Node[] {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random);
  const type = { dtype: attr.type };
  return [
    { name, op: 'VarHandleOp', attr: { ...type, shape: attr.shape(...shape), shared_name: attr.text(name) } },
    { name: `${name}/initial`, op: 'Const', attr: { ...type, value: attr.tensor(shape, values) } },
    { name: `${name}/assign`, op: 'AssignVariableOp', input: [name, `${name}/initial`], attr: type },
    { name: `${name}/read`, op: 'ReadVariableOp', input: [name], attr: type },
  ];
}

const CHANNELS = 4;

/** x -> convolution -> (BiasAdd) -> batch norm -> Relu6 -> y. */
function network(conv: string, options: { bias?: boolean; device?: string; shared?: boolean } = {}): Node[] {
  const filter = conv === 'Conv2D' ? [3, 3, 2, CHANNELS] : [3, 3, 2, 2];
  const data = { data_format: attr.text('NHWC') };
  const before = options.bias ? 'bias_add' : 'conv';
  return [
    { name: 'x', op: 'Placeholder', attr: { dtype: attr.type, shape: attr.shape(-1, 8, 8, 2) } },
    ...variable('filter', ...filter),
    ...['scale', 'offset', 'mean', 'variance', 'bias'].flatMap((name) => variable(name, CHANNELS)),
    {
      name: 'conv',
      op: conv,
      input: ['x', 'filter/read'],
      attr: { T: attr.type, strides: attr.ints(1, 1, 1, 1), padding: attr.text('SAME'), ...data },
    },
    ...(options.bias
      ? [{ name: 'bias_add', op: 'BiasAdd', input: ['conv', 'bias/read'], attr: { T: attr.type, ...data } }]
      : []),
    {
      name: 'norm',
      op: 'FusedBatchNormV3',
      input: [before, 'scale/read', 'offset/read', 'mean/read', 'variance/read'],
      device: options.device ?? '',
      attr: { T: attr.type, U: attr.type, epsilon: attr.float(0.001), is_training: attr.no, ...data },
    },
    { name: 'relu', op: 'Relu6', input: ['norm'], attr: { T: attr.type } },
    ...(options.shared
      ? [{ name: 'y', op: 'AddV2', input: ['relu', 'conv'], attr: { T: attr.type } }]
      : [{ name: 'y', op: 'Identity', input: ['relu'], attr: { T: attr.type } }]),
    {
      name: 'init',
      op: 'NoOp',
      input: ['filter', 'scale', 'offset', 'mean', 'variance', 'bias'].map((name) => `^${name}/assign`),
    },
  ];
}

/** The folder of a SavedModel of this graph, for one test. */
function save(node: Node[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'tf-session-fold-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const info = (name: string) => ({ encoding: { case: 'name', value: `${name}:0` }, dtype: FLOAT });
  const open = (...dims: number[]) => ({ dim: dims.map((size) => ({ size: BigInt(size) })) });
  const model = {
    savedModelSchemaVersion: 1n,
    metaGraphs: [
      {
        metaInfoDef: { tags: ['serve'] },
        graphDef: create(GraphDefSchema, { node, versions: { producer: 1200 } } as never),
        signatureDef: {
          serving_default: {
            inputs: { x: { ...info('x'), tensorShape: open(-1, 8, 8, 2) } },
            outputs: { y: { ...info('y'), tensorShape: open(-1, 8, 8, CHANNELS) } },
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

const x = Tensor.from(
  Float32Array.from({ length: 2 * 8 * 8 * 2 }, (_, i) => (i % 17) / 8 - 1),
  [2, 8, 8, 2],
);
/** Without Grappler, which folds and fuses what is left. */
const config = { deviceCount: { CPU: 2 }, graphOptions: { rewriteOptions: { disableMetaOptimizer: true } } };

/** Outputs as saved and frozen, and the types of the ops that ran frozen. */
async function both(folder: string) {
  await using plain = await SavedModel.load(folder, { config });
  await using frozen = await SavedModel.load(folder, { config, freeze: true });
  const types: string[] = [];
  const runOptions = { outputPartitionGraphs: true, traceLevel: 'SOFTWARE_TRACE' } as const;
  const expected = (await plain.run({ x })).y!;
  const actual = await frozen.run(
    { x },
    {
      runOptions,
      onRunMetadata: (bytes) => {
        for (const { node } of decodeRunMetadata(bytes).partitionGraphs)
          types.push(...node.map(({ op }) => op));
      },
    },
  );
  return { difference: largestDifference(expected, actual.y!), types };
}

describe.each(['Conv2D', 'DepthwiseConv2dNative'])('%s', (conv) => {
  it.each([false, true])('takes in the normalization after it, with a bias between: %s', async (bias) => {
    const { difference, types } = await both(save(network(conv, { bias })));
    expect(difference).toBeLessThan(1e-5);
    expect(types.some((type) => type.includes(conv.slice(0, 6)))).toBe(true);
    expect(types.filter((type) => type.includes('BatchNorm'))).toEqual([]);
    expect(types).not.toContain('ReadVariableOp');
  });

  it('keeps apart what stands on another device', async () => {
    const { difference, types } = await both(save(network(conv, { device: '/device:CPU:1' })));
    expect(difference).toBeLessThan(1e-5);
    expect(types.some((type) => type.includes('BatchNorm'))).toBe(true);
  });

  it('keeps its own output where others take it', async () => {
    const { difference, types } = await both(save(network(conv, { shared: true })));
    expect(difference).toBeLessThan(1e-5);
    expect(types.some((type) => type.includes('BatchNorm'))).toBe(true);
  });
});

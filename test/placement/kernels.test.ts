import { create, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it } from 'vitest';
import { tensorflow } from '../../lib/index.js';
import { registeredKernels } from '../../lib/placed-graph.js';
import { kernelLookup, supportsDevice } from '../../lib/placement/kernels.js';
import {
  KernelDefSchema,
  KernelListSchema,
} from '../../lib/proto/tensorflow/core/framework/kernel_def_pb.js';
import { NodeDefSchema } from '../../lib/proto/tensorflow/core/framework/node_def_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import * as g from './graphs.js';

const nodeDef = (op: string, attr: g.Node['attr'] = {}) => create(NodeDefSchema, { name: 'n', op, attr });

/** A kernel, with a list of types for each attribute that it constrains. */
function kernel(deviceType: string, constraints: Record<string, DataType[]> = {}, label = '') {
  const constraint = Object.entries(constraints).map(([name, list]) => ({
    name,
    allowedValues: g.types(...list),
  }));
  return create(KernelDefSchema, { op: 'X', deviceType, constraint, label });
}

describe('a list of kernels', () => {
  const { DT_FLOAT, DT_HALF, DT_INT32 } = DataType;

  it('serves a device type, or all', () => {
    const node = nodeDef('X');
    expect(supportsDevice([kernel('CPU')], node, 'CPU')).toBe('yes');
    expect(supportsDevice([kernel('CPU')], node, 'GPU')).toBe('no');
    expect(supportsDevice([kernel('CPU'), kernel('DEFAULT')], node, 'GPU')).toBe('yes');
    expect(supportsDevice([], node, 'CPU')).toBe('unknown');
  });

  it('serves data types, all that the node has', () => {
    const kernels = [
      kernel('CPU'),
      kernel('GPU', { T: [DT_FLOAT] }),
      kernel('GPU', { T: [DT_HALF], U: [DT_INT32] }),
    ];
    const supports = (attr: g.Node['attr']) => supportsDevice(kernels, nodeDef('X', attr), 'GPU');
    expect(supports({ T: g.type(DT_FLOAT) })).toBe('yes');
    expect(supports({ T: g.type(DT_INT32) })).toBe('no');
    expect(supports({ T: g.type(DT_HALF), U: g.type(DT_INT32) })).toBe('yes');
    expect(supports({ T: g.type(DT_HALF), U: g.type(DT_FLOAT) })).toBe('no');
    // A default that only TensorFlow knows.
    expect(supports({ T: g.type(DT_HALF) })).toBe('yes');
    expect(supports({ T: g.types(DT_FLOAT, DT_FLOAT) })).toBe('yes');
    expect(supports({ T: g.types(DT_FLOAT, DT_INT32) })).toBe('no');
  });

  it('with a label serves those that ask for it', () => {
    const kernels = [kernel('CPU'), kernel('GPU', {}, 'special')];
    expect(supportsDevice(kernels, nodeDef('X'), 'GPU')).toBe('no');
    const attr = { _kernel: { value: { case: 's', value: Buffer.from('special') } } } as const;
    expect(supportsDevice(kernels, nodeDef('X', attr), 'GPU')).toBe('yes');
    expect(supportsDevice(kernels, nodeDef('X', attr), 'CPU')).toBe('no');
  });

  it('is not needed by calls and placeholders', () => {
    for (const op of ['PartitionedCall', 'StatelessWhile', 'If', 'Placeholder', '_Arg', '_Retval']) {
      expect(supportsDevice([kernel('CPU')], nodeDef(op), 'GPU'), op).toBe('yes');
    }
  });

  it('is asked for once an op type', async () => {
    const asked: string[] = [];
    const lookup = kernelLookup((op) => {
      asked.push(op);
      return op === 'Old'
        ? undefined
        : toBinary(KernelListSchema, create(KernelListSchema, { kernel: [kernel('CPU')] }));
    });
    const { nodes } = await g.decode(['X', 'X', 'Old', 'Old'].map((op, i) => ({ name: `n${i}`, op })));
    expect(nodes.map((node) => lookup(node, 'GPU'))).toEqual(['no', 'no', 'unknown', 'unknown']);
    expect(asked).toEqual(['X', 'Old']);
  });
});

describe('the kernels of TensorFlow', () => {
  beforeAll(async () => {
    await tensorflow.open({});
  });

  it.each([
    ['MatMul', { T: g.type(DataType.DT_FLOAT) }, 'CPU', 'yes'],
    ['MatMul', { T: g.type(DataType.DT_STRING) }, 'CPU', 'no'],
    ['MatMul', { T: g.type(DataType.DT_FLOAT) }, 'NO_SUCH_DEVICE', 'no'],
    ['DecodeJpeg', {}, 'CPU', 'yes'],
    ['DecodeJpeg', {}, 'GPU', 'no'],
    ['NoOp', {}, 'GPU', 'yes'],
    ['StatefulPartitionedCall', {}, 'GPU', 'yes'],
    ['NoSuchOp', {}, 'CPU', 'unknown'],
  ] as const)('%s %o on %s: %s', async (op, attr, device, expected) => {
    const { nodes } = await g.decode([{ name: 'n', op, attr }]);
    expect(kernelLookup(registeredKernels)(nodes[0]!, device)).toBe(expected);
  });
});

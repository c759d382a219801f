/** What this library relies on in TensorFlow's sessions: placement, ties, variables, metadata, kernels. */
import { describe, expect, it } from 'vitest';
import type { RunOptionsJson } from '../../lib/config.js';
import { parseKernels } from '../../lib/placement/kernels.js';
import { addon } from '../../lib/runtime/addon.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { failure } from '../helpers/failure.js';
import * as g from '../placement/graphs.js';
import { chain, GPU, put, putTypes, ROW } from './raw-chain.js';
import {
  EXACT,
  FOUR,
  type RawNode,
  type RawOptions,
  rawModel,
  rawSession,
  restoredSession,
  SOFT,
  served,
  trace,
  UNOPTIMIZED,
  where,
} from './raw-session.js';

describe('placement', () => {
  it('is the same in each run of a session', async () => {
    const model = await rawModel('chain');
    const device = putTypes({ MatMul: '/CPU:1', BiasAdd: '/CPU:2', Relu: '/CPU:3' });
    const session = await restoredSession(model, { device, ...EXACT });
    const places = async () =>
      (await trace(session, ...served(model, ROW))).ran.map(({ device, name }) => `${device} ${name}`).sort();
    const first = await places();
    expect(first.length).toBeGreaterThan(20);
    for (let i = 0; i < 3; i++) expect(await places()).toEqual(first);
  });

  it('is of the whole main graph at the first run: an op that has no place breaks what does not need it', async () => {
    const model = await rawModel('colocated');
    const device = put({ 'save/SaveV2': GPU });
    const X = { x: [[1, 2, 3]] };
    const error = await failure((await rawSession(model.graphDef, { device })).run('c', X));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'save/SaveV2' });
    const soft = await rawSession(model.graphDef, { device, config: { ...FOUR, ...SOFT } });
    expect((await soft.run('c', X))[0]!.data).toEqual(new Float32Array([-2, -1, 0]));
  });

  it('is of a function’s body when it is called: one that is not called may hold anything', async () => {
    const isSave = ({ def }: RawNode) => (def.op === 'SaveV2' ? GPU : undefined);
    expect((await chain({ device: isSave, ...EXACT })).data).toHaveLength(16);
    const call = await failure(chain({ device: put({ StatefulPartitionedCall_1: GPU }), ...EXACT }));
    expect(call.op).toBe('StatefulPartitionedCall_1');
  });
});

describe('what is tied together', () => {
  const device = put({ a: '/CPU:1', b: '/CPU:2' });
  const X = { x: [[1, 2, 3]] };

  it('by _class goes where one of them was put', async () => {
    const model = await rawModel('colocated');
    const session = await restoredSession(model, { device: put({ a: '/CPU:1' }), ...EXACT });
    const { ran } = await trace(session, ...served(model, X));
    expect(['a', 'b', 'c', 'd', 'e'].map((name) => where(ran, name).join())).toEqual([
      ...['CPU:1', 'CPU:1', 'CPU:0', 'CPU:0', 'CPU:1'],
    ]);
  });

  it('by _class and put on two devices is an error; soft placement drops both', async () => {
    const model = await rawModel('colocated');
    const error = await failure(restoredSession(model, { device }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'b' });
    expect(error.message).toMatch(/Cannot colocate nodes .*b.* and .*a.*: Cannot merge devices/);
    const session = await restoredSession(model, { device, config: { ...FOUR, ...UNOPTIMIZED, ...SOFT } });
    const { ran } = await trace(session, ...served(model, X));
    expect([where(ran, 'a'), where(ran, 'b'), where(ran, 'e')]).toEqual([['CPU:0'], ['CPU:0'], ['CPU:0']]);
  });

  it.each<[string, RawOptions]>([
    ['hard', {}],
    ['soft', { config: { ...FOUR, ...SOFT } }],
    ['hard without Grappler', EXACT],
  ])('by a resource runs where the variable is, %s', async (_, options) => {
    const nodes = [g.variable('v', '/CPU:1'), g.constant('k'), g.assign('put', 'v', 'k', '/CPU:3')];
    const main = await rawSession(g.graphBytes([...nodes, g.read('r', 'v', '/CPU:2')]), options);
    const assigned = await trace(main, [], {}, { targets: ['put'] });
    expect(where(assigned.ran, 'put')).toEqual(['CPU:1']);
    const { ran, data } = await trace(main, ['r'], {});
    expect(where(ran, 'r')).toEqual(['CPU:1']);
    expect(data).toEqual(new Float32Array([3]));
    const read = 'layer_0/MatMul/ReadVariableOp';
    const body = await chain({ device: put({ kernel_0: '/CPU:1', [read]: '/CPU:2' }), ...options });
    expect(where(body.ran, read)).toEqual(['CPU:1']);
  });

  it('by a reference takes the variable along, from any op that has a device', async () => {
    const model = await rawModel('colocated');
    const session = await restoredSession(model, { device: put({ 'w/Assign': '/CPU:2' }), ...EXACT });
    const { ran } = await trace(session, ...served(model, X));
    expect([where(ran, 'w'), where(ran, 'd')]).toEqual([['CPU:2'], ['CPU:2']]);
  });
});

describe('registered kernels', () => {
  const types = async (op: string) => {
    await openLibrary();
    return new Set(parseKernels(addon().registeredKernels(op)).map(({ deviceType }) => deviceType));
  };

  it('are of every device for ops that do nothing', async () => {
    for (const op of ['NoOp', 'ControlTrigger']) {
      // Beside it there are compilers' devices, which are never asked for.
      expect((await types(op)).has('DEFAULT'), op).toBe(true);
      expect((await types(op)).has('CPU'), op).toBe(false);
      expect((await types(op)).has('GPU'), op).toBe(false);
    }
  });

  it('are an empty list for an op that is unknown, and no error', () => {
    expect(addon().registeredKernels('NoSuchOp')).toHaveLength(0);
  });

  it('are of the CPU alone in a library without a GPU', async () => {
    const isOfCpu = /cpu/i.test(addon().library()!.path);
    for (const op of ['MatMul', 'Conv2D', 'BiasAdd']) {
      expect((await types(op)).has('CPU'), op).toBe(true);
      expect((await types(op)).has('GPU'), op).toBe(!isOfCpu);
    }
  });
});

describe('variables', () => {
  const graph = (device = '') =>
    g.graphBytes([
      g.variable('v', device),
      g.constant('k'),
      g.assign('put', 'v', 'k'),
      g.read('r', 'v'),
      // Another handle of the same variable, if it is on the same device.
      { ...g.variable('v', '/CPU:1'), name: 'other' },
      g.read('q', 'other'),
    ]);

  it('have no value in a session that was made of the graph alone', async () => {
    const model = await rawModel('chain');
    const error = await failure((await rawSession(model.graphDef)).run(...served(model, ROW)));
    expect(error.code).toBe('FAILED_PRECONDITION');
    expect(error.message).toMatch(/Could not find variable (kernel|bias)_\d/);
    const reference = await rawModel('tf1-variables');
    const x = served(reference, { x: [[1, 2, 3]] });
    expect((await failure((await rawSession(reference.graphDef)).run(...x))).code).toBe(
      'FAILED_PRECONDITION',
    );
  });

  it('of one shared_name are others in another session', async () => {
    const [one, two] = [await rawSession(graph()), await rawSession(graph())];
    await one.run([], {}, { targets: ['put'] });
    expect((await one.run('r'))[0]!.data).toEqual(new Float32Array([3]));
    expect((await failure(two.run('r'))).code).toBe('FAILED_PRECONDITION');
  });

  it('of one shared_name are others on another device', async () => {
    const same = await rawSession(graph('/CPU:1'), EXACT);
    await same.run([], {}, { targets: ['put'] });
    expect((await same.run('q'))[0]!.data).toEqual(new Float32Array([3]));
    const apart = await rawSession(graph('/CPU:2'), EXACT);
    await apart.run([], {}, { targets: ['put'] });
    expect((await apart.run('r'))[0]!.data).toEqual(new Float32Array([3]));
    expect((await failure(apart.run('q'))).code).toBe('FAILED_PRECONDITION');
  });
});

describe('the metadata of a run', () => {
  const device = putTypes({ MatMul: '/CPU:1' });
  const traced = async (runOptions: RunOptionsJson, options: RawOptions = EXACT) => {
    const model = await rawModel('chain');
    const session = await restoredSession(model, { device, ...options });
    return trace(session, ...served(model, ROW), { runOptions });
  };

  it('has a call that was not inlined as one node of the partition graphs, its ops in step_stats', async () => {
    const { ran, partitions } = await traced({ traceLevel: 'SOFTWARE_TRACE', outputPartitionGraphs: true });
    expect(partitions.filter(({ op }) => op === 'StatefulPartitionedCall')).toEqual([
      { device: 'CPU:0', name: 'StatefulPartitionedCall', op: 'StatefulPartitionedCall' },
    ]);
    expect(where(partitions, 'layer_0/MatMul')).toEqual([]);
    expect(where(partitions, 'kernel_0')).toEqual(['CPU:0']);
    expect(ran).toContainEqual(expect.objectContaining({ device: 'CPU:1', name: 'layer_0/MatMul' }));
    // Nor does step_stats list what is sent.
    expect([...ran, ...partitions].filter(({ op }) => /^_(Host)?(Send|Recv)$/.test(op))).toEqual([]);
  });

  it('has the ops of a call that was inlined in both, behind the names of the calls', async () => {
    const { ran, partitions } = await traced(
      { traceLevel: 'SOFTWARE_TRACE', outputPartitionGraphs: true },
      { config: FOUR },
    );
    const name = 'StatefulPartitionedCall/StatefulPartitionedCall/layer_0/Relu';
    for (const list of [ran, partitions]) {
      expect(list).toContainEqual(expect.objectContaining({ device: 'CPU:1', name }));
    }
    // The name of the outer call is left with what gathers its outputs.
    expect(ran.find((each) => each.name === 'StatefulPartitionedCall')?.op).toBe('IdentityN');
  });

  it('has step_stats for a trace level alone, partition graphs for their own option alone', async () => {
    const steps = await traced({ traceLevel: 'SOFTWARE_TRACE' });
    expect([steps.ran.length > 0, steps.partitions.length]).toEqual([true, 0]);
    const graphs = await traced({ outputPartitionGraphs: true });
    expect([graphs.ran.length, graphs.partitions.length > 0]).toEqual([0, true]);
    const all = await traced({ traceLevel: 'FULL_TRACE' });
    expect(where(all.ran, 'layer_0/MatMul')).toEqual(['CPU:1']);
  });

  // The addon asks for it only then, too.
  it('is not given for a run that fails', async () => {
    const session = await rawSession((await rawModel('chain')).graphDef);
    let isGiven = false;
    const onRunMetadata = () => {
      isGiven = true;
    };
    const runOptions = { traceLevel: 'SOFTWARE_TRACE', outputPartitionGraphs: true } as const;
    await failure(session.run('bias_0/Read/ReadVariableOp', {}, { runOptions, onRunMetadata }));
    expect(isGiven).toBe(false);
  });
});

/**
 * What this library relies on in TensorFlow's own placement of ops in function bodies, below all of the library's checks.
 * A failure here means that this TensorFlow behaves in another way than those before, so that `lib/placement` has to be
 * looked at. The rest is in tensorflow-session-facts.test.ts and tensorflow-loader-facts.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { parseDevice } from '../../lib/placement/device.js';
import { restoreSteps } from '../../lib/saved-model/restore.js';
import { failure } from '../helpers/failure.js';
import * as g from '../placement/graphs.js';
import { chain, GPU, put, putTypes } from './raw-chain.js';
import {
  EXACT,
  FOUR,
  type Placed,
  type RawOptions,
  rawModel,
  rawSession,
  SOFT,
  trace,
  UNOPTIMIZED,
  where,
} from './raw-session.js';

const HARD_CALLS = Uint8Array.of(7 << 3, 0);

/** A graph of `x`, Identity `y` in a body, its call `c`, and Identity `z`. */
function identities({ main = '', body = '' }): Uint8Array {
  const f = { value: { case: 'func' as const, value: { name: 'f' } } };
  const empty = { value: { case: 's' as const, value: new Uint8Array() } };
  const types = { Tin: g.types(g.FLOAT), Tout: g.types(g.FLOAT) };
  const call = { name: 'c', op: 'PartitionedCall', input: ['x'], attr: { ...types, f, config_proto: empty } };
  const x = { name: 'x', op: 'Placeholder', attr: { dtype: g.type(g.FLOAT) } };
  const y = g.fn('f', [g.identity('y', 'a', body)], { out: 'y:output:0' }, { a: g.FLOAT });
  return g.graphBytes([x, call, g.identity('z', 'x', main)], y);
}

const isFusedMatMul = ({ op }: Placed) => /^_\w*Fused\w*MatMul$/.test(op);
const LAYERS = [0, 1, 2];

describe('devices of body nodes', () => {
  it('are honoured: variables stay, and what was read of them is sent', async () => {
    const { ran, partitions } = await chain({ device: put({ 'layer_1/MatMul': '/CPU:1' }), ...EXACT });
    expect(where(ran, 'layer_1/MatMul')).toEqual(['CPU:1']);
    expect(where(ran, 'layer_0/MatMul')).toEqual(['CPU:0']);
    expect(where(ran, 'layer_1/BiasAdd')).toEqual(['CPU:0']);
    expect(where(ran, 'kernel_1')).toEqual(['CPU:0']);
    expect(where(ran, 'layer_1/MatMul/ReadVariableOp')).toEqual(['CPU:0']);
    expect(where(partitions, 'kernel_1')).toEqual(['CPU:0']);
  });

  it('count under Grappler too, where the inlined function shows what is sent', async () => {
    const { ran, partitions } = await chain({ device: putTypes({ MatMul: '/CPU:1' }) });
    expect(ran.filter(isFusedMatMul).map(({ device }) => device)).toEqual(['CPU:1', 'CPU:1', 'CPU:1']);
    expect(where(ran, 'layer_1/MatMul/ReadVariableOp')).toEqual(['CPU:0']);
    const sent = partitions.filter(({ op }) => op === '_Send').map(({ name }) => name.replace(/\/_\d+$/, ''));
    expect(sent).toContainEqual(expect.stringMatching(/layer_1\/MatMul\/ReadVariableOp$/));
  });

  it.each([
    ['with Grappler', { config: FOUR }],
    ['without', EXACT],
  ])('are the call node’s where they are empty, %s', async (_, options) => {
    // The signature's wrapper is called on CPU:2; the call in it has no device either, and hands that down.
    const device = put({ StatefulPartitionedCall: '/CPU:2', 'layer_1/Relu': '/CPU:3' });
    const { ran } = await chain({ device, ...options });
    expect(where(ran, 'layer_0/Relu')).toEqual(['CPU:2']);
    expect(where(ran, 'scaled')).toEqual(['CPU:2']);
    // One of its own goes before; fused, it is the first op's that counts.
    expect(where(ran, 'layer_1/Relu')).toEqual(options === EXACT ? ['CPU:3'] : ['CPU:2']);
    // Reading stays with the variable.
    expect(where(ran, 'layer_0/MatMul/ReadVariableOp')).toEqual(['CPU:0']);
  });

  it.each(['chain', 'tf2-functions', 'keras-nested', 'saved-on-gpu'])(
    'of %s, in the functions that save and restore, are the CPU',
    async (name) => {
      const nodes = (await rawModel(name)).nodes.filter(({ function: body }) =>
        /^__inference__traced_(save|restore)/.test(body),
      );
      // All that touches the files is on the first one; `/device:CPU:*` stands on the making of a name, and what reads
      // variables has none, which is why it follows them.
      const devices = (types: RegExp) =>
        [...new Set(nodes.filter(({ def }) => types.test(def.op)).map(({ def }) => def.device))].sort();
      expect(devices(/^(RestoreV2|AssignVariableOp|SaveV2|ShardedFilename|MergeV2Checkpoints)$/)).toEqual([
        '/device:CPU:0',
      ]);
      expect(devices(/^(ReadVariableOp|DisableCopyOnRead)$/)).toEqual(['']);
      expect(devices(/./)).toEqual(['', '/device:CPU:*', '/device:CPU:0']);
    },
  );

  it('that assign where their variable is not are overruled: restoring works wherever variables are', async () => {
    const model = await rawModel('chain');
    const session = await rawSession(model.graphDef, { device: put({ kernel_0: '/CPU:1' }), ...EXACT });
    const [step] = await restoreSteps(model.directory, model.metaGraph);
    const { ran } = await trace(session, [], step!.feeds, { targets: [step!.target] });
    expect(where(ran, 'AssignVariableOp')).toEqual(['CPU:1']);
    expect(where(ran, 'AssignVariableOp_1')).toEqual(['CPU:0']);
  });
});

describe('a device string', () => {
  it.each([
    ['/cpu:1', 'CPU:1'],
    ['/CPU:1', 'CPU:1'],
    ['/cpu:01', 'CPU:1'],
    ['/device:CPU:1', 'CPU:1'],
    ['/task:0/device:CPU:1', 'CPU:1'],
    ['/job:localhost/replica:0/task:0/device:CPU:1', 'CPU:1'],
    ['/job:localhost/replica:0/task:0/cpu:1', 'CPU:1'],
    ['/device:CPU:2/device:CPU:1', 'CPU:1'],
    ['/device:CPU:*', 'CPU:0'],
    ['/device:CPU', 'CPU:0'],
    ['/', 'CPU:0'],
  ])('%s is %s, in the main graph and in bodies', async (device, expected) => {
    parseDevice(device);
    const session = await rawSession(identities({ main: device, body: device }), EXACT);
    const { ran } = await trace(session, ['c', 'z'], { x: 5 });
    expect([where(ran, 'y'), where(ran, 'z')]).toEqual([[expected], [expected]]);
  });

  const MALFORMED = ['CPU:1', 'cpu:1', 'device:CPU:1', '/CPU', '/Cpu:1', '/CPU:1/', '/*'];
  it.each(MALFORMED)('%s is malformed', async (device) => {
    expect(() => parseDevice(device)).toThrow();
    for (const place of ['main', 'body']) {
      const session = await rawSession(identities({ [place]: device }), EXACT);
      const error = await failure(session.run(['c', 'z'], { x: 5 }));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: place === 'main' ? 'z' : 'y' });
      expect(error.message).toContain(`Malformed device specification '${device}'`);
    }
  });

  // Not malformed: a type of its own, that no device has.
  const MISSING = [
    '/device:cpu:1',
    '/device:CPU:9',
    '/gpu:9',
    '/job:worker/device:CPU:1',
    '/task:1/device:CPU:1',
  ];
  it.each(MISSING)('%s is well-formed and names no device', async (device) => {
    for (const place of ['main', 'body']) {
      const session = await rawSession(identities({ [place]: device }), EXACT);
      const error = await failure(session.run(['c', 'z'], { x: 5 }));
      expect(error.message).toContain(`was explicitly assigned to ${device} but available devices are`);
    }
  });
});

describe('a device that is not there', () => {
  const missing = put({ 'layer_1/MatMul': GPU });

  it.each<[string, RawOptions]>([
    ['though placement is hard', {}],
    ['though the call says so too', { callConfig: HARD_CALLS }],
    ['with Grappler off in the session alone', { config: { ...FOUR, ...UNOPTIMIZED } }],
    ['with Grappler off in the calls alone', { callConfig: EXACT.callConfig }],
    [
      'where the session is soft, whatever the calls say',
      {
        config: { ...FOUR, ...UNOPTIMIZED, ...SOFT },
        callConfig: Buffer.concat([EXACT.callConfig!, HARD_CALLS]),
      },
    ],
  ])('is passed over in silence in a body, %s', async (_, options) => {
    const { ran, data } = await chain({ device: missing, ...options });
    expect([...new Set(ran.map(({ device }) => device))]).toEqual(['CPU:0']);
    expect(data).toHaveLength(16);
  });

  // The calls of a saved model say allow_soft_placement themselves; of the two it is the session's that counts.
  it.each([
    ['', EXACT.callConfig!],
    [' that is hard', Buffer.concat([EXACT.callConfig!, HARD_CALLS])],
  ])('is an error with Grappler off in the session and in each call%s', async (_, callConfig) => {
    const error = await failure(chain({ device: missing, ...EXACT, callConfig }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'layer_1/MatMul' });
    expect(error.message).toContain(`was explicitly assigned to ${GPU} but available devices are`);
  });

  it('is an error in the main graph, unless placement is soft', async () => {
    const graph = identities({ main: GPU });
    const hard = await failure((await rawSession(graph)).run('z', { x: 5 }));
    expect(hard).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'z' });
    const soft = await rawSession(graph, { config: { ...FOUR, ...UNOPTIMIZED, ...SOFT } });
    expect(where((await trace(soft, ['z'], { x: 5 })).ran, 'z')).toEqual(['CPU:0']);
  });
});

describe('Grappler', () => {
  const device = putTypes({ MatMul: '/CPU:1', BiasAdd: '/CPU:2', Relu: '/CPU:3' });

  it.each<[string, RawOptions]>([
    ['', {}],
    [' also where it is off in the session alone', { config: { ...FOUR, ...UNOPTIMIZED } }],
    [' also where it is off in the calls alone', { callConfig: EXACT.callConfig }],
  ])(
    'fuses ops of three devices into one on the first, under the name of the last,%s',
    async (_, options) => {
      const { ran } = await chain({ device, ...options });
      const fused = ran.filter(isFusedMatMul);
      expect(fused.map((each) => each.device)).toEqual(['CPU:1', 'CPU:1', 'CPU:1']);
      for (const [i, { name }] of fused.entries()) expect(name).toMatch(new RegExp(`/layer_${i}/Relu$`));
      for (const i of LAYERS) expect(where(ran, `layer_${i}/MatMul`)).toEqual([]);
    },
  );

  it('off in the session and in the calls leaves each op, where it was put', async () => {
    const { ran, data } = await chain({ device, ...EXACT });
    expect(ran.filter(isFusedMatMul)).toEqual([]);
    for (const i of LAYERS) {
      expect(where(ran, `layer_${i}/MatMul`)).toEqual(['CPU:1']);
      expect(where(ran, `layer_${i}/BiasAdd`)).toEqual(['CPU:2']);
      expect(where(ran, `layer_${i}/Relu`)).toEqual(['CPU:3']);
    }
    const { data: plain } = await chain({});
    for (const [i, value] of [...(plain as Float32Array)].entries()) {
      expect((data as Float32Array)[i]).toBeCloseTo(value, 4);
    }
    // Constants are folded all the same, by another optimizer, and kernels may be oneDNN's under names of their own.
    expect(ran.some(({ name, op }) => name === 'factor/Mul' && op === 'Mul')).toBe(false);
    expect(ran.find(({ name }) => name === 'layer_0/MatMul')?.op).toMatch(/^(_Mkl)?MatMul$/);
  });
});

describe('branches and loops', () => {
  const func = (name: string) => ({ value: { case: 'func' as const, value: { name } } });

  /** An If or While of `x` on CPU:3, with Neg `y` of this device in its body. */
  function branching(op: string, device: string, isLowered: boolean): Uint8Array {
    const placeholder = (name: string, type: typeof g.FLOAT | typeof g.BOOL) => {
      return { name, op: 'Placeholder', attr: { dtype: g.type(type) } };
    };
    const neg = { name: 'y', op: 'Neg', device, input: ['a'], attr: { T: g.type(g.FLOAT) } };
    const body = g.fn('f', [neg], { out: 'y:y:0' }, { a: g.FLOAT });
    const less = { name: 'less', op: 'Less', input: ['a', 'three:output:0'], attr: { T: g.type(g.FLOAT) } };
    const test = g.fn(
      'test',
      [g.constant('three'), less],
      { out: 'less:z:0' },
      { a: g.FLOAT },
      { out: g.BOOL },
    );
    const attr =
      op === 'While'
        ? { T: g.types(g.FLOAT), cond: func('test'), body: func('f') }
        : {
            ...{ Tcond: g.type(g.BOOL), Tin: g.types(g.FLOAT), Tout: g.types(g.FLOAT) },
            ...{ then_branch: func('f'), else_branch: func('f') },
          };
    const input = op === 'While' ? ['x'] : ['flag', 'x'];
    const lowered = isLowered ? { _lower_using_switch_merge: g.flag(true) } : {};
    const node = { name: 'c', op, device: '/CPU:3', input, attr: { ...attr, ...lowered } };
    return g.graphBytes([placeholder('x', g.FLOAT), placeholder('flag', g.BOOL), node], body, test);
  }
  const OPS = ['If', 'StatelessIf', 'While'];
  const FEEDS = { x: -5, flag: true };

  it.each(OPS)(
    'of %s that are lowered: their bodies’ devices count, and one that is missing is an error',
    async (op) => {
      for (const options of [{ config: FOUR }, EXACT]) {
        const { ran, data } = await trace(
          await rawSession(branching(op, '/CPU:2', true), options),
          ['c'],
          FEEDS,
        );
        expect([where(ran, 'y'), data]).toEqual([['CPU:2'], new Float32Array([5])]);
        const missing = await rawSession(branching(op, GPU, true), options);
        expect((await failure(missing.run('c', FEEDS))).message).toContain(`explicitly assigned to ${GPU}`);
      }
    },
  );

  // Nothing helps: such a body is run whole on the device of its op, whatever stands in it.
  it.each(OPS)('of %s that are not lowered: their bodies’ devices are not even read', async (op) => {
    for (const options of [{ config: FOUR }, EXACT]) {
      for (const device of ['/CPU:2', GPU, 'malformed']) {
        const { ran, data } = await trace(
          await rawSession(branching(op, device, false), options),
          ['c'],
          FEEDS,
        );
        expect([where(ran, 'c'), data]).toEqual([['CPU:3'], new Float32Array([5])]);
        // A While leaves no trace of what it runs.
        expect(where(ran, 'y')).toEqual(op === 'While' ? [] : ['CPU:3']);
      }
    }
  });
});

/** A GraphDef's bytes, listed and rewritten by the addon: damaged ones, unusual ones, and changes that do not fit. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { encodeConfig } from '../../lib/config.js';
import { Session, TensorFlowError } from '../../lib/index.js';
import type { NativeGraphChanges, NativeGraphSource } from '../../lib/native.js';
import { type GraphDef, GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { addon } from '../../lib/runtime/addon.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { restoreSteps } from '../../lib/saved-model/restore.js';
import { failure } from '../helpers/failure.js';
import {
  type Function as Body,
  constant,
  FLOAT,
  fn,
  identity,
  type Node,
  type as ofType,
  types,
} from '../placement/graphs.js';
import { mutated, randomSource } from '../saved-model/models.js';
import { EXACT, nodesOf, type RawModel, rawModel, served, trace, where } from './raw-session.js';

const NONE: readonly string[] = [];
const DROP_CLASS = 2 ** 31;
/** Both kinds of reach, over every op, so that each node and each function is walked. */
const read = (bytes: Uint8Array, kept = NONE, housekeeping = NONE) =>
  addon().readGraph(bytes, kept, housekeeping);

beforeAll(() => openLibrary());

async function open(source: NativeGraphSource, changes: NativeGraphChanges): Promise<Session> {
  const native = await source.createSession(changes, encodeConfig(EXACT.config!));
  const session = new Session(native, { copy: true });
  onTestFinished(() => session.close());
  return session;
}

/** Lists the bytes, then lets the addon rewrite them all; it has too many codes, so nothing reaches TensorFlow. */
async function walk(bytes: Uint8Array, ops: readonly string[]): Promise<string> {
  const half = ops.length / 2;
  let source: NativeGraphSource;
  try {
    source = await read(bytes, ops.slice(half), ops.slice(0, half));
  } catch (error) {
    return codeOf(error);
  }
  const {
    length,
    types: ofNode,
    functions,
    devices,
    typeTable,
    functionTable,
    deviceTable,
    roles,
  } = source.index();
  const names = source.names(0, length);
  expect([names.length, ofNode.length, functions.length, devices.length, roles.length]).toEqual(
    Array(5).fill(length),
  );
  expect(source.names(length, length + 10)).toEqual([]);
  for (const [numbers, table] of [
    [ofNode, typeTable],
    [functions, functionTable],
    [devices, deviceTable],
  ] as const) {
    expect(numbers.every((number) => number < table.length)).toBe(true);
  }
  const codes = new Uint32Array(length + 1).fill(DROP_CLASS + 1);
  const callConfig = encodeConfig({ logDevicePlacement: true });
  const rewritten = source.createSession({ codes, table: ['/device:CPU:1'], callConfig }, undefined);
  expect(await rewritten.then(() => 'a session', codeOf)).toMatch(/^(INTERNAL|DATA_LOSS)$/);
  return 'listed';
}

function codeOf(error: unknown): string {
  expect(error).toBeInstanceOf(TensorFlowError);
  return (error as TensorFlowError).code;
}

describe.each(['tf1-variables', 'chain', 'control-flow-v2'])('hostile bytes: %s', (name) => {
  it('cut off anywhere are a loss of data, or a shorter list', async () => {
    const { graphDef, nodes } = await rawModel(name);
    const ops = nodes.map(({ def }) => def.name);
    // Each is an allocation of its own, so that a sanitizer sees a read beyond its end.
    const step = Math.ceil(graphDef.length / 6000);
    const ends: string[] = [];
    for (let length = 0; length < graphDef.length; length += step)
      ends.push(await walk(new Uint8Array(graphDef.subarray(0, length)), ops));
    expect(new Set(ends)).toEqual(new Set(['listed', 'DATA_LOSS']));
    expect(ends[0]).toBe('listed');
    expect(await walk(graphDef, ops)).toBe('listed');
  });

  it('changed anywhere are a loss of data, or a list', async () => {
    const { graphDef, nodes } = await rawModel(name);
    const ops = nodes.map(({ def }) => def.name);
    const random = randomSource(2026);
    const ends = new Map<string, number>();
    for (let i = 0; i < 2000; i++) {
      const end = await walk(mutated(graphDef, random), ops);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    expect(new Set(ends.keys())).toEqual(new Set(['listed', 'DATA_LOSS']));
    expect(Math.min(...ends.values())).toBeGreaterThan(20);
  });
});

it.each<[string, number[]]>([
  ['a length beyond the end', [0x0a, 0x7f, 0]],
  ['a length of 2^32 and more', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]],
  ['a length of 2^64 - 1', [0x0a, ...Array(9).fill(0xff), 1]],
  ['a varint without end', [0x08, ...Array(11).fill(0xff)]],
  ['a group', [0x0b, 0x0c]],
  ['a wire type that does not exist', [0x0f, 0x00]],
  ['a fixed number that is cut off', [0x0d, 1, 2]],
  ['a node whose name is cut off', [0x0a, 2, 0x0a, 9]],
  ['a function whose node is cut off', [0x12, 6, 0x0a, 4, 0x1a, 2, 0x0a, 9]],
])('%s is a loss of data', async (_, bytes) => {
  const error = await failure(read(Uint8Array.from(bytes)));
  expect(error).toMatchObject({ code: 'DATA_LOSS', message: expect.stringMatching(/graph is damaged/) });
});

it('the tag 0 is refused, by TensorFlow at the latest', async () => {
  for (const bytes of [
    [0, 0],
    [0x0a, 2, 0, 0],
    [0x02, 0],
  ]) {
    const error = await failure(
      read(Uint8Array.from(bytes)).then((source) => source.createSession({}, undefined)),
    );
    expect(error.code).toMatch(/DATA_LOSS|INVALID_ARGUMENT/);
  }
});

it.each<[string, number[], number]>([
  ['nothing at all', [], 0],
  ['empty nodes', [0x0a, 0, 0x0a, 0], 2],
  ['an empty library', [0x12, 0], 0],
  ['a function without a name, with an empty node', [0x12, 4, 0x0a, 2, 0x1a, 0], 1],
  ['a node field that is a number', [0x08, 5, 0x0a, 0], 1],
])('%s is a list', async (_, bytes, length) => {
  expect((await read(Uint8Array.from(bytes), [''], [''])).index().length).toBe(length);
});

it('functions that call each other, and themselves, are walked once', async () => {
  const calls = (name: string, op: string): Node => ({
    name,
    op,
    attr: { f: { value: { case: 'func', value: { name: op } } } },
  });
  const functions = ['a', 'b', 'c'].map((name, i, all) =>
    fn(name, [calls('next', all[(i + 1) % 3]!), calls('self', name)], {}),
  );
  const source = await read(
    toBytes({ node: [calls('start', 'a')], library: { function: functions } }),
    ['start'],
    ['start'],
  );
  expect([...source.index().roles]).toEqual(Array(7).fill(2));
});

describe.each([
  'tf1-variables',
  'chain',
  'tf2-functions',
  'control-flow-v1',
  'control-flow-v2',
  'assets-tables',
])('rewritten without a change: %s', (name) => {
  it('means the same', async () => {
    const model = await rawModel(name);
    const source = await read(model.graphDef);
    const { length } = source.index();
    expect(length).toBe(model.nodes.length);
    expect(source.names(0, length)).toEqual(model.nodes.map(({ def }) => def.name));
    const values: unknown[] = [];
    for (const changes of [
      {},
      { codes: new Uint32Array(length) },
      { codes: new Uint32Array(length), table: ['/device:CPU:3', ''] },
      { callConfig: new Uint8Array() },
      { codes: new Uint32Array(length).fill(1), table: ['/device:CPU:1'] },
    ] satisfies NativeGraphChanges[]) {
      values.push(await valuesOf(model, await open(source, changes)));
    }
    for (const each of values) expect(each).toEqual(values[0]);
  });
});

/** What the model computes from zeros, or empty strings. */
async function valuesOf(model: RawModel, session: Session): Promise<unknown> {
  for (const { target, feeds } of await restoreSteps(model.directory, model.metaGraph)) {
    await session.run([], feeds, { targets: [target] });
  }
  const { inputs } = model.metaGraph.signatureDef.serving_default!;
  const zeros = Object.entries(inputs).map(([key, { tensorShape, dtype }]) => {
    const sizes = tensorShape!.dim.map(({ size }) => (size < 0n ? 2 : Number(size)));
    const value = dtype === ofString ? 'word' : 0.5;
    return [key, sizes.reduceRight<unknown>((inner, size) => Array(size).fill(inner), value)];
  });
  const outputs = await session.run(...served(model, Object.fromEntries(zeros)));
  return outputs.map(({ dtype, shape, data }) => ({ dtype, shape, data }));
}
const ofString = 7; // DT_STRING

describe('changes that do not fit', () => {
  it('by the number of codes are an error', async () => {
    const { graphDef, nodes } = await rawModel('chain');
    const source = await read(graphDef);
    for (const length of [1, nodes.length - 1, nodes.length + 1, nodes.length * 2]) {
      for (const code of [0, 1]) {
        const changes = { codes: new Uint32Array(length).fill(code), table: ['/device:CPU:1'] };
        const error = await failure(source.createSession(changes, undefined));
        expect(error).toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(/number of nodes/) });
      }
    }
  });

  it.each([
    [1, []],
    [2, ['/device:CPU:1']],
    [3, ['/device:CPU:1', '']],
    [DROP_CLASS - 1, ['/device:CPU:1']],
    [2 ** 32 - 1, ['/device:CPU:1']],
  ])('by a device number %d of %j are an error', async (code, table) => {
    const { graphDef, nodes } = await rawModel('chain');
    const source = await read(graphDef);
    for (const at of [0, nodes.length - 1]) {
      const codes = new Uint32Array(nodes.length);
      codes[at] = code;
      const error = await failure(source.createSession({ codes, table }, undefined));
      expect(error).toMatchObject({
        code: 'INTERNAL',
        message: expect.stringMatching(/no such device number/),
      });
    }
  });

  it('leave the graph as it was', async () => {
    const model = await rawModel('tf1-variables');
    const source = await read(model.graphDef);
    await failure(source.createSession({ codes: new Uint32Array(1) }, undefined));
    await valuesOf(model, await open(source, {}));
  });
});

/** y = 2 (x + 3) through `inner`, which doubles, and `outer`, which calls it. */
const DOUBLE: Body = fn(
  'inner',
  [{ name: 'twice', op: 'AddV2', input: ['a', 'a'], attr: { T: ofType(FLOAT) } }],
  { out: 'twice:z:0' },
  { a: FLOAT },
);
const CALL: Body = fn(
  'outer',
  [callOf('nested', 'inner', 'a'), { ...identity('after', 'nested:output:0') }],
  { out: 'after:output:0' },
  { a: FLOAT },
);
const MAIN: Node[] = [
  {
    name: 'x',
    op: 'Placeholder',
    attr: { dtype: ofType(FLOAT), shape: { value: { case: 'shape', value: {} } } },
  },
  constant('three'),
  { name: 'sum', op: 'AddV2', input: ['x', 'three'], attr: { T: ofType(FLOAT) } },
  callOf('call', 'outer', 'sum'),
  identity('y', 'call'),
];
const VERSIONS = { producer: 1882 };

function callOf(name: string, callee: string, input: string): Node {
  const f = { value: { case: 'func' as const, value: { name: callee } } };
  const bytes = { value: { case: 's' as const, value: new Uint8Array() } };
  return {
    name,
    op: 'PartitionedCall',
    input: [input],
    attr: {
      f,
      Tin: types(FLOAT),
      Tout: types(FLOAT),
      config: bytes,
      config_proto: bytes,
      executor_type: bytes,
    },
  };
}

function toBytes(graph: MessageInitShape<typeof GraphDefSchema>): Uint8Array {
  return toBinary(GraphDefSchema, create(GraphDefSchema, graph));
}

/** Fields that no version of TensorFlow knows, of each wire type. */
function unknownFields(): Uint8Array {
  return new BinaryWriter()
    .tag(900, WireType.Varint)
    .uint64(2n ** 64n - 1n)
    .tag(901, WireType.LengthDelimited)
    .string('nobody knows')
    .tag(902, WireType.Bit32)
    .fixed32(7)
    .tag(536_870_911, WireType.Bit64)
    .fixed64(7n)
    .finish();
}

/** The same graph, with unknown fields in each of its messages that the addon walks. */
function withUnknownEverywhere(): Uint8Array {
  const graph = fromBinary(
    GraphDefSchema,
    toBytes({ node: MAIN, library: { function: [DOUBLE, CALL] }, versions: VERSIONS }),
  );
  const field = (no: number, data: Uint8Array) => ({ no, wireType: WireType.LengthDelimited, data });
  const unknown = () => [field(900, new BinaryWriter().string('nobody').finish())];
  const library = graph.library!;
  const messages: { $unknown?: unknown }[] = [
    graph,
    library,
    ...graph.node,
    ...library.function.flatMap((each) => [each, each.signature!, ...each.nodeDef]),
    ...graph.node.flatMap(({ attr }) => Object.values(attr)),
  ];
  for (const message of messages) message.$unknown = unknown();
  return toBinary(GraphDefSchema, graph);
}

describe('a graph', () => {
  const versions = toBytes({ versions: VERSIONS });
  const library = (...functions: Body[]) => toBytes({ library: { function: functions } });
  const node = (...nodes: Node[]) => toBytes({ node: nodes });

  it.each<[string, Uint8Array]>([
    [
      'in the usual order',
      toBytes({ node: MAIN, library: { function: [DOUBLE, CALL] }, versions: VERSIONS }),
    ],
    ['with nodes after the library', Buffer.concat([library(DOUBLE, CALL), versions, node(...MAIN)])],
    [
      'with the library between nodes',
      Buffer.concat([node(...MAIN.slice(0, 2)), library(DOUBLE, CALL), node(...MAIN.slice(2)), versions]),
    ],
    [
      'with two libraries',
      Buffer.concat([
        library(DOUBLE),
        node(...MAIN.slice(0, 3)),
        library(CALL),
        node(...MAIN.slice(3)),
        versions,
      ]),
    ],
    [
      'with an empty library first',
      Buffer.concat([library(), node(...MAIN), library(DOUBLE, CALL), versions]),
    ],
    [
      'with unknown fields between all others',
      Buffer.concat([
        unknownFields(),
        library(DOUBLE, CALL),
        unknownFields(),
        node(...MAIN),
        versions,
        unknownFields(),
      ]),
    ],
    ['with unknown fields in every message', withUnknownEverywhere()],
  ])('%s has its nodes listed, and each change reaches its node', async (_, bytes) => {
    const source = await read(bytes, ['y'], NONE);
    const nodes = nodesOf(bytes);
    const { length, functionTable, functions, typeTable, types: ofNode, roles } = source.index();
    expect(source.names(0, length)).toEqual(nodes.map(({ def }) => def.name));
    expect([...functions].map((number) => functionTable[number])).toEqual(nodes.map((each) => each.function));
    expect([...ofNode].map((number) => typeTable[number])).toEqual(nodes.map(({ def }) => def.op));
    expect([...roles]).toEqual(Array(length).fill(2));

    const wanted: Record<string, string> = { sum: 'CPU:1', twice: 'CPU:2', after: 'CPU:3' };
    const table = Object.values(wanted).map((device) => `/device:${device}`);
    const codes = Uint32Array.from(nodes, ({ def }) => Object.keys(wanted).indexOf(def.name) + 1);
    const { callConfig } = EXACT;
    for (const changes of [
      {},
      { codes, table },
      { codes, table, callConfig },
      { callConfig },
    ] satisfies NativeGraphChanges[]) {
      const session = await open(source, changes);
      const { data, ran } = await trace(session, ['y'], { x: 4 });
      expect(data).toEqual(new Float32Array([14]));
      // Without Grappler in the functions each of their ops runs by its own name.
      if (changes.codes === undefined || changes.callConfig === undefined) continue;
      for (const [name, device] of Object.entries(wanted)) expect(where(ran, name), name).toEqual([device]);
    }
  });

  it('whose nodes have a device already gets the new one, or none', async () => {
    const there: GraphDef = create(GraphDefSchema, {
      node: MAIN.map((each) => ({ ...each, device: '/device:GPU:7' })),
      library: { function: [DOUBLE, CALL] },
      versions: VERSIONS,
    });
    const source = await read(toBinary(GraphDefSchema, there));
    const { length, deviceTable } = source.index();
    expect(deviceTable).toEqual(['/device:GPU:7', '']);
    await expect(open(source, {}).then((session) => session.run('y', { x: 4 }))).rejects.toThrow(/GPU:7/);
    for (const table of [['/device:CPU:2'], ['']]) {
      const session = await open(source, { codes: new Uint32Array(length).fill(1), table });
      const { data, ran } = await trace(session, ['y'], { x: 4 });
      expect(data).toEqual(new Float32Array([14]));
      expect(where(ran, 'sum')).toEqual([table[0] === '' ? 'CPU:0' : 'CPU:2']);
    }
  });
});

/** Graphs as no exporter writes them, and as protobuf allows: read and rewritten as any other. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NativeGraphChanges } from '../../lib/native.js';
import { type GraphDef, GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
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
import { NONE, open, read, toBytes } from './graph-source.js';
import { EXACT, nodesOf, trace, where } from './raw-session.js';

beforeAll(() => openLibrary());

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
    expect([...roles].map((role) => role & 3)).toEqual(Array(length).fill(2));

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

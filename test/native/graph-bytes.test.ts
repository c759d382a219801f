import { beforeAll, describe, expect, it } from 'vitest';
import { encodeConfig } from '../../lib/config.js';
import { type Session, TensorFlowError } from '../../lib/index.js';
import type { NativeGraphChanges, NativeGraphSource } from '../../lib/native.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { restoreSteps } from '../../lib/saved-model/restore.js';
import { mutated, randomSource } from '../../scripts/fuzz/random.mjs';
import { failure } from '../helpers/failure.js';
import { fn, type Node } from '../placement/graphs.js';
import { DROP_CLASS, open, read, toBytes } from './graph-source.js';
import { type RawModel, rawModel, served } from './raw-session.js';

beforeAll(() => openLibrary());

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
  expect([...source.index().roles].map((role) => role & 3)).toEqual(Array(7).fill(2));
});

it('a chain of 100,000 functions is not walked by a stack as deep', async () => {
  const chain = Array.from({ length: 100_000 }, (_, i) =>
    fn(`f${i}`, [{ name: 'next', op: `f${i + 1}` }], {}),
  );
  const source = await read(toBytes({ node: [{ name: 'a', op: 'NoOp' }], library: { function: chain } }));
  const session = await open(source, {});
  await session.run([], {}, { targets: ['a'] });
  await session.close();
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

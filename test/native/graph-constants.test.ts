/** Constants that the addon writes into a graph: from memory, out of a checkpoint, multiplied, in copies of functions. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NodePack, withHeld } from '../../lib/freeze/node-pack.js';
import { Tensor } from '../../lib/index.js';
import type {
  NativeCheckpointPart,
  NativeGraphChanges,
  NativeNodes,
  NativeOutputs,
} from '../../lib/native.js';
import { NodeDefSchema } from '../../lib/proto/tensorflow/core/framework/node_def_pb.js';
import { addon } from '../../lib/runtime/addon.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { failure } from '../helpers/failure.js';
import { constant, FLOAT, fn, identity, type Node, type as ofType, types } from '../placement/graphs.js';
import { read, toBytes } from './graph-source.js';

beforeAll(() => openLibrary());
const folder = mkdtempSync(join(tmpdir(), 'tf-session-constants-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FILE = join(folder, 'data');
const VALUES = Float32Array.of(1, 2, 3, 4, 5, 6);
/** Of the six values' 24 bytes, masked. */
const CHECKSUM = maskedCrc(new Uint8Array(VALUES.buffer));
writeFileSync(FILE, Buffer.concat([Buffer.alloc(5), Buffer.from(VALUES.buffer), Buffer.alloc(3)]));
const PART: NativeCheckpointPart = [FILE, 5, 24, CHECKSUM];

/** Bit by bit: CRC-32C as it is defined. */
function maskedCrc(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  sum = ~sum >>> 0;
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}

const NOTHING = withHeld(new NodePack().finish(), []);

type Content = Tensor | NativeCheckpointPart;

/** A constant in place of the node with this number. */
function constantAt(at: number, content: Content, shape: number[], factors?: Float64Array): NativeNodes {
  const pack = new NodePack();
  const value = content instanceof Tensor ? content : { dtype: 'float32' as const, shape, part: content };
  const attr = { dtype: ofType(FLOAT) };
  pack.add(at, create(NodeDefSchema, { name: 'c', op: 'Const', attr } as never), value, factors);
  return withHeld(pack.finish(), []);
}

const tensor = (shape: number[], ...values: number[]) => Tensor.from(Float32Array.from(values), shape);

/** What y is with this in place of the constant c. */
async function run(content: Content, shape: number[], factors?: Float64Array) {
  const source = await read(toBytes({ node: [constant('c'), identity('y', 'c')] }), ['y'], []);
  const session = await source.createSession({ replaced: constantAt(0, content, shape, factors) }, undefined);
  try {
    const [dimensions, data] = session
      .bind([], ['y:0'], [])
      .runSync([], new Float64Array(0), 0) as NativeOutputs;
    return { shape: dimensions, data: [...new Float32Array(data as ArrayBuffer)] };
  } finally {
    await session.close(false);
  }
}

describe('a constant', () => {
  it('is what is in memory', async () => {
    expect(await run(tensor([2, 3], ...VALUES), [2, 3])).toEqual({
      shape: [2, 3],
      data: [...VALUES],
    });
  });

  it('is what lies in a checkpoint', async () => {
    expect(await run(PART, [3, 2])).toEqual({ shape: [3, 2], data: [...VALUES] });
    expect([...new Float32Array((await addon().readCheckpoint([PART]))[0]!.buffer)]).toEqual([...VALUES]);
  });

  it('is multiplied along its last dimension', async () => {
    const data = [10, 4, -3, 40, 10, -6];
    expect((await run(PART, [2, 3], Float64Array.of(10, 2, -1))).data).toEqual(data);
    expect((await run(tensor([2, 3], ...VALUES), [2, 3], Float64Array.of(10, 2, -1))).data).toEqual(data);
  });

  it.each<[string, NativeCheckpointPart, string, RegExp]>([
    ['is damaged', [FILE, 5, 24, CHECKSUM ^ 1], 'DATA_LOSS', /damaged: the 24 bytes from 5 on/],
    ['lies elsewhere', [FILE, 6, 24, CHECKSUM], 'DATA_LOSS', /checksum/],
    ['ends early', [FILE, 20, 24, CHECKSUM], 'DATA_LOSS', /damaged/],
    ['is beyond the end', [FILE, 1e12, 24, CHECKSUM], 'DATA_LOSS', /damaged/],
    ['is not there', [join(folder, 'none'), 0, 24, CHECKSUM], 'NOT_FOUND', /cannot be opened: No such file/],
    ['is a folder', [folder, 0, 24, CHECKSUM], 'DATA_LOSS', /damaged/],
  ])('that %s is an error', async (_, part, code, message) => {
    const errors = [await failure(run(part, [2, 3])), await failure(addon().readCheckpoint([part]))];
    for (const error of errors) {
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
    }
  });

  it('of the wrong size is refused by TensorFlow', async () => {
    expect((await failure(run(PART, [2, 4]))).code).toBe('INVALID_ARGUMENT');
  });
});

describe('a copy of a function', () => {
  const call = (name: string, of: string): Node => ({
    name,
    op: 'PartitionedCall',
    attr: { f: { value: { case: 'func', value: { name: of } } }, Tin: types(), Tout: types(FLOAT) },
  });
  const node = [
    call('one', 'f'),
    call('two', 'f_copy'),
    { name: 'y', op: 'AddV2', input: ['one', 'two'], attr: { T: ofType(FLOAT) } },
  ];
  const functions = [fn('f', [constant('c')], { out: 'c:output:0' }, {})];

  it('has its own nodes, the function keeps what it has', async () => {
    const source = await read(toBytes({ node, library: { function: functions } }), ['y'], []);
    const of = (value: number) => constantAt(3, tensor([], value), []);
    const session = (changes: NativeGraphChanges) => source.createSession(changes, undefined);
    const plain = await sum(await session({ copies: [['f', 'f_copy', NOTHING]] }));
    expect(await sum(await session({ copies: [['f', 'f_copy', of(100)]] }))).toBe(plain / 2 + 100);
    const both = await sum(await session({ replaced: of(5), copies: [['f', 'f_copy', of(100)]] }));
    expect(both).toBe(105);
  });

  it('of none that is there changes nothing', async () => {
    const source = await read(toBytes({ node: [constant('c'), identity('y', 'c')] }), ['y'], []);
    expect(await sum(await source.createSession({ copies: [['g', 'h', NOTHING]] }, undefined))).toBeTypeOf(
      'number',
    );
  });
});

async function sum(
  session: Awaited<ReturnType<Awaited<ReturnType<typeof read>>['createSession']>>,
): Promise<number> {
  const [, data] = session.bind([], ['y:0'], []).runSync([], new Float64Array(0), 0) as NativeOutputs;
  await session.close(false);
  return new Float32Array(data as ArrayBuffer)[0]!;
}

describe('numbers of nodes that end early', () => {
  it.each([1, 2, 3, 4, 5, 6, 7])('are an error after %i', async (length) => {
    const source = await read(toBytes({ node: [constant('c'), identity('y', 'c')] }), ['y'], []);
    const whole = constantAt(0, PART, [2, 3]);
    const cut = { ...whole, numbers: whole.numbers.slice(0, length) };
    expect((await failure(() => source.createSession({ replaced: cut }, undefined))).code).toBe('INTERNAL');
    const none = { ...whole, defs: new Uint8Array(3) };
    expect((await failure(() => source.createSession({ replaced: none }, undefined))).code).toBe('INTERNAL');
  });
});

describe('types and shapes of inputs', () => {
  it.each<[string, number[]]>([
    ['none', []],
    ['a type alone', [FLOAT]],
    ['too few dimensions', [FLOAT, 3, 1]],
    ['a negative rank', [FLOAT, -1]],
    ['a rank that is none', [FLOAT, Number.NaN]],
    ['a rank without end', [FLOAT, Infinity]],
    ['too many dimensions', [FLOAT, 255, ...Array(255).fill(1)]],
    ['a negative dimension', [FLOAT, 1, -1]],
    ['a dimension that is none', [FLOAT, 1, Number.NaN]],
    ['a dimension without end', [FLOAT, 1, 2 ** 60]],
    ['more elements than bytes', [FLOAT, 1, 7]],
    ['a type that is none', [1e9, 1, 6]],
  ])('%s are an error', async (_, head) => {
    const source = await read(toBytes({ node: [constant('c'), identity('y', 'c')] }), ['y'], []);
    const session = await source.createSession({}, undefined);
    const call = session.bind(['c:0'], ['y:0'], []);
    const error = await failure(() => call.runSync([VALUES], Float64Array.from(head), 0));
    expect(error.code).toMatch(/^(INVALID_ARGUMENT|UNIMPLEMENTED)$/);
    expect((await failure(() => call.runSync([VALUES], [1, 2] as never, 0))).code).toBe('INVALID_ARGUMENT');
    await session.close(false);
  });
});

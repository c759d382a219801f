import { create, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it } from 'vitest';
import { SavedModel, Session, Tensor } from '../../lib/index.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { randomSource } from '../../scripts/fuzz/random.mjs';
import { openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';

let model: SavedModel;
beforeAll(async () => {
  model = await SavedModel.load(fixture('strings'));
  return () => model.close();
});

const bytes = (...values: number[]) => new Uint8Array(values);

async function same(strings: (string | Uint8Array)[], asBytes = false): Promise<unknown> {
  const options = { signature: 'same', ...(asBytes ? { strings: 'bytes' as const } : {}) };
  const { text } = await model.run({ text: Tensor.from(strings, [strings.length], 'string') }, options);
  return text!.data;
}

describe('strings', () => {
  it.each([
    ['empty', ['']],
    ['none', []],
    ['of one to four bytes a character', ['a', 'é', '東', '🎈']],
    ['with NULs', ['\0', 'a\0b', '\0\0']],
    ['with a byte order mark', ['\uFEFFa', '\uFEFF']],
    ['of the last characters of each length', ['\x7f', '\u07ff', '\ud7ff', '\ue000', '\uffff', '\u{10ffff}']],
  ])('%s come back', async (_, strings) => {
    expect(await same(strings)).toEqual(strings);
  });

  it.each(['a', 'é', '東', '🎈'])(
    'of %s come back at every length around where buffers end',
    async (character) => {
      const strings = Array.from(
        { length: 300 },
        (_, length) => 'x'.repeat(length % 4) + character.repeat(length),
      );
      expect(await same(strings)).toEqual(strings);
    },
  );

  it('of megabytes come back', async () => {
    const strings = ['y'.repeat(5_000_000), '東'.repeat(1_000_000), '', '🎈'.repeat(1_000_000)];
    expect(await same(strings)).toEqual(strings);
  });

  it('by the hundred thousand come back', async () => {
    const strings = Array.from({ length: 100_000 }, (_, i) =>
      i % 7 === 0 ? '' : `${i} grün ${'z'.repeat(i % 50)}`,
    );
    expect(await same(strings)).toEqual(strings);
  });

  it('with halves of surrogate pairs get the replacement character, as in every encoder', async () => {
    const strings = ['\ud83c', 'a\udf88b', '\udf88\ud83c', `${'x'.repeat(300)}\ud83c`];
    const wanted = strings.map((string) => new TextDecoder().decode(new TextEncoder().encode(string)));
    expect(wanted[0]).toBe('\ufffd');
    expect(await same(strings)).toEqual(wanted);
  });
});

describe('bytes', () => {
  it.each([
    ['no UTF-8 at all', bytes(0xff, 0xfe)],
    ['a character cut off', bytes(0xe6, 0x9d)],
    ['a stray continuation', bytes(0x61, 0x80)],
    ['an overlong form', bytes(0xc0, 0x80)],
    ['an encoded surrogate', bytes(0xed, 0xa0, 0x80)],
    ['beyond Unicode', bytes(0xf4, 0x90, 0x80, 0x80)],
  ])('that are %s come back as bytes', async (_, value) => {
    expect(await same([value, 'a'])).toEqual([value, 'a']);
  });

  it('that are UTF-8 come back as a string, or as bytes where asked for', async () => {
    const text = new TextEncoder().encode('grün 🎈');
    expect(await same([text, bytes()])).toEqual(['grün 🎈', '']);
    expect(await same(['grün 🎈', '', 'a'], true)).toEqual([text, bytes(), bytes(0x61)]);
  });

  it('may be the default of a model', async () => {
    const bytesModel = await openFixture('strings', { strings: 'bytes' });
    const { text } = await bytesModel.run({ text: 'é' }, { signature: 'same' });
    expect(text!.data).toEqual([bytes(0xc3, 0xa9)]);
  });

  it('at random come back', async () => {
    const random = randomSource(1);
    const values = Array.from({ length: 2000 }, () =>
      Uint8Array.from({ length: random(40) }, () => random(256)),
    );
    expect(await same(values, true)).toEqual(values);
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const wanted = values.map((value) => {
      try {
        return decoder.decode(value);
      } catch {
        return value;
      }
    });
    expect(await same(values)).toEqual(wanted);
    expect(wanted.some((value) => typeof value === 'string' && value !== '')).toBe(true);
  });

  it('are read at the call, from whichever part of a buffer', async () => {
    const pool = new Uint8Array([1, 0xff, 0xfe, 1]);
    const run = model.run({ text: [pool.subarray(1, 3), Buffer.from([0xff])] }, { signature: 'same' });
    pool.fill(0x61);
    expect((await run).text!.data).toEqual([bytes(0xff, 0xfe), bytes(0xff)]);
  });

  it('never share memory with another output', async () => {
    const value = bytes(0xff, 1);
    const [one, other] = await Promise.all([same([value]), same([value])]);
    (one as Uint8Array[])[0]!.fill(0);
    expect(other).toEqual([value]);
    expect(value).toEqual(bytes(0xff, 1));
  });
});

it('strings keep their shape', async () => {
  const { text } = await model.run(
    {
      text: [
        ['a', 'b', 'c'],
        ['d', 'e', 'f'],
      ],
    },
    { signature: 'same' },
  );
  expect(text!.shape).toEqual([2, 3]);
  const { text: scalar } = await model.run({ text: 'one' }, { signature: 'same' });
  expect(scalar).toMatchObject({ shape: [], data: ['one'] });
});

it('that a variable holds longer than their call are freed with it', async () => {
  const type = { value: { case: 'type' as const, value: DataType.DT_STRING } };
  const graph = create(GraphDefSchema, {
    node: [
      { name: 'x', op: 'Placeholder', attr: { dtype: type } },
      {
        name: 'variable',
        op: 'VarHandleOp',
        attr: { dtype: type, shape: { value: { case: 'shape', value: { unknownRank: true } } } },
      },
      { name: 'assign', op: 'AssignVariableOp', input: ['variable', 'x'], attr: { dtype: type } },
    ],
    versions: { producer: 2000 },
  });
  const session = await Session.fromGraphDef(toBinary(GraphDefSchema, graph));
  const x = Tensor.from(Array.from({ length: 16 }, (_, i) => String(i % 10).repeat(2 ** 18)));
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 200; i++) await session.run([], { 'x:0': x }, { targets: ['assign'] });
  // All of them together are 800 MB.
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(300);
  await session.close();
});

import { beforeAll, describe, expect, it } from 'vitest';
import { SavedModel, type Session, Tensor } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';

let session: Session;
beforeAll(async () => {
  const model = await SavedModel.load(fixture('several-signatures'));
  session = model.session;
  return () => model.close();
});

const X = { x: [[1, 2, 3]] };

describe('session.run', () => {
  it('takes and gives tensors by name, with or without their index, in the order asked for', async () => {
    const outputs = await session.run(['sum', 'weighted:0', 'sum:0'], { 'x:0': [[1, 2, 3]] });
    expect(outputs.map(({ dtype, shape, data }) => [dtype, shape, [...data]])).toEqual([
      ['float32', [1], [321]],
      ['float32', [1, 3], [1, 20, 300]],
      ['float32', [1], [321]],
    ]);
    outputs[0]!.data.fill(0 as never);
    expect(outputs[2]!.data).toEqual(new Float32Array([321]));
    const [sum] = await session.run('sum', X);
    expect(sum!.data).toEqual(new Float32Array([321]));
    expect(session.runSync('sum', X)[0]!.data).toEqual(sum!.data);
  });

  it('may feed any tensor of the graph, and fetch what was fed', async () => {
    const weight = 'weight/Read/ReadVariableOp';
    const [read, sum, x] = await session.run([weight, 'sum', 'x:0'], { ...X, 'sum:0': [5] });
    expect(read!.data).toEqual(new Float32Array([1, 10, 100]));
    expect(sum).toMatchObject({ shape: [1], data: new Float32Array([5]) });
    expect(x).toMatchObject({ shape: [1, 3], data: new Float32Array([1, 2, 3]) });
    const [scaled] = await session.run('scaled', { mul_1: [[1, 1, 1]], by: 3 });
    expect(scaled!.data).toEqual(new Float32Array([3, 3, 3]));
  });

  it('makes values what the graph says they are', async () => {
    const [length] = await session.run('length', { text: ['', 'grün'] });
    expect(length).toMatchObject({ dtype: 'int32', data: new Int32Array([0, 5]) });
    const error = await failure(session.run('sum', { x: ['a'] }));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/tensor "x" takes float32/),
    });
    expect((await failure(session.run('sum', { x: Tensor.from([[1n]]) }))).message).toMatch(
      /given int64 \[1, 1\]/,
    );
  });

  it('runs targets, with or without fetching', async () => {
    const { session: training } = await openFixture('several-signatures', { tags: ['train'] });
    const feeds = { x: [[1, 0, 0]], target: [3] };
    const read = async () => (await training.run('weight/Read/ReadVariableOp'))[0]!.data;
    expect(await read()).toEqual(new Float32Array([1, 10, 100]));
    expect(await training.run([], feeds, { targets: ['GradientDescent'] })).toEqual([]);
    expect(await read()).toEqual(new Float32Array([2, 10, 100]));
    const [loss] = await training.run('loss', feeds, { targets: ['GradientDescent'] });
    expect(loss!.data).toEqual(new Float32Array([1]));
    expect(training.runSync([], feeds, { targets: ['GradientDescent'] })).toEqual([]);
    expect((await read())[0]).toBe(2.75);
  });

  it('says what TensorFlow says of a placeholder that is not fed, with its op', async () => {
    const error = await failure(session.run('sum'));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'x' });
    expect(error.message).toMatch(/must feed a value for placeholder/);
  });

  it.each<[string, string[], Record<string, number[][]>, RegExp]>([
    ['nothing', [], X, /nothing to run/],
    ['a tensor fed twice', ['sum'], { x: [[1, 2, 3]], 'x:0': [[1, 2, 3]] }, /"x:0" is fed twice/],
    ['an op that is not there', ['sums'], X, /no op "sums"\. Did you mean "sum"/],
    ['a feed that is not there', ['sum'], { X: [[1, 2, 3]] }, /no op "X"\. Did you mean "x"/],
    ['an index that is not there', ['sum:1'], X, /sum/],
    ['an index that is no number', ['sum:a'], X, /sum/],
    ['a negative index', ['sum:-1'], X, /sum/],
    ['a large index', ['sum:99999999999'], X, /sum/],
    ['an empty name', [''], X, /./],
    ['a colon', [':0'], X, /./],
  ])('refuses %s', async (_, fetches, feeds, message) => {
    const error = await failure(session.run(fetches, feeds));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
    expect(await failure(() => session.runSync(fetches, feeds))).toMatchObject({
      code: error.code,
      message: error.message,
    });
  });

  it('refuses targets that are not there', async () => {
    expect((await failure(session.run([], {}, { targets: ['sume'] }))).message).toMatch(
      /"sume"\. Did you mean "sum"/,
    );
  });

  it.each<[unknown, RegExp]>([
    [{ target: ['a'] }, /no key "target"\. Did you mean "targets"/],
    [{ targets: 'a' }, /targets must be an array of strings/],
    [{ outputs: ['y'] }, /outputs must be "copy"/],
    [{ strings: 'text' }, /strings must be "bytes"/],
    [{ timeout: -1 }, /timeout must be/],
    [{ timeout: 0 }, /timeout must be/],
    [{ timeout: Number.NaN }, /timeout must be/],
    [{ timeout: '5' }, /timeout must be/],
    [{ signal: {} }, /signal must be an AbortSignal/],
    [{ onRunMetadata: 1 }, /onRunMetadata must be a function/],
    [[], /must be an object/],
    [null, /must be an object/],
  ])('refuses the options %j', async (options, message) => {
    const error = await failure(session.run('sum', X, options as object));
    expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) });
  });

  it('refuses fetches and feeds of the wrong kind', async () => {
    for (const fetches of [5, null, undefined, [5]]) {
      expect((await failure(session.run(fetches as never, X))).code).toBe('INVALID_OPTION');
    }
    for (const feeds of [null, 5, 'x']) {
      expect((await failure(session.run('sum', feeds as never))).code).toMatch(/INVALID/);
    }
  });

  it('a run that stands still takes neither a timeout nor a signal', async () => {
    for (const options of [{ timeout: 5 }, { signal: new AbortController().signal }]) {
      expect((await failure(() => session.runSync('sum', X, options as object))).code).toBe('INVALID_OPTION');
    }
  });

  it('takes names without end', async () => {
    // More than are kept looked up; the first ones once more.
    for (let i = 0; i < 300; i++) {
      const fetches = Array.from({ length: i % 270 }, () => 'sum');
      expect(await session.run(['weighted', ...fetches], X)).toHaveLength(1 + fetches.length);
    }
  });

  it('works for a model that has no signature', async () => {
    const model = await openFixture('no-signature');
    expect(Object.keys(model.signatures)).toEqual([]);
    expect((await failure(model.run({}))).message).toMatch(/no signatures.*model\.session\.run/);
    expect((await model.session.devices())[0]!.type).toBe('CPU');
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { checkLimits } from '../../lib/guard/limits.js';
import { checkGuard } from '../../lib/guard/options.js';
import { type LoadOptions, type ModelLimits, SavedModel, Session } from '../../lib/index.js';
import { type AttrValue, AttrValueSchema } from '../../lib/proto/tensorflow/core/framework/attr_value_pb.js';
import { FunctionDefSchema } from '../../lib/proto/tensorflow/core/framework/function_pb.js';
import { OpDef_AttrDefSchema } from '../../lib/proto/tensorflow/core/framework/op_def_pb.js';
import { failure } from '../helpers/failure.js';
import {
  FLOAT,
  type Function as Fn,
  graphBytes,
  type Node,
  placeholder,
  types,
} from '../placement/graphs.js';
import { fixture } from '../saved-model/models.js';
import { body, call, nested, relu, saved } from './graphs.js';

const runs = async (directory: string, options: LoadOptions = {}) => {
  await using model = await SavedModel.load(directory, options);
  return (await model.run({ x: 3 })).y!.data[0];
};

describe('a function that calls itself, which ends the process in TensorFlow', () => {
  it.each<[string, Fn[], string]>([
    ['directly', [body('f', [call('c', 'x', 'f')], 'c:output:0')], 'f -> f'],
    ['without state', [body('f', [call('c', 'x', 'f', 'PartitionedCall')], 'c:output:0')], 'f -> f'],
    ['as an op', [body('f', [{ name: 'c', op: 'f', input: ['x'] }], 'c:y:0')], 'f -> f'],
    [
      'by way of another',
      [body('f', [call('c', 'x', 'g')], 'c:output:0'), body('g', [call('c', 'x', 'f')], 'c:output:0')],
      'f -> g -> f',
    ],
    [
      'behind other calls',
      [
        body('f', [call('b', 'x', 'ok'), call('c', 'b:output:0', 'g')], 'c:output:0'),
        body('ok', [relu('c', 'x')], 'c:activations:0'),
        body('g', [call('c', 'x', 'g')], 'c:output:0'),
      ],
      'g -> g',
    ],
  ])('%s', async (_, functions, way) => {
    const directory = await saved([call('out', 'x', 'f')], functions);
    for (const options of [{}, { config: { allowSoftPlacement: true } }, { exact: true }, { freeze: true }]) {
      const error = await failure(SavedModel.load(directory, options));
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain(`calls itself (${way})`);
    }
    const bare = graphBytes([placeholder('x'), call('out', 'x', 'f')], ...functions);
    expect((await failure(Session.fromGraphDef(bare))).message).toContain(`calls itself (${way})`);
  });

  it('by way of an attribute: a function that is given itself', async () => {
    const attr = { Tin: types(FLOAT), Tout: types(FLOAT) };
    const calling = (name: string, f: AttrValue): Node => ({
      name,
      op: 'StatefulPartitionedCall',
      input: ['x'],
      attr: { ...attr, f },
    });
    const func = (name: string, given: Record<string, AttrValue> = {}) =>
      create(AttrValueSchema, { value: { case: 'func', value: { name, attr: given } } });
    const given = create(AttrValueSchema, { value: { case: 'placeholder', value: 'F' } });
    const outer = create(FunctionDefSchema, body('outer', [calling('c', given)], 'c:output:0'));
    outer.signature!.attr.push(create(OpDef_AttrDefSchema, { name: 'F', type: 'func' }));
    const leaf = body('leaf', [relu('y', 'x')], 'y:activations:0');
    const twice = func('outer', { F: func('outer', { F: func('leaf') }) });
    const error = await failure(SavedModel.load(await saved([calling('out', twice)], [outer, leaf])));
    expect(error.message).toContain('calls itself (outer -> outer)');
    const once = func('outer', { F: func('leaf') });
    expect(await runs(await saved([calling('out', once)], [outer, leaf]))).toBe(3);
  });

  it('is none of a model that never calls it', async () => {
    const idle = body('idle', [call('c', 'x', 'idle')], 'c:output:0');
    expect(await runs(await saved([relu('out', 'x')], [idle]))).toBe(3);
  });
});

describe('limits', () => {
  it.each<[keyof ModelLimits, number, string]>([
    ['functionDepth', 30, 'The model has 30 functions one inside of the other; limits.functionDepth is 29.'],
    ['nodes', 32, 'The model has 32 nodes; limits.nodes is 31.'],
    ['inlinedNodes', 32, 'The model has 32 nodes once each call has its own copy of its function'],
  ])('%s: what is just within loads, what is above is refused', async (key, size, message) => {
    const directory = await saved([call('out', 'x', 'f0')], nested(30));
    expect(await runs(directory, { limits: { [key]: size } })).toBe(3);
    const error = await failure(runs(directory, { limits: { [key]: size - 1 } }));
    expect(error.code).toBe('RESOURCE_EXHAUSTED');
    expect(error.message).toContain(message);
  });

  it('modelBytes: before the file is read', async () => {
    const { length } = await readFile(join(fixture('tf2-functions'), 'saved_model.pb'));
    const load = async (modelBytes: number) =>
      (await SavedModel.load(fixture('tf2-functions'), { limits: { modelBytes } })).close();
    await load(length);
    const error = await failure(load(length - 1));
    expect([error.code, error.message]).toEqual([
      'RESOURCE_EXHAUSTED',
      expect.stringContaining(`${length.toLocaleString('en')} bytes`),
    ]);
  });

  it('refuses by default what ends the process, and what never ends', async () => {
    const deep = await failure(runs(await saved([call('out', 'x', 'f0')], nested(5000))));
    expect(deep.message).toContain('5,000 functions one inside of the other');
    const wide = await failure(runs(await saved([call('out', 'x', 'f0')], nested(150, 2))));
    expect(wide.message).toMatch(/has [\d,]{40,} nodes once each call/);
    const wider = await failure(runs(await saved([call('out', 'x', 'f0')], nested(199, 100))));
    expect(wider.message).toContain('nodes once each call has its own copy');
  });

  it('takes 100,000 functions without a stack of its own to fill', () => {
    const length = 100_000;
    const graph = {
      length,
      functionNames: Array.from({ length }, (_, i) => `f${i}`),
      functionNumber: (node: number) => node,
      callPairs: Uint32Array.from({ length: 2 * (length - 1) }, (_, i) => Math.ceil(i / 2)),
    };
    const { limits } = checkGuard({ limits: { functionDepth: 1e9 } });
    expect(() => checkLimits(graph, () => true, limits)).not.toThrow();
    expect(() => checkLimits(graph, () => true, { ...limits, functionDepth: length - 2 })).toThrow(
      '99,999 functions',
    );
  });

  it.each<[object, string]>([
    [{ limits: { node: 3 } }, 'limits has no key "node". Did you mean "nodes" or'],
    [{ limits: { nodes: 0 } }, 'limits.nodes must be a number of 1 or more, not 0.'],
    [{ limits: { nodes: '3' } }, 'limits.nodes must be a number of 1 or more, not "3".'],
    [{ limits: { nodes: Number.NaN } }, 'limits.nodes must be a number'],
    [{ limits: [] }, 'limits must be an object.'],
    [{ allowOps: 'PyFunc' }, 'allowOps must be an array of strings.'],
    [{ followLinks: 1 }, 'followLinks must be true or false, not 1.'],
    [{ repair: 'yes' }, 'repair must be true or false, not "yes".'],
  ])('%j is refused', async (options, message) => {
    const error = await failure(SavedModel.load(fixture('tf2-functions'), options));
    expect([error.code, error.message]).toEqual(['INVALID_OPTION', expect.stringContaining(message)]);
  });
});

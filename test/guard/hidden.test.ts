/** Ops that a model hides from whoever only looks at its nodes and the functions that they name. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SavedModel } from '../../lib/index.js';
import type { AttrValue } from '../../lib/proto/tensorflow/core/framework/attr_value_pb.js';
import { FunctionDefSchema } from '../../lib/proto/tensorflow/core/framework/function_pb.js';
import {
  OpDef_ArgDefSchema,
  OpDef_AttrDefSchema,
} from '../../lib/proto/tensorflow/core/framework/op_def_pb.js';
import { failure } from '../helpers/failure.js';
import { FLOAT, type Function as Fn, identity, type Node, types } from '../placement/graphs.js';
import { temporaryDirectory } from '../saved-model/models.js';
import { body, call, changed, func, given, relu, saved, text, textConstant, write } from './graphs.js';
import { doubled, rewritten } from './wire.js';

function withAttribute(one: Fn, attribute: MessageInitShape<typeof OpDef_AttrDefSchema>): Fn {
  return changed(one, ({ signature }) => signature!.attr.push(create(OpDef_AttrDefSchema, attribute)));
}

const implementing = (one: Fn, device: string): Fn =>
  changed(one, ({ attr }) => {
    attr.api_implements = text('same');
    attr.api_preferred_device = text(device);
  });

const evil = (file: string): Fn =>
  body(
    'evil',
    [...write('leak', file, ':output:0'), { ...identity('y', 'x'), input: ['x', '^leak'] }],
    'y:output:0',
  );
const harmless = (name: string): Fn => body(name, [relu('y', 'x')], 'y:activations:0');

function calling(name: string, f: AttrValue): Node {
  const attr = { Tin: types(FLOAT), Tout: types(FLOAT), f };
  return { name, op: 'StatefulPartitionedCall', input: ['x'], attr };
}

/** Calls what its attribute F names. */
const outer = (defaultValue?: AttrValue): Fn =>
  withAttribute(body('outer', [calling('c', given('F'))], 'c:output:0'), {
    name: 'F',
    type: 'func',
    ...(defaultValue && { defaultValue }),
  });

/** Folder of a model whose run writes the file. */
const HIDDEN: [string, (file: string) => Promise<string>][] = [
  [
    'in an attribute of a function',
    (file) => saved([calling('out', func('outer', { F: func('evil') }))], [outer(), evil(file)]),
  ],
  [
    'as the default of an attribute',
    (file) => saved([calling('out', func('outer'))], [outer(func('evil')), evil(file)]),
  ],
  [
    'as a gradient',
    (file) => {
      const attr = { Tin: types(FLOAT, FLOAT), Tout: types(FLOAT), f: func('f') };
      const gradient = changed(evil(file), ({ signature }) => {
        signature!.inputArg.push(create(OpDef_ArgDefSchema, { name: 'dy', type: FLOAT }));
      });
      return saved(
        [{ name: 'out', op: 'SymbolicGradient', input: ['x', 'x'], attr }],
        [harmless('f'), gradient],
        {
          gradient: [{ functionName: 'f', gradientFunc: 'evil' }],
        },
      );
    },
  ],
  [
    'as another implementation',
    (file) => {
      // The optimizer leaves smaller graphs alone.
      const more = [relu('b', 'a'), relu('c', 'b'), relu('d', 'c'), relu('out', 'd')];
      return saved(
        [{ ...call('a', 'x', 'f'), device: '/CPU:0' }, ...more],
        [implementing(harmless('f'), 'GPU'), implementing(evil(file), 'CPU')],
      );
    },
  ],
  [
    'in a function whose name stands in two parts',
    async (file) => {
      const directory = await saved([call('out', 'x', 'evil')], [evil(file)]);
      await rewritten(directory, [2, 2, 2, 1], (bytes) =>
        doubled(bytes, FunctionDefSchema.field.signature.number),
      );
      return directory;
    },
  ],
  [
    'in a signature that stands in two parts',
    async (file) => {
      const nodes = [...write('leak', file), { ...identity('out', 'x'), input: ['x', '^leak'] }];
      const directory = await saved(nodes);
      await rewritten(directory, [2, 5], (bytes) => doubled(bytes, 2));
      return directory;
    },
  ],
  [
    'printing to a file that its caller names',
    (file) => {
      const print = {
        name: 'p',
        op: 'PrintV2',
        input: ['t:output:0'],
        attr: { output_stream: given('S') },
      };
      const base = body(
        'f',
        [textConstant('t', 'hello'), print, { ...identity('y', 'x'), input: ['x', '^p'] }],
        'y:output:0',
      );
      const f = withAttribute(base, { name: 'S', type: 'string' });
      return saved([calling('out', func('f', { S: text(`file://${file}`) }))], [f]);
    },
  ],
  [
    'printing to a file, said in two parts',
    async (file) => {
      const attr = { output_stream: text(`file://${file}`) };
      const nodes = [
        textConstant('t', 'hello'),
        { name: 'p', op: 'PrintV2', input: ['t'], attr },
        { ...identity('out', 'x'), input: ['x', '^p'] },
      ];
      const directory = await saved(nodes);
      await rewritten(directory, [2, 2, 1, 5], (bytes) => doubled(bytes, 2));
      return directory;
    },
  ],
];

describe('what a run does is seen', () => {
  it.each(HIDDEN)('%s', async (_, make) => {
    const file = join(await temporaryDirectory(), 'written');
    const directory = await make(file);
    expect((await failure(SavedModel.load(directory, { allowOps: [] }))).code).toBe('PERMISSION_DENIED');
    await using model = await SavedModel.load(directory, { allowOps: ['*'] });
    await model.run({ x: 1 });
    // Else the case would say nothing.
    expect(existsSync(file)).toBe(true);
  });
});

it('a graph in a string is refused unless it is allowed', async () => {
  const nodes: Node[] = [
    textConstant('graph', ''),
    { name: 'data', op: 'DatasetFromGraph', input: ['graph'] },
    { ...identity('out', 'x'), input: ['x', '^data'] },
  ];
  expect((await failure(SavedModel.load(await saved(nodes)))).message).toContain(
    'DatasetFromGraph (runs a graph',
  );
});

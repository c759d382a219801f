/** Tables that a model fills from files that are not its own. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SavedModel } from '../../lib/index.js';
import { OpDef_AttrDefSchema } from '../../lib/proto/tensorflow/core/framework/op_def_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { failure } from '../helpers/failure.js';
import {
  FLOAT,
  type Function as Fn,
  fn,
  type Node,
  RESOURCE,
  table,
  tableSize,
  type,
  types,
} from '../placement/graphs.js';
import { temporaryDirectory } from '../saved-model/models.js';
import { changed, func, initSignature, number, saved, text, textConstant } from './graphs.js';

describe('a vocabulary from elsewhere', () => {
  const STRING = DataType.DT_STRING;
  const asset = (name: string) => ({
    assetFileDef: [
      { filename: 'words.txt', tensorInfo: { encoding: { case: 'name' as const, value: name } } },
    ],
  });
  const fill = (file: string, handle = 'table'): Node => ({
    name: 'fill',
    op: 'InitializeTableFromTextFileV2',
    input: [handle, file],
    attr: { key_index: number(-2), value_index: number(-1), delimiter: text('\t') },
  });
  const words = {
    ...table('table'),
    attr: { key_dtype: type(STRING), value_dtype: type(DataType.DT_INT64) },
  };
  const size: Node[] = [
    tableSize('size', 'table'),
    { name: 'out', op: 'Cast', input: ['size'], attr: { SrcT: type(DataType.DT_INT64), DstT: type(FLOAT) } },
  ];
  const init = (after: string) => ({ name: 'init', op: 'NoOp', input: [`^${after}`] });
  const filling = (args: Record<string, DataType>): Fn => fn('fill', [fill('file', 'handle')], {}, args, {});

  it.each<[string, (elsewhere: string) => Promise<string>]>([
    [
      'an argument that stands behind the condition',
      (elsewhere) => {
        const f = func('fill');
        const attr = {
          Tcond: type(STRING),
          Tin: types(STRING, RESOURCE),
          Tout: types(),
          then_branch: f,
          else_branch: f,
        };
        const call: Node = { name: 'call', op: 'If', input: ['asset', 'elsewhere', 'table'], attr };
        const nodes = [
          textConstant('asset', 'x'),
          textConstant('elsewhere', elsewhere),
          words,
          call,
          init('call'),
          ...size,
        ];
        const more = { ...asset('asset:0'), signatureDef: initSignature('init')! };
        return saved(nodes, [filling({ file: STRING, handle: RESOURCE })], more);
      },
    ],
    [
      'another output of what is fed',
      (elsewhere) => {
        const both: Node = {
          name: 'both',
          op: 'IdentityN',
          input: ['elsewhere', 'elsewhere'],
          attr: { T: types(STRING, STRING) },
        };
        const nodes = [
          textConstant('elsewhere', elsewhere),
          both,
          words,
          fill('both'),
          init('fill'),
          ...size,
        ];
        return saved(nodes, [], { ...asset('both:1'), signatureDef: initSignature('init')! });
      },
    ],
    [
      'the path of a checkpoint that nobody restores',
      (elsewhere) => {
        const nodes = [textConstant('elsewhere', elsewhere), words, fill('elsewhere'), init('fill'), ...size];
        return saved(nodes, [], {
          saverDef: { filenameTensorName: 'elsewhere:0' },
          signatureDef: initSignature('init')!,
        });
      },
    ],
    [
      'an argument of several inputs',
      (elsewhere) => {
        const f = changed(filling({ file: STRING, handle: RESOURCE }), ({ signature, nodeDef }) => {
          Object.assign(signature!.inputArg[0]!, { numberAttr: 'N' });
          signature!.attr.push(create(OpDef_AttrDefSchema, { name: 'N', type: 'int' }));
          nodeDef[0]!.input[1] = 'file:1';
        });
        const call: Node = {
          name: 'call',
          op: 'fill',
          input: ['asset', 'elsewhere', 'table'],
          attr: { N: number(2) },
        };
        const nodes = [
          textConstant('asset', 'x'),
          textConstant('elsewhere', elsewhere),
          words,
          call,
          init('call'),
          ...size,
        ];
        return saved(nodes, [f], { ...asset('asset:0'), signatureDef: initSignature('init')! });
      },
    ],
  ])('%s', async (_, make) => {
    const elsewhere = join(await temporaryDirectory(), 'elsewhere.txt');
    await writeFile(elsewhere, 'a\nb\nc\n');
    const directory = await make(elsewhere);
    const error = await failure(SavedModel.load(directory, { allowOps: [] }));
    expect([error.code, error.message]).toEqual([
      'PERMISSION_DENIED',
      expect.stringContaining('InitializeTable'),
    ]);
    await using model = await SavedModel.load(directory, { allowOps: ['*'] });
    const { y } = await model.run({ x: 1 });
    expect([...y!.data]).toEqual([3]);
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel, Session } from '../../lib/index.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { TensorProtoSchema } from '../../lib/proto/tensorflow/core/framework/tensor_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { SavedModelSchema } from '../../lib/proto/tensorflow/core/protobuf/saved_model_pb.js';
import { failure } from '../helpers/failure.js';
import { FLOAT, graphBytes, identity, type Node, placeholder, type, types } from '../placement/graphs.js';
import { fixture, fixtureCopy, temporaryDirectory } from '../saved-model/models.js';
import { body, call, initSignature, relu, saved, textConstant, write } from './graphs.js';

let warnings: string[] = [];
beforeEach(() => {
  warnings = [];
  const listen = (warning: Error & { code?: string }) => {
    if (warning.code === 'TF_SESSION_MODEL_OPS') warnings.push(warning.message);
  };
  process.on('warning', listen);
  onTestFinished(() => void process.off('warning', listen));
});
const turn = () => new Promise(setImmediate);

const noOp = (name: string, ...after: string[]): Node => ({
  name,
  op: 'NoOp',
  input: after.map((each) => `^${each}`),
});

const load = async (directory: string, options: LoadOptions = {}) => {
  const model = await SavedModel.load(directory, options);
  await turn();
  onTestFinished(() => model.close());
  return model;
};
const refusal = async (directory: string, options: LoadOptions = {}) => {
  const error = await failure(load(directory, options));
  expect(error.code).toBe('PERMISSION_DENIED');
  return error.message;
};

describe('ops that a signature reaches', () => {
  it('in a function, warn; named they are allowed; where others are named they are refused', async () => {
    const file = join(await temporaryDirectory(), 'written');
    const inner = body(
      'f',
      [...write('leak', file, ':output:0'), { ...identity('y', 'x'), input: ['x', '^leak'] }],
      'y:output:0',
    );
    const directory = await saved([call('out', 'x', 'f')], [inner]);
    const model = await load(directory);
    expect(warnings).toEqual([
      expect.stringMatching(
        /WriteFile \(writes any file that its input names\): leak \(in f\)\. A SavedModel is a program/,
      ),
    ]);
    await model.run({ x: 1 });
    expect(await readFile(file, 'utf8')).toBe('was here');
    for (const allowOps of [['WriteFile'], ['W*', 'ReadFile'], ['*']]) await load(directory, { allowOps });
    expect(warnings).toHaveLength(1);
    for (const allowOps of [[], ['ReadFile', 'PyFunc']]) {
      const message = await refusal(directory, { allowOps });
      expect(message).toContain('WriteFile (writes any file that its input names): leak (in f)');
      expect(message).toContain('allowOps: ["WriteFile"]');
    }
    for (const options of [{ exact: true }, { freeze: true }, { config: { allowSoftPlacement: true } }])
      await refusal(directory, { ...options, allowOps: [] });
  });

  it.each([
    [
      'PyFunc',
      { Tin: types(FLOAT), Tout: types(FLOAT), token: { value: { case: 's', value: Buffer.from('f') } } },
    ],
    [
      'EagerPyFunc',
      { Tin: types(FLOAT), Tout: types(FLOAT), token: { value: { case: 's', value: Buffer.from('f') } } },
    ],
  ])('%s is refused unless it is allowed', async (op, attr) => {
    const directory = await saved([{ name: 'out', op, input: ['x'], attr: attr as never }]);
    expect(await refusal(directory)).toContain(`${op} (calls a Python function`);
    // It has no kernel here: TensorFlow says so then.
    expect((await failure(load(directory, { allowOps: [op] }))).message).toContain('No OpKernel');
  });

  it('Abort, which ends the process', async () => {
    const directory = await saved([
      { name: 'kill', op: 'Abort' },
      { ...identity('out', 'x'), input: ['x', '^kill'] },
    ]);
    expect(await refusal(directory)).toContain('Abort (ends the process): kill');
  });

  it('count only where they are reached', async () => {
    await load(await saved([relu('out', 'x'), ...write('idle', '/nowhere')]), { allowOps: [] });
    expect(warnings).toEqual([]);
  });
});

describe('ops that loading runs', () => {
  it('are refused as well', async () => {
    const file = join(await temporaryDirectory(), 'written');
    const nodes = [relu('out', 'x'), ...write('leak', file), noOp('init', 'leak')];
    const directory = await saved(nodes, [], { signatureDef: initSignature('init')! });
    expect(await refusal(directory, { allowOps: [] })).toContain('WriteFile');
    await expect(readFile(file)).rejects.toThrow('ENOENT');
    await load(directory);
    expect(warnings).toHaveLength(1);
    expect(await readFile(file, 'utf8')).toBe('was here');
  });

  it('but not those that only save, restore, and fill tables with what the model brings', async () => {
    for (const name of [
      'tf1-variables',
      'tf1-legacy-init',
      'tf1-main-op',
      'assets-tables',
      'tf2-functions',
      'counter',
      'keras-in-module',
    ])
      await load(fixture(name), { allowOps: [] });
    expect(warnings).toEqual([]);
  });

  it.each(['tf2-functions', 'tf1-variables'])('a checkpoint from elsewhere: %s', async (name) => {
    const directory = await fixtureCopy(name);
    const file = join(directory, 'saved_model.pb');
    const model = fromBinary(SavedModelSchema, await readFile(file));
    const graph = model.metaGraphs[0]!.graphDef!;
    const bytes = graphBytes([textConstant('elsewhere', join(fixture(name), 'variables', 'variables'))]);
    graph.node.push(...fromBinary(GraphDefSchema, bytes).node);
    const fileOp = model.metaGraphs[0]!.saverDef!.filenameTensorName.replace(/:0$/, '');
    for (const node of graph.node) {
      if (
        node.name === 'elsewhere' ||
        /save/i.test(node.attr.f?.value.case === 'func' ? node.attr.f.value.value.name : '')
      )
        continue;
      if (node.op === 'RestoreV2' || node.op === 'StatefulPartitionedCall')
        node.input = node.input.map((input) => (input.split(':')[0] === fileOp ? 'elsewhere' : input));
    }
    await writeFile(file, toBinary(SavedModelSchema, model));
    expect(await refusal(directory, { allowOps: [] })).toContain('RestoreV2 (reads a checkpoint)');
    await load(directory);
    expect(warnings).toEqual([expect.stringContaining('RestoreV2 (reads a checkpoint)')]);
  });

  it('a vocabulary from elsewhere', async () => {
    const directory = await fixtureCopy('assets-tables');
    const file = join(directory, 'saved_model.pb');
    const model = fromBinary(SavedModelSchema, await readFile(file));
    // One of three is no asset any more.
    model.metaGraphs[0]!.assetFileDef.pop();
    await writeFile(file, toBinary(SavedModelSchema, model));
    expect(await refusal(directory, { allowOps: [] })).toContain('InitializeTableFromTextFileV2');
  });
});

describe('attributes', () => {
  const print = (stream: string): Node[] => [
    textConstant('message', 'hello'),
    {
      name: 'print',
      op: 'PrintV2',
      input: ['message'],
      attr: { output_stream: { value: { case: 's', value: Buffer.from(stream) } } },
    },
    { ...identity('out', 'x'), input: ['x', '^print'] },
  ];
  it('a print to a file counts, one to stderr does not', async () => {
    await load(await saved(print('stderr')), { allowOps: [] });
    expect(await refusal(await saved(print('file:///tmp/x')), { allowOps: [] })).toContain('PrintV2');
  });

  it('a cache in memory does not count, one in a file does, in either form of its name', async () => {
    const cached = (name: { stringVal?: Uint8Array[]; tensorContent?: Uint8Array }): Promise<string> => {
      const tensor = create(TensorProtoSchema, { dtype: DataType.DT_STRING, tensorShape: {}, ...name });
      const value = { value: { case: 'tensor' as const, value: tensor } };
      return saved([
        { name: 'file', op: 'Const', attr: { dtype: type(DataType.DT_STRING), value } },
        { name: 'cache', op: 'CacheDataset', input: ['data', 'file'], attr: dataset },
        {
          name: 'data',
          op: 'TensorDataset',
          input: ['x'],
          attr: { ...dataset, Toutput_types: types(FLOAT) },
        },
        { ...identity('out', 'x'), input: ['x', '^cache'] },
      ]);
    };
    const shapes = { value: { case: 'list' as const, value: { shape: [{}] } } };
    const dataset = { output_types: types(FLOAT), output_shapes: shapes };
    await load(await cached({ stringVal: [Buffer.from('')] }), { allowOps: [] });
    expect(warnings).toEqual([]);
    for (const name of [{ stringVal: [Buffer.from('f')] }, { tensorContent: Buffer.from('\x01f') }])
      expect(await refusal(await cached(name), { allowOps: [] })).toContain('CacheDataset');
  });
});

describe('a bare graph', () => {
  const graph = (...nodes: Node[]) => graphBytes([placeholder('x'), relu('out', 'x'), ...nodes]);
  const open = async (bytes: Uint8Array, allowOps?: string[]) =>
    (await Session.fromGraphDef(bytes, { allowOps })).close();

  it('counts as a whole, but for what saves and restores', async () => {
    await open(graph(...write('leak', '/nowhere')));
    await turn();
    expect(warnings).toEqual([expect.stringContaining('The graph has ops that reach beyond it: WriteFile')]);
    expect((await failure(open(graph(...write('leak', '/nowhere')), []))).code).toBe('PERMISSION_DENIED');
    expect((await failure(open(graph({ name: 'kill', op: 'Abort' })))).message).toContain('Abort');
    const { node } = fromBinary(
      SavedModelSchema,
      await readFile(join(fixture('tf1-variables'), 'saved_model.pb')),
    ).metaGraphs[0]!.graphDef!;
    warnings = [];
    await open(graphBytes(node));
    await turn();
    expect(warnings).toEqual([]);
    expect((await failure(open(graphBytes(node), []))).message).toContain('SaveV2');
  });
});

it('a text form cannot be checked: that is said, and where it must hold refused', async () => {
  const directory = await temporaryDirectory();
  await writeFile(
    join(directory, 'saved_model.pbtxt'),
    'saved_model_schema_version: 1 meta_graphs { meta_info_def { tags: "serve" } }',
  );
  const error = await failure(load(directory, { allowOps: [] }));
  expect([error.code, error.message]).toEqual([
    'UNIMPLEMENTED',
    expect.stringContaining('allowOps cannot hold'),
  ]);
  await load(directory);
  expect(warnings).toEqual([expect.stringContaining('cannot be checked before it is loaded')]);
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SavedModel, Session, tensorflow } from '../../lib/index.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import {
  branch,
  condition,
  constant,
  FLOAT,
  fn,
  graphBytes,
  type Node,
  variable,
} from '../placement/graphs.js';
import { fixture, metaGraph, modelBytes, modelDirectory, temporaryDirectory } from '../saved-model/models.js';

const RULES = [{ op: '**', device: '/CPU:0' }];

/** An op that takes nothing and whose type is of nobody here. */
const op = (name: string, type: string): Node => ({ name, op: type });

describe('an op that the library does not have', () => {
  it.each([
    ['by TensorFlow itself', {}],
    ['by TensorFlow itself, softly placed', { config: { allowSoftPlacement: true } }],
    ['by rules', { placement: RULES }],
    ['exactly', { placement: RULES, exact: true }],
    ['for a device', { devices: ['/CPU:0'] }],
  ])('is named with its function and its package where the model is loaded %s', async (_, options) => {
    const error = await failure(SavedModel.load(fixture('wordpiece'), options));
    expect(error.code).toBe('NOT_FOUND');
    expect(error.op).toBe(
      'WordpieceTokenizeWithOffsets/WordpieceTokenizeWithOffsets/WordpieceTokenizeWithOffsets',
    );
    expect(error.message).toContain(
      `TensorFlow ${tensorflow.version} (${tensorflow.path}) has no op of the type WordpieceTokenizeWithOffsets, which the ` +
        `model uses: the op "${error.op}" in the function "__inference_embed_`,
    );
    const minor = tensorflow.version.split('.').slice(0, 2).join('.');
    expect(error.message).toContain(
      'The Python package tensorflow-text brings it, in tensorflow_text/python/ops/_wordpiece_tokenizer.so. Take it from ' +
        `the release that is for TensorFlow ${minor}, and load it: opLibraries: ['…/_wordpiece_tokenizer.so'] ` +
        '(--op-library …/_wordpiece_tokenizer.so on the command line).',
    );
    expect((error.cause as Error).message).toContain("Op type not registered 'WordpieceTokenizeWithOffsets'");
  });

  it('leaves the process well', async () => {
    const model = await openFixture('one-signature-other-name');
    expect(Object.keys(model.signatures)).toEqual(['predict']);
  });
});

describe('the graph of Session.fromGraphDef', () => {
  const explained = async (...nodes: Node[]) => failure(Session.fromGraphDef(graphBytes(nodes)));

  it('has its ops counted, main graph and functions', async () => {
    const body = fn('body', [op('inner/b', 'Mine')], {}, {}, {});
    const main = ['a', 'b', 'c', 'd'].map((name) => op(name, 'Mine'));
    const error = await failure(Session.fromGraphDef(graphBytes(main, body)));
    expect(error).toMatchObject({ code: 'NOT_FOUND', op: 'a' });
    expect(error.message).toContain(
      'of the type Mine, which the model uses: 5 ops: "a", "b", "c" and 2 more.\n' +
        "Where a package brings it, load the package's op library: opLibraries: ['…/ops.so'] (--op-library …/ops.so",
    );
  });

  it('may have it in a function that nobody calls', async () => {
    const body = fn('body', [op('x', 'Mine'), constant('c')], { out: 'c:output:0' }, {});
    await using session = await Session.fromGraphDef(graphBytes([constant('y')], body));
    expect((await session.run('y'))[0]!.data).toEqual(new Float32Array([3]));
  });

  it('names everything that is lacking of known packages', async () => {
    const { message } = await explained(
      op('a', 'Mine'),
      op('b', 'RougeL'),
      op('c', 'TFText>NgramsStringJoin'),
    );
    expect(message).toMatch(
      /lacks as well: RougeL \(tensorflow-text, tensorflow_text\/python\/metrics\/_text_similarity_metric_ops\.so\), TFText>NgramsStringJoin \(tensorflow-text, /,
    );
  });

  it('with an op of tf.contrib is told so', async () => {
    const { message } = await explained(op('warp', 'Resampler'));
    expect(message).toMatch(/It was part of tf\.contrib in TensorFlow 1 .*no TensorFlow 2 has/);
  });

  it('with another fault is left to TensorFlow', async () => {
    const error = await explained({ name: 'a', op: 'Identity' });
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).not.toContain('opLibraries');
  });
});

describe('an op in a branch, which TensorFlow looks at when it runs', () => {
  const body = fn('taken', [op('x', 'Mine'), constant('c')], { out: 'c:output:0' });
  const nodes = [variable('v'), condition('yes'), branch('y', 'taken', ['yes', 'v'])];
  const bytes = graphBytes(nodes, body);
  const LACKS = `has no op of the type Mine`;
  const USER = ', which the model uses: the op "x" in the function "taken".';

  it('is named by runs of a session on a file', async () => {
    const file = join(await temporaryDirectory(), 'graph.pb');
    await writeFile(file, bytes);
    await using session = await Session.fromGraphDef(file);
    const error = await failure(session.run('y'));
    expect([error.code, error.op, error.message]).toEqual([
      'NOT_FOUND',
      'x',
      expect.stringContaining(LACKS + USER),
    ]);
  });

  it('is named without its place where the graph came as bytes, or the run must not wait', async () => {
    await using session = await Session.fromGraphDef(bytes);
    for (const error of [await failure(session.run('y')), await failure(() => session.runSync('y'))]) {
      expect([error.code, error.message]).toEqual(['NOT_FOUND', expect.stringContaining(`${LACKS}.\nWhere`)]);
    }
  });

  it.each([
    ['plainly', {}],
    ['by rules', { placement: RULES }],
  ])('is named by runs and by the report of a model that was loaded %s', async (_, options) => {
    const signatureDef = {
      serving_default: {
        outputs: { y: { encoding: { case: 'name' as const, value: 'y:0' }, dtype: FLOAT } },
      },
    };
    const graphDef = fromBinary(GraphDefSchema, bytes);
    const directory = await modelDirectory(
      modelBytes({
        metaInfoDef: { tags: ['serve'], tensorflowVersion: '9.9.0' },
        graphDef,
        signatureDef,
      }),
    );
    await using model = await SavedModel.load(directory, options);
    const calls = [() => model.run(), () => model.run({}, { device: '/CPU:0' }), () => model.explain()];
    for (const call of calls) {
      const error = await failure(call());
      expect(error.message).toContain(LACKS + USER);
      expect(error.message).toContain('saved by TensorFlow 9.9.0');
    }
    expect((await failure(() => model.runSync())).message).toContain(LACKS);
  });
});

describe('the version that saved the model', () => {
  const graphDef = { node: [{ name: 'a', op: 'Mine' }], versions: { producer: 1 } };
  const savedBy = (tensorflowVersion: string) =>
    modelBytes(metaGraph({ metaInfoDef: { tags: ['serve'], tensorflowVersion }, graphDef }));
  const loading = async (version: string) =>
    (await failure(SavedModel.load(await modelDirectory(savedBy(version))))).message;

  it('is named, with the way to that library, where it is newer', async () => {
    expect(await loading('9.9.0')).toContain(
      `The model was saved by TensorFlow 9.9.0, which is newer than the opened ${tensorflow.version} and may have brought the op`,
    );
  });

  it('is named alone where it is older', async () => {
    expect(await loading('1.15.5')).toMatch(/The model was saved by TensorFlow 1\.15\.5\.$/);
  });

  it('is not named where it is the same', async () => {
    expect(await loading(tensorflow.version)).not.toContain('saved by');
  });
});

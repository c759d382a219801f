import { copyFile, link, open, symlink, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SavedModel, Session, Tensor, tensorflow } from '../../lib/index.js';
import { expectCases } from '../helpers/cases.js';
import { failure } from '../helpers/failure.js';
import { casesByTags, openFixture } from '../helpers/fixtures.js';
import { opLibraries } from '../helpers/op-libraries.js';
import { systemLibrary } from '../helpers/system-library.js';
import { graphBytes, INT64, type Node, type as ofType } from '../placement/graphs.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';
import { compile, needCompiler } from './plugin/compile.js';

const CASES = casesByTags('wordpiece').get('serve')!;
const TEXT = { text: ['hello world', 'unbelievable'] };
const TOKENS = ['hello', 'world', '', 'un', '##believ', '##able'];

beforeAll(() => tensorflow.open());

describe('opLibraries and pluggableDevices', () => {
  it.each([[5], ['x.so'], [[5]], [['']], [[undefined]], [['a\0b']], [{}]])(
    'must be paths, and %j is none',
    async (wrong) => {
      for (const key of ['opLibraries', 'pluggableDevices']) {
        const options = { [key]: wrong } as object;
        for (const load of [
          SavedModel.load(fixture('counter'), options),
          Session.fromGraphDef(graphBytes([]), options),
        ]) {
          const error = await failure(load);
          expect([error.code, error.message]).toEqual(['INVALID_OPTION', expect.stringContaining(key)]);
        }
      }
    },
  );
});

describe('an op library that', () => {
  it.for<[string, (path: string, real: string) => Promise<unknown>, string, RegExp]>([
    ['is not there', async () => {}, 'NOT_FOUND', /does not exist/],
    ['is empty', (path) => writeFile(path, ''), 'DATA_LOSS', /is empty/],
    [
      'is text',
      (path) => writeFile(path, 'text\n'.repeat(99)),
      'INVALID_ARGUMENT',
      /is not a shared library.*opLibraries names/,
    ],
    [
      'is cut off',
      async (path, real) => {
        await copyFile(real, path);
        await truncate(path, 100_000);
      },
      'DATA_LOSS',
      /is truncated: it has 100000 bytes.*Take it out of its package again/,
    ],
    [
      'is for another processor',
      async (path, real) => {
        await copyFile(real, path);
        const file = await open(path, 'r+');
        await file.write(Uint8Array.of(243, 0), 0, 2, 18);
        await file.close();
      },
      'FAILED_PRECONDITION',
      /is for riscv64/,
    ],
  ])('%s is an error', async ([, make, code, text], context) => {
    const real = (await opLibraries(context)).wordpiece;
    const path = join(await temporaryDirectory(), 'ops.so');
    await make(path, real);
    const error = await failure(SavedModel.load(fixture('wordpiece'), { opLibraries: [path] }));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(text)]);
    expect(error.message).toContain(`The op library ${path} `);
  });

  it('is named by a relative path is looked for in the working directory', async () => {
    const error = await failure(SavedModel.load(fixture('wordpiece'), { opLibraries: ['no/ops.so'] }));
    expect([error.code, error.message]).toEqual([
      'NOT_FOUND',
      `The op library no/ops.so does not exist. Paths start at the working directory, ${process.cwd()}.`,
    ]);
  });

  it('is a folder is an error', async () => {
    const error = await failure(
      SavedModel.load(fixture('wordpiece'), { opLibraries: [await temporaryDirectory()] }),
    );
    expect([error.code, error.message]).toEqual([
      'INVALID_ARGUMENT',
      expect.stringMatching(/is not a file\./),
    ]);
  });

  it('has nothing to do with TensorFlow is an error', async (context) => {
    const path = systemLibrary() ?? context.skip('Node names no libm');
    const error = await failure(SavedModel.load(fixture('counter'), { opLibraries: [path] }));
    expect([error.code, error.message]).toEqual([
      'INVALID_ARGUMENT',
      expect.stringMatching(/^The op library \S+ holds no ops for TensorFlow/),
    ]);
  });

  it('was built for another TensorFlow is an error that names both versions', async (context) => {
    const { wordpiece } = await opLibraries(context, '2.15.0');
    if (tensorflow.version.startsWith('2.15.')) return context.skip('this is the TensorFlow that it is for');
    const error = await failure(SavedModel.load(fixture('wordpiece'), { opLibraries: [wordpiece] }));
    expect(error.code).toBe('FAILED_PRECONDITION');
    expect(error.message).toMatch(/was built for another TensorFlow: it needs the symbol _Z\w+, which/);
    expect(error.message).toContain(`TensorFlow ${tensorflow.version} (${tensorflow.path}) does not have`);
    expect(error.message).toContain(
      'It belongs to tensorflow_text 2.15.0, which is for TensorFlow <2.16,>=2.15.0.',
    );
  });
});

describe('an op library that needs a library of TensorFlow that is not loaded', () => {
  it.for([
    ['of another major version', '_framework.so.1', /Take the release that is for TensorFlow/],
    ['from before 1.14', '_framework.so', /Take the release that is for TensorFlow/],
    // The suffix stands for a TensorFlow in one file, beside which no other is loaded.
    ['of the same', '_framework_other.so.MAJOR', /Open a TensorFlow that comes in two files/],
    ['of which a second would be loaded beside the first', '_cc.so.1', /Take the release that is for/],
  ] as const)('%s is an error', async ([, end, way], context) => {
    await needCompiler(context);
    const folder = await temporaryDirectory();
    const name = `libtensorflow${end.replace('MAJOR', tensorflow.version.split('.')[0]!)}`;
    const stub = join(folder, 'stub.cc');
    await writeFile(stub, 'int f() { return 1; }');
    const beside = await compile(stub, folder, [`-Wl,-soname,${name}`]);
    const source = join(folder, 'ops.cc');
    await writeFile(source, 'int f(); int g() { return f(); }');
    const path = await compile(source, folder, [beside]);
    const error = await failure(SavedModel.load(fixture('counter'), { opLibraries: [path] }));
    expect([error.code, error.message]).toEqual(['FAILED_PRECONDITION', expect.stringMatching(way)]);
    expect(error.message).toContain(`needs ${name}, which did not come with the opened TensorFlow`);
  });
});

describe("tensorflow-text's WordPiece tokenizer", () => {
  it('is not there until its library is loaded', async (context) => {
    const { wordpiece } = await opLibraries(context);
    expect((await failure(SavedModel.load(fixture('wordpiece')))).message).toContain('opLibraries');
    await using model = await SavedModel.load(fixture('wordpiece'), { opLibraries: [wordpiece] });
    await expectCases(model, CASES, 'wordpiece');
  });

  it('is there for every model from then on', async (context) => {
    const { wordpiece } = await opLibraries(context);
    await openFixture('counter', { opLibraries: [wordpiece] });
    await expectCases(await openFixture('wordpiece'), CASES, 'wordpiece');
  });

  it.for([
    ['with rules', { config: { deviceCount: { CPU: 2 } }, placement: [{ op: '**', device: '/CPU:1' }] }],
    ['exactly', { placement: [{ op: '**', device: '/CPU:0' }], exact: true }],
    ['with its devices forgotten', { clearDevices: true }],
  ] as const)('runs placed %s', async ([, options], context) => {
    const { wordpiece } = await opLibraries(context);
    await expectCases(
      await openFixture('wordpiece', { ...options, opLibraries: [wordpiece] }),
      CASES,
      'wordpiece',
    );
  });

  it('runs on the device of a run, and the report says so', async (context) => {
    const { wordpiece } = await opLibraries(context);
    const config = { deviceCount: { CPU: 2 } };
    const model = await openFixture('wordpiece', { opLibraries: [wordpiece], config });
    await expectCases(model, CASES, 'wordpiece', { device: '/CPU:1' });
    const { ops } = await model.explain(TEXT, { device: '/CPU:1' });
    const op = ops.find(({ type }) => type === 'WordpieceTokenizeWithOffsets');
    expect(op).toMatchObject({ requested: '/CPU:1', actual: expect.stringMatching(/CPU:1$/) });
  });

  it('is loaded once, however often and by whatever path it is named', async (context) => {
    const { wordpiece } = await opLibraries(context);
    const folder = await temporaryDirectory();
    const paths = ['copy.so', 'link.so'].map((name) => join(folder, name));
    await copyFile(wordpiece, paths[0]!);
    await symlink(wordpiece, paths[1]!);
    const hard = join(folder, 'hard.so');
    await link(paths[0]!, hard);
    // A second registration of a kernel would leave TensorFlow with two, and every run with an error.
    const all = [wordpiece, wordpiece, relative(process.cwd(), wordpiece), ...paths, hard];
    const models = await Promise.all([
      openFixture('wordpiece', { opLibraries: all }),
      ...all.map((path) => openFixture('wordpiece', { opLibraries: [path] })),
    ]);
    for (const model of models) {
      const { tokens } = await model.run(TEXT);
      expect(tokens!.data).toEqual(TOKENS);
    }
  });
});

/** How much of one list of numbers stands in another, in order: an op of tensorflow-text with a library of its own. */
describe("tensorflow-text's ROUGE-L, in a bare graph", () => {
  const placeholder = (name: string, dtype: number): Node => ({
    name,
    op: 'Placeholder',
    attr: { dtype: ofType(dtype) },
  });
  const inputs = ['hyp', 'hyp_splits', 'ref', 'ref_splits'];
  const graph = graphBytes([
    ...inputs.map((name) => placeholder(name, INT64)),
    placeholder('alpha', 1),
    {
      name: 'rouge',
      op: 'RougeL',
      input: [...inputs, 'alpha'],
      attr: { Tvalues: ofType(INT64), Tsplits: ofType(INT64) },
    },
  ]);
  const feeds = {
    hyp: Tensor.from([1n, 2n, 3n, 4n]),
    hyp_splits: Tensor.from([0n, 4n]),
    ref: Tensor.from([1n, 3n, 9n, 4n, 8n, 7n]),
    ref_splits: Tensor.from([0n, 6n]),
    alpha: Tensor.from([0.5], []),
  };

  it('runs while runs of other models are in flight', async (context) => {
    const { rouge, wordpiece } = await opLibraries(context);
    const slow = await openFixture('slow');
    const words = await openFixture('wordpiece', { opLibraries: [wordpiece] });
    let isLoading = true;
    let runs = 0;
    const busy = [0, 1, 2].map(async () => {
      while (isLoading || runs < 30) {
        await slow.run({ n: 64, k: 4 });
        expect((await words.run(TEXT)).tokens!.data).toEqual(TOKENS);
        runs++;
      }
    });
    // Graphs are imported at the same time, for which TensorFlow looks into the registry that is being filled.
    const loads = [1, 2, 3, 4].map(() => openFixture('wordpiece', { clearDevices: true }));
    await using session = await Session.fromGraphDef(graph, { opLibraries: [rouge] });
    isLoading = false;
    await Promise.all([...busy, ...loads]);
    const [f, precision, recall] = await session.run(['rouge:0', 'rouge:1', 'rouge:2'], feeds);
    // 1, 3, 4 are common: three of four, and three of six.
    expect(precision!.data[0]).toBeCloseTo(0.75);
    expect(recall!.data[0]).toBeCloseTo(0.5);
    expect(f!.data[0]).toBeCloseTo(0.6);
  });
});

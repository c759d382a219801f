/** Where ops run: in TensorFlow's pool of threads, or in the thread of the run. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Executor, type GraphOptions, Session } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { toBytes } from './graph-source.js';

type Graph = Parameters<typeof toBytes>[0];

const INT32 = 3;
const type = { value: { case: 'type', value: INT32 } } as const;
const list = { value: { case: 'list', value: { type: [INT32] } } } as const;
const yes = { value: { case: 'b', value: true } } as const;

/** So many calls of one function in a row, none of them inlined: y = x, with its sign changed as often. */
function chainOfCalls(length: number): Uint8Array {
  const calls = Array.from({ length }, (_, i) => ({
    name: `call${i}`,
    op: 'PartitionedCall',
    input: [i === 0 ? 'x' : `call${i - 1}`],
    attr: {
      Tin: list,
      Tout: list,
      f: { value: { case: 'func', value: { name: 'f' } } } as const,
      _noinline: yes,
    },
  }));
  const graph = {
    versions: { producer: 1200 },
    node: [
      { name: 'x', op: 'Placeholder', attr: { dtype: type } },
      ...calls,
      { name: 'y', op: 'Identity', input: [`call${length - 1}`], attr: { T: type } },
    ],
    library: {
      function: [
        {
          signature: {
            name: 'f',
            inputArg: [{ name: 'a', type: INT32 }],
            outputArg: [{ name: 'r', type: INT32 }],
          },
          attr: { _noinline: yes },
          nodeDef: [{ name: 'n', op: 'Neg', input: ['a'], attr: { T: type } }],
          ret: { r: 'n:y:0' },
        },
      ],
    },
  };
  return toBytes(graph as unknown as Graph);
}

/** Without the optimizers that would inline the calls. */
const PLAIN = {
  graphOptions: {
    rewriteOptions: { disableMetaOptimizer: true },
    optimizerOptions: { optLevel: 'L0' },
  },
} as const;

async function open(length: number, options: GraphOptions): Promise<Session> {
  const session = await Session.fromGraphDef(chainOfCalls(length), { config: PLAIN, ...options });
  onTestFinished(() => session.close());
  return session;
}

const EXECUTORS: Executor[] = ['auto', 'caller', 'pool'];

describe('executor', () => {
  it.each(EXECUTORS)('%s computes the same, run after run', async (executor) => {
    const model = await openFixture('tf2-functions', { executor });
    const x = [[1, 2, 3, 4, 5, 6, 7, 8]];
    const expected = (await (await openFixture('tf2-functions')).run({ x })).y!.data;
    // Beyond the first trial of both.
    for (let i = 0; i < 40; i++) expect((await model.run({ x })).y!.data).toEqual(expected);
    expect(model.runSync({ x }).y!.data).toEqual(expected);
    const call = model.prepare({ executor: executor === 'pool' ? 'caller' : 'pool' });
    expect((await call.run({ x })).y!.data).toEqual(expected);
  });

  it.each(EXECUTORS)('%s goes with run options', async (executor) => {
    const model = await openFixture('tf2-functions', { executor });
    let size = 0;
    const { y } = await model.run(
      { x: [[1, 2, 3, 4, 5, 6, 7, 8]] },
      { runOptions: { traceLevel: 'FULL_TRACE' }, onRunMetadata: (bytes) => (size = bytes.length) },
    );
    expect(y!.shape).toEqual([1, 4]);
    expect(size).toBeGreaterThan(0);
  });

  it.each(EXECUTORS)('%s: a loop that never ends is ended by close', async (executor) => {
    const model = await openFixture('endless', { executor });
    const run = model.run({ n: -1 });
    setTimeout(() => model.close({ cancel: true }), 100);
    expect(await failure(run)).toMatchObject({ code: 'CANCELLED' });
  });

  it('caller takes as many calls as a thread has stack for', async () => {
    const session = await open(150, { executor: 'caller' });
    expect((await session.run('y', { x: 5 }))[0]!.data[0]).toBe(5);
    expect(session.runSync('y', { x: 5 })[0]!.data[0]).toBe(5);
  });

  it('caller is refused where there are more, for a run, a session and a ConfigProto', async () => {
    const refused = { code: 'FAILED_PRECONDITION', message: expect.stringContaining("executor: 'caller'") };
    const byOption = await open(3000, { executor: 'caller' });
    expect(await failure(byOption.run('y', { x: 5 }))).toMatchObject(refused);
    const byConfig = await open(3000, { config: { ...PLAIN, interOpParallelismThreads: -1 } });
    expect(await failure(byConfig.run('y', { x: 5 }))).toMatchObject(refused);
    const session = await open(3000, {});
    expect(await failure(session.run('y', { x: 5 }, { executor: 'caller' }))).toMatchObject(refused);
    expect(
      await failure(session.run('y', { x: 5 }, { runOptions: { interOpThreadPool: -1 } })),
    ).toMatchObject(refused);
  });

  it('auto leaves such a graph to the pool', async () => {
    const session = await open(3000, {});
    for (let i = 0; i < 12; i++) expect((await session.run('y', { x: 5 }))[0]!.data[0]).toBe(5);
  });

  it('of another name is an error that lists them', async () => {
    const wrong = {
      code: 'INVALID_OPTION',
      message: expect.stringContaining('"auto" or "caller" or "pool"'),
    };
    const executor = 'fast' as Executor;
    expect(await failure(openFixture('tf2-functions', { executor }))).toMatchObject(wrong);
    const model = await openFixture('tf2-functions');
    expect(await failure(model.run({ x: [[1, 2, 3, 4, 5, 6, 7, 8]] }, { executor }))).toMatchObject(wrong);
    expect(() => model.prepare({ executor })).toThrow(expect.objectContaining(wrong));
  });
});

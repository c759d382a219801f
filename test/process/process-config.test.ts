/** What TensorFlow has settled for a process is told to later sessions that ask for something else; in processes of their own. */
import { describe, expect, it } from 'vitest';
import { expectCleanEnd, runChild } from './child.js';

type Step = [what: string, config: object, options?: object];

/** What the child prints: its warnings and errors, and how many threads TensorFlow has. */
async function run(steps: readonly Step[], env: Record<string, string> = {}): Promise<string[]> {
  const flags = ['--no-warnings']; // the child prints them
  const ended = await runChild('process-config.mjs', ['main', JSON.stringify(steps)], { env, flags });
  expectCleanEnd(ended, 0, ended.stdout.trim());
  return ended.stdout.trim().split('\n');
}

const THREADS = { intraOpParallelismThreads: 5, interOpParallelismThreads: 3 };

describe('a session that asks for other threads than the process has', () => {
  it('is told so, field by field', async () => {
    const [warning, ...rest] = await run([
      ['load', THREADS],
      ['load', { intraOpParallelismThreads: 6, interOpParallelismThreads: 4 }],
    ]);
    expect(warning).toMatch(/^TensorFlowWarning .* ignores what chain\/saved_model asks for\./);
    expect(warning).toContain(
      'config.intraOpParallelismThreads is 5, since chain/saved_model; asked for: 6.',
    );
    expect(warning).toContain(
      'config.interOpParallelismThreads is 3, since chain/saved_model; asked for: 4.',
    );
    expect(warning).toContain('in a process of its own');
    expect(rest).toHaveLength(1);
  });

  it('really has what the warning says', async () => {
    const lines = await run([
      ['devices', THREADS],
      ['devices', { intraOpParallelismThreads: 9, interOpParallelismThreads: 8 }],
    ]);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe('intra 5 inter 3');
  });

  it.each(['devices', 'load', 'graph', 'worker'])('by %s', async (step) => {
    const lines = await run([
      ['devices', THREADS],
      [step, { intraOpParallelismThreads: 6 }],
    ]);
    expect(lines[0]).toContain('is 5, since tensorflow.devices(); asked for: 6.');
    expect(lines).toHaveLength(2);
  });

  it('after one in a worker thread', async () => {
    const lines = await run([
      ['worker', THREADS],
      ['graph', { intraOpParallelismThreads: 6 }],
    ]);
    expect(lines[0]).toContain('ignores what Session.fromGraphDef asks for');
    expect(lines[0]).toContain('is 5, since chain/saved_model; asked for: 6.');
  });

  it('with rules and with a device of its own', async () => {
    const lines = await run([
      ['load', THREADS, { placement: [{ op: '**', device: '/CPU:0' }], devices: ['/CPU:0'], copies: 2 }],
      ['load', { intraOpParallelismThreads: 6 }, { clearDevices: true, copies: 2 }],
    ]);
    expect(lines[0]).toContain('is 5, since chain/saved_model; asked for: 6.');
    expect(lines).toHaveLength(2); // once, whatever number of sessions
  });
});

describe('nothing is said', () => {
  const cases: Record<string, Step[]> = {
    'where the values are the same': [
      ['load', THREADS],
      ['load', THREADS],
    ],
    'where a value is left out, or 0': [
      ['load', THREADS],
      ['load', {}],
      ['devices', { intraOpParallelismThreads: 0, interOpParallelismThreads: 0 }],
    ],
    'of pools of their own': [
      ['load', THREADS],
      ['load', { interOpParallelismThreads: 4, usePerSessionThreads: true }],
      ['load', { interOpParallelismThreads: 4, sessionInterOpThreadPool: [{ numThreads: 2 }] }],
      ['load', { interOpParallelismThreads: -1 }],
    ],
    'of what counts per session': [
      ['load', THREADS],
      [
        'load',
        { deviceCount: { CPU: 3 }, logDevicePlacement: false, graphOptions: { placePrunedGraph: true } },
      ],
    ],
    'of GPUs where there are none': [
      ['load', { gpuOptions: { visibleDeviceList: '0' } }],
      [
        'load',
        { gpuOptions: { visibleDeviceList: '1,0', allowGrowth: true, perProcessGpuMemoryFraction: 0.5 } },
      ],
      ['load', { gpuOptions: { experimental: { virtualDevices: [{ memoryLimitMb: [1, 2] }] } } }],
    ],
  };
  it.each(Object.entries(cases))('%s', async (_, steps) => {
    expect(await run(steps)).toEqual([expect.stringMatching(/^intra/)]);
  });
});

describe('what settles nothing', () => {
  it('is a session that cannot be made for want of a CPU', async () => {
    const lines = await run([
      ['devices', { deviceCount: { CPU: 0 }, intraOpParallelismThreads: 9 }],
      ['devices', { intraOpParallelismThreads: 4 }],
    ]);
    expect(lines).toEqual([expect.stringMatching(/^NOT_FOUND/), expect.stringMatching(/^intra 4 /)]);
  });

  it('is a session on a server', async () => {
    const lines = await run([
      ['remote', { intraOpParallelismThreads: 9 }],
      ['devices', THREADS],
      ['remote', { intraOpParallelismThreads: 8 }],
    ]);
    expect(lines).toEqual([expect.stringMatching(/inter 3$/)]);
  });

  it('is a model that is not there', async () => {
    const lines = await run([
      ['broken', { intraOpParallelismThreads: 9 }],
      ['devices', { intraOpParallelismThreads: 4 }],
    ]);
    expect(lines).toEqual([expect.stringMatching(/^NOT_FOUND/), expect.stringMatching(/^intra 4 /)]);
  });

  it('is, for inter-op threads, a session with a pool of its own', async () => {
    const lines = await run([
      ['devices', { interOpParallelismThreads: 6, usePerSessionThreads: true }],
      ['devices', { interOpParallelismThreads: 4 }],
      ['devices', { interOpParallelismThreads: 5 }],
    ]);
    expect(lines[0]).toContain('interOpParallelismThreads is 4, since tensorflow.devices(); asked for: 5.');
    expect(lines[1]).toMatch(/inter 4$/);
  });
});

describe("TensorFlow's default", () => {
  it('is a value as any other', async () => {
    const lines = await run([
      ['devices', {}],
      ['devices', { intraOpParallelismThreads: 77 }],
    ]);
    const threads = /^intra (\d+) /.exec(lines[1]!)![1];
    expect(lines[0]).toContain(`intraOpParallelismThreads is ${threads}, since`);
    const same = await run([
      ['devices', {}],
      ['devices', { intraOpParallelismThreads: Number(threads) }],
    ]);
    expect(same).toHaveLength(1);
  });

  it('may come from the environment', async () => {
    const env = { TF_NUM_INTRAOP_THREADS: '7', TF_NUM_INTEROP_THREADS: '6' };
    const lines = await run(
      [
        ['devices', {}],
        ['devices', { intraOpParallelismThreads: 8, interOpParallelismThreads: 6 }],
      ],
      env,
    );
    expect(lines[0]).toContain('intraOpParallelismThreads is 7, since');
    expect(lines).toEqual([expect.not.stringContaining('interOp'), 'intra 7 inter 6']);
  });

  it('leaves no pool to share where the environment says so', async () => {
    const env = { TF_OVERRIDE_GLOBAL_THREADPOOL: '1' };
    const lines = await run(
      [
        ['devices', THREADS],
        ['devices', { intraOpParallelismThreads: 6 }],
      ],
      env,
    );
    expect(lines).toHaveLength(1);
  });
});

describe('a pool with a name', () => {
  const pool = (numThreads: number) => ({ sessionInterOpThreadPool: [{ numThreads, globalName: 'shared' }] });

  it('of another size is refused before TensorFlow sees it', async () => {
    const lines = await run([
      ['load', pool(3)],
      ['load', pool(4)],
      ['load', pool(3)],
    ]);
    expect(lines[0]).toMatch(/^FAILED_PRECONDITION .*no session can be made for chain\/saved_model/);
    expect(lines[0]).toContain('(of the pool "shared") is 3, since chain/saved_model; asked for: 4.');
    expect(lines).toHaveLength(2);
  });
});

/** What models print, as events. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from 'vitest';
import { type LogEvent, Session, tensorflow } from '../../lib/index.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { failure } from '../helpers/failure.js';
import { temporaryDirectory } from '../saved-model/models.js';

const CHILD = fileURLToPath(new URL('children/prints.mjs', import.meta.url));
const text = (value: string) => ({ value: { case: 's' as const, value: new TextEncoder().encode(value) } });
const type = { value: { case: 'type' as const, value: DataType.DT_STRING } };
/** Prints `x` to stderr, and hands it on. */
const GRAPH = toBinary(
  GraphDefSchema,
  create(GraphDefSchema, {
    node: [
      { name: 'x', op: 'Placeholder', attr: { dtype: type } },
      {
        name: 'print',
        op: 'PrintV2',
        input: ['x'],
        attr: { output_stream: text('stderr'), end: text('\n') },
      },
      { name: 'y', op: 'Identity', input: ['x', '^print'], attr: { T: type } },
    ],
    versions: { producer: 2000 },
  }),
);

let listeners: ((event: LogEvent) => void)[] = [];

function listen(): LogEvent[] {
  const heard: LogEvent[] = [];
  const listener = (event: LogEvent) => heard.push(event);
  tensorflow.on('log', listener);
  listeners.push(listener);
  return heard;
}

afterEach(() => {
  for (const listener of listeners) tensorflow.off('log', listener);
  listeners = [];
});

async function print(message: string): Promise<void> {
  const session = await Session.fromGraphDef(GRAPH);
  await session.run(['y:0'], { 'x:0': message });
  await session.close();
}

describe("tensorflow.on('log', …)", () => {
  it('hears what a model prints, before the library is open and after', async () => {
    const before = listen();
    await print('first');
    const after = listen();
    await print('second\nof two lines');
    await expect.poll(() => before.length).toBe(2);
    expect(before).toEqual([
      { source: 'print', message: 'first' },
      { source: 'print', message: 'second\nof two lines' },
    ]);
    expect(after).toEqual(before.slice(1));
  });

  it('hears all of many runs at once, in any order', async () => {
    const heard = listen();
    const session = await Session.fromGraphDef(GRAPH);
    const texts = Array.from({ length: 500 }, (_, i) => `run ${i}`);
    await Promise.all(texts.map((each) => session.run(['y:0'], { 'x:0': each })));
    await session.close();
    await expect.poll(() => heard.length).toBe(500);
    expect(heard.map(({ message }) => message).sort()).toEqual(texts.sort());
  });

  it('is heard in each thread that listens, until it ends', async () => {
    const heard = listen();
    await print('opens the library');
    const worker = new Worker(
      `import { parentPort } from 'node:worker_threads';
       const { tensorflow } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)});
       await tensorflow.open();
       tensorflow.on('log', ({ message }) => parentPort.postMessage(message));
       parentPort.postMessage('ready');
       setInterval(() => {}, 1000);`,
      { eval: true, execArgv: ['--input-type=module'] },
    );
    expect(await once(worker, 'message')).toEqual(['ready']);
    const [[message]] = await Promise.all([once(worker, 'message'), print('to both')]);
    expect(message).toBe('to both');
    await worker.terminate();
    await print('to one');
    await expect.poll(() => heard.length).toBe(3);
  });

  it('goes to stderr where nobody listens any more, and holds no process open', async () => {
    const graph = join(await temporaryDirectory(), 'graph.pb');
    await writeFile(graph, GRAPH);
    const { status, stdout, stderr } = spawnSync(process.execPath, [CHILD, graph], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect([status, stdout]).toEqual([0, 'heard: with a listener\n']);
    expect(stderr).toMatch(/^without a listener$/m);
    expect(stderr).not.toMatch(/^with a listener/m);
  });

  it.each([
    ['lines', () => {}, /no event "lines"/],
    ['log', 'console', /must be a function/],
  ])('refuses %j and %j', async (name, listener, message) => {
    expect((await failure(() => tensorflow.on(name as 'log', listener as never))).message).toMatch(message);
  });
});

import { create, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeRunMetadata, type ModelRunOptions, type RunMetadata, SavedModel } from '../../lib/index.js';
import {
  RunOptions_TraceLevel,
  RunOptionsSchema,
} from '../../lib/proto/tensorflow/core/protobuf/config_pb.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';

let model: SavedModel;
beforeAll(async () => {
  model = await SavedModel.load(fixture('tf2-functions'));
  return () => model.close();
});

const x = [[1, 2, 3, 4, 5, 6, 7, 8]];

async function traced(options: ModelRunOptions): Promise<RunMetadata> {
  let metadata: Uint8Array | undefined;
  await model.run({ x }, { ...options, onRunMetadata: (bytes) => (metadata = bytes) });
  expect(metadata).toBeInstanceOf(Uint8Array);
  return decodeRunMetadata(metadata!);
}

const nodesOf = (metadata: RunMetadata) =>
  metadata.stepStats?.devStats.flatMap(({ nodeStats }) => nodeStats.map(({ nodeName }) => nodeName)) ?? [];

describe('RunOptions', () => {
  const serialized = toBinary(
    RunOptionsSchema,
    create(RunOptionsSchema, { traceLevel: RunOptions_TraceLevel.FULL_TRACE }),
  );
  it.each([{ traceLevel: 'FULL_TRACE' as const }, { traceLevel: 3 }, serialized])(
    'of a full trace give a report of each op: %#',
    async (runOptions) => {
      const nodes = nodesOf(await traced({ runOptions }));
      expect(nodes.some((name) => name.includes('MatMul'))).toBe(true);
    },
  );

  it('left out give a report with nothing in it', async () => {
    expect(nodesOf(await traced({}))).toEqual([]);
  });

  it('give the partitioned graphs', async () => {
    const { partitionGraphs } = await traced({ runOptions: { outputPartitionGraphs: true } });
    expect(partitionGraphs.flatMap(({ node }) => node).length).toBeGreaterThan(0);
  });

  it('give the report of a run that stands still, and of a run by names', async () => {
    const runOptions = { traceLevel: 'FULL_TRACE' } as const;
    const reports: Uint8Array[] = [];
    const onRunMetadata = (bytes: Uint8Array) => reports.push(bytes);
    model.runSync({ x }, { runOptions, onRunMetadata });
    const { name } = model.signatures.serving_default!.inputs.x!;
    const fetch = model.signatures.serving_default!.outputs.y!.name;
    await model.session.run(fetch, { [name]: x }, { runOptions, onRunMetadata });
    model.session.runSync(fetch, { [name]: x }, { runOptions, onRunMetadata });
    expect(reports).toHaveLength(3);
    for (const bytes of reports) expect(nodesOf(decodeRunMetadata(bytes)).length).toBeGreaterThan(0);
  });

  it("hold TensorFlow's own time limit, which ends the run itself", async () => {
    const endless = await openFixture('endless');
    const error = await failure(endless.run({ n: -1 }, { runOptions: { timeoutInMs: 50 } }));
    expect(error.code).toBe('DEADLINE_EXCEEDED');
    await endless.close();
  });

  it.each<[unknown, RegExp]>([
    [{ traceLevl: 1 }, /traceLevl.*traceLevel/s],
    [{ traceLevel: 'EVERYTHING' }, /traceLevel/],
    [new Uint8Array([255, 255, 255]), /runOptions/],
    ['FULL_TRACE', /runOptions/],
  ])('that are wrong are refused: %#', async (runOptions, message) => {
    const error = await failure(model.run({ x }, { runOptions } as ModelRunOptions));
    expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) });
  });
});

describe('onRunMetadata', () => {
  it('is called before the promise resolves, once', async () => {
    const order: string[] = [];
    await model.run({ x }, { onRunMetadata: () => order.push('metadata') }).then(() => order.push('run'));
    expect(order).toEqual(['metadata', 'run']);
  });

  it('is not called for a run that fails', async () => {
    const failing = await openFixture('errors-at-run');
    let called = false;
    const onRunMetadata = () => {
      called = true;
    };
    const options = { signature: 'gather', onRunMetadata, runOptions: { traceLevel: 3 } };
    await failure(failing.run({ indices: [9] }, options));
    expect(called).toBe(false);
    await failing.run({ indices: [0] }, options);
    expect(called).toBe(true);
  });

  it('that throws makes the run fail with what it threw', async () => {
    const onRunMetadata = () => {
      throw new RangeError('mine');
    };
    await expect(model.run({ x }, { onRunMetadata })).rejects.toThrow(RangeError);
    expect(() => model.runSync({ x }, { onRunMetadata })).toThrow('mine');
  });

  it('gives bytes that are its own', async () => {
    await expect(async () => decodeRunMetadata(new Uint8Array([255, 255]))).rejects.toMatchObject({
      code: 'DATA_LOSS',
    });
  });
});

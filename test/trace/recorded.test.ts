/** What TensorFlow tells of a GPU's streams, by the source of its `xplane_to_step_stats.cc`: names and zeros of their own. */
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RunMetadataSchema } from '../../lib/proto/tensorflow/core/protobuf/config_pb.js';
import { EVENT, EVENT_SIZE, readRecorded } from '../../lib/trace/recorded.js';
import { fullNames } from '../../lib/trace/timeline.js';

const GPU = '/job:localhost/replica:0/task:0/device:GPU:0';
const CPU = '/job:localhost/replica:0/task:0/device:CPU:0';
/** Some day of 2026, in microseconds. */
const NOW = 1_795_000_000_000_000n;

type Work = [device: string, startUs: bigint, scheduledUs: bigint];

function read(...work: Work[]) {
  const devStats = work.map(([device, allStartMicros, scheduledMicros]) => ({
    device,
    nodeStats: [{ nodeName: 'MatMul', allStartMicros, scheduledMicros, allEndRelMicros: 10n }],
  }));
  const recorded = readRecorded(
    toBinary(RunMetadataSchema, create(RunMetadataSchema, { stepStats: { devStats } })),
  );
  const us = (field: number) => devStats.map((_, i) => recorded.events[i * EVENT_SIZE + field]! / 1000);
  return { originUs: recorded.originUs, starts: us(EVENT.start), scheduled: us(EVENT.scheduled) };
}

describe('the times of a run', () => {
  it('are those of the wall clock where streams have it too', () => {
    const { originUs, starts, scheduled } = read(
      [CPU, NOW, NOW - 5n],
      [GPU, NOW + 100n, NOW + 90n],
      ['/device:GPU:0/stream:7', NOW + 150n, NOW + 120n],
    );
    expect(originUs).toBe(Number(NOW));
    expect(starts).toEqual([0, 100, 150]);
    expect(scheduled).toEqual([-5, 90, 120]);
  });

  it('have one beginning where streams count from their profiler’s', () => {
    const { originUs, starts, scheduled } = read(
      [GPU, NOW + 100n, NOW + 90n],
      [CPU, NOW, NOW],
      ['/device:GPU:0/stream:7<MemcpyH2D>', 2_000n, 2_000n],
      ['/device:GPU:0/stream:7', 2_060n, 2_050n],
      ['/device:GPU:0/stream:all', 2_060n, 2_050n],
    );
    expect(originUs).toBe(Number(NOW));
    expect(starts).toEqual([100, 0, 0, 60, 60]);
    expect(scheduled).toEqual([90, 0, 0, 50, 50]);
  });

  it('do not begin in 1970 where nobody is known to have asked for a stream’s work', () => {
    expect(read([GPU, NOW, NOW], ['/device:GPU:0/sync', NOW + 7n, 0n]).scheduled).toEqual([0, 7]);
  });

  it('are as they are told where there is no wall clock at all', () => {
    const { originUs, starts } = read([CPU, 50n, 50n], [GPU, 70n, 60n]);
    expect({ originUs, starts }).toEqual({ originUs: 50, starts: [0, 20] });
  });
});

it('finds the device whose stream it is by the end of its name', () => {
  const names = fullNames([CPU, GPU, '/device:GPU:0/stream:7', `${CPU}/network`]);
  expect([...names]).toEqual([
    ['/device:CPU:0', CPU],
    ['/device:GPU:0', GPU],
  ]);
});

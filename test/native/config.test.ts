import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { type LoadOptions, SavedModel, tensorflow } from '../../lib/index.js';
import { ConfigProtoSchema } from '../../lib/proto/tensorflow/core/protobuf/config_pb.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { fixture } from '../saved-model/models.js';

const cpu = (n: number) => `/job:localhost/replica:0/task:0/device:CPU:${n}`;
const cpus = (count: number) => Array.from({ length: count }, (_, n) => cpu(n));
const namesOf = async (from: { devices(): Promise<{ name: string; type: string }[]> }) =>
  (await from.devices()).filter(({ type }) => type === 'CPU').map(({ name }) => name);

describe('config', () => {
  it('left out is what TensorFlow has as its default', async () => {
    const model = await openFixture('tf2-functions');
    expect(await namesOf(model)).toEqual(cpus(1));
    for (const { memoryBytes } of await model.devices()) expect(memoryBytes).toBeGreaterThan(0);
  });

  it('says how many devices there are, for each model by itself', async () => {
    const x = [[1, 1, 1, 1, 1, 1, 1, 1]];
    const four = await openFixture('tf2-functions', { config: { deviceCount: { CPU: 4 } } });
    const two = await openFixture('tf2-functions', { config: { device_count: { CPU: 2 } } as object });
    expect(await namesOf(four)).toEqual(cpus(4));
    expect(await namesOf(two)).toEqual(cpus(2));
    expect(await four.session.devices()).toEqual(await four.devices());
    expect((await four.run({ x })).y!.data).toEqual((await two.run({ x })).y!.data);
  });

  it('can leave out the GPUs', async () => {
    const model = await openFixture('tf2-functions', { config: { deviceCount: { GPU: 0 } } });
    expect((await model.devices()).map(({ type }) => type)).not.toContain('GPU');
    expect((await tensorflow.devices({ deviceCount: { GPU: 0, CPU: 3 } })).map(({ name }) => name)).toEqual(
      cpus(3),
    );
  });

  it('may be the serialized message', async () => {
    const config = toBinary(ConfigProtoSchema, create(ConfigProtoSchema, { deviceCount: { CPU: 3 } }));
    expect(await namesOf(await openFixture('tf2-functions', { config }))).toEqual(cpus(3));
    expect(await namesOf(await openFixture('tf2-functions', { config: new Uint8Array() }))).toEqual(cpus(1));
    const padded = Buffer.concat([Buffer.from([255]), config]).subarray(1);
    expect(await namesOf(await openFixture('tf2-functions', { config: padded }))).toEqual(cpus(3));
  });

  it.each<[object, RegExp]>([
    [{ config: { deviceCounts: { CPU: 2 } } }, /deviceCounts.*deviceCount/s],
    [{ config: { gpuOptions: { allowGroth: true } } }, /gpuOptions.*allowGroth.*allowGrowth/s],
    [{ config: { allowSoftPlacement: 'yes' } }, /allowSoftPlacement/],
    [{ config: { deviceCount: { CPU: 'four' } } }, /deviceCount/],
    [{ config: 5 }, /config/],
    [{ config: new Uint8Array([255, 255, 255]) }, /config/],
    [{ runOptions: { traceLevl: 'FULL_TRACE' } }, /traceLevl.*traceLevel/s],
    [{ runOptions: new Uint8Array([255, 255, 255]) }, /runOptions/],
    [{ tag: ['serve'] }, /no key "tag"\. Did you mean "tags"/],
    [{ tags: 'serve' }, /tags must be an array of strings/],
    [{ tags: [1] }, /tags must be an array of strings/],
    [{ outputs: 'copies' }, /outputs must be "copy"/],
    [{ strings: true }, /strings must be "bytes"/],
  ])('refuses the options %j', async (options, message) => {
    const error = await failure(SavedModel.load(fixture('tf2-functions'), options as LoadOptions));
    expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) });
  });

  it('refuses options that are no object', async () => {
    for (const options of [null, 5, ['serve']]) {
      const error = await failure(
        SavedModel.load(fixture('tf2-functions'), options as unknown as LoadOptions),
      );
      expect(error.code).toBe('INVALID_OPTION');
    }
  });
});

describe('tensorflow', () => {
  it('tells its version and the file that it is from', async () => {
    await tensorflow.open();
    expect(tensorflow.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(tensorflow.path).toMatch(/tensorflow/);
    expect(Array.isArray(tensorflow.missing)).toBe(true);
    await tensorflow.open({ library: tensorflow.path });
  });

  it('is opened once: another library is refused', async () => {
    await tensorflow.open();
    const error = await failure(tensorflow.open({ library: '/nowhere/libtensorflow.so.2' }));
    expect(error.code).toBe('LIBRARY_NOT_FOUND');
    const levels = ['verbose', 4, 'toString', null].map((logLevel) => ({ logLevel }));
    for (const options of [
      ...levels,
      { maxRunsInFlight: 0 },
      { maxRunsInFlight: 1.5 },
      { library: 5 },
      { lib: '' },
    ]) {
      expect((await failure(tensorflow.open(options as object))).code).toBe('INVALID_OPTION');
    }
  });
});
